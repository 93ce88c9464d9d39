import { RolegateError } from "../errors.ts";
import { endOfRelationName, matchingParen } from "../sql/lexer.ts";
import { quoteIdentifier } from "../sql/names.ts";
import type { Parser } from "../sql/parser.ts";
import { walk } from "../sql/walk.ts";
import { mayQuote } from "./quoting.ts";
import type { RuleExpression } from "./role-file.ts";

/** The fields of a call and of a column that are looked at. */
type NameFields = {
  readonly funcname?: readonly unknown[];
  readonly funcformat?: string;
  readonly fields?: readonly { readonly String?: { readonly sval?: string } }[];
  readonly sval?: { readonly sval?: string };
  readonly location?: number;
};

/** 02-07-2025 is one day or another, as the session's DateStyle says; a client may change that. */
const localDate = /(?<![\d.:/-])\d{1,2}([-/. ])\d{1,2}\1\d{2,4}(?![\d:.])/;

/** A rule's text, cut where a column or an attribute of the identity stands in it. */
type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "column"; readonly name: string }
  | { readonly kind: "attribute"; readonly path: string };

/** A row, check or mask rule, parsed once per role file and server version. */
export type Expression = {
  readonly source: RuleExpression;
  /** Columns that it reads, sorted, each once. */
  readonly columns: readonly string[];
  /** Attributes of the identity that it needs, dotted where nested, sorted, each once. */
  readonly attributes: readonly string[];
  /** An error of it may quote a value of the row. */
  readonly quotes: boolean;
  readonly pieces: readonly Piece[];
};

/** What is wrong with a rule's expression, for the operator. */
export type ExpressionProblem = {
  readonly file: string;
  readonly line: number;
  readonly found: string;
  readonly expected: string;
};

/**
 * Node kinds that a rule must not hold: each would read something other than the row and the identity,
 * or could not stand in every place where rolegate puts the rule.
 */
const forbidden: Readonly<Record<string, string>> = {
  SubLink: "a sub-select",
  ParamRef: "a parameter",
  CurrentOfExpr: "WHERE CURRENT OF",
  SetToDefault: "DEFAULT",
  WindowDef: "a window function",
  MultiAssignRef: "a multi-column assignment",
};

/**
 * Reads one rule.
 * @returns the expression, or what is wrong with it: not parsable, more than one expression, a sub-select,
 *   a parameter, a qualified column.
 */
export function readExpression(
  source: RuleExpression,
  parser: Parser,
): { kind: "expression"; expression: Expression } | { kind: "refused"; problem: ExpressionProblem } {
  const refused = (found: string, expected: string): { kind: "refused"; problem: ExpressionProblem } => ({
    kind: "refused",
    problem: { file: source.file, line: source.line, found, expected },
  });
  const prefix = "SELECT (";
  const text = `${prefix}${source.sql}\n)`;
  const parsed = parser.parse(text);
  if (parsed.kind === "error") return refused(parsed.message, "one SQL expression");
  if (parsed.kind === "refused") return refused(parsed.reason, "one SQL expression");
  const value = soleExpression(parsed.statements);
  const bytes = Buffer.from(text);
  // `a) or (b` would close our bracket and open another.
  const whole = value !== undefined && matchingParen(bytes, prefix.length - 1) === bytes.length;
  if (!whole || (parsed.text ?? text) !== text) return refused(source.sql, "one SQL expression");

  const cuts: { start: number; end: number; piece: Piece }[] = [];
  let problem: { found: string; expected: string } | undefined;
  try {
    walk(value, (kind, anyFields) => {
      const fields = anyFields as NameFields;
      if (problem !== undefined) return false;
      const name = forbidden[kind];
      if (name !== undefined)
        problem = { found: name, expected: "an expression over the row and the identity" };
      const constant = kind === "A_Const" ? (fields.sval?.sval ?? "") : "";
      if (localDate.test(constant))
        problem = {
          found: `'${constant}'`,
          expected: "a date that no DateStyle reads otherwise, as in '2025-07-02'",
        };
      if (
        kind === "FuncCall" &&
        fields.funcname?.length === 1 &&
        fields.funcformat === "COERCE_EXPLICIT_CALL"
      ) {
        // An unqualified function is the server's own, whatever search_path a session has by then.
        const start = fields.location ?? 0;
        cuts.push({ start, end: start, piece: { kind: "text", text: "pg_catalog." } });
      }
      if (kind !== "ColumnRef") return true;
      const names: (string | undefined)[] = (fields.fields ?? []).map((field) => field.String?.sval);
      if (names.includes(undefined)) {
        problem = { found: "*", expected: "columns by name" };
        return false;
      }
      const start = fields.location ?? 0;
      const end = endOfRelationName(bytes, start);
      if (names.length === 1) cuts.push({ start, end, piece: { kind: "column", name: names[0]! } });
      else if (names[0] === "identity")
        cuts.push({ start, end, piece: { kind: "attribute", path: names.slice(1).join(".") } });
      else problem = { found: names.join("."), expected: "a column of the table, or identity.<attribute>" };
      return false;
    });
  } catch (error) {
    if (!(error instanceof RolegateError)) throw error;
    problem = { found: error.message, expected: "an expression over the row and the identity" };
  }
  if (problem !== undefined) return refused(problem.found, problem.expected);
  const pieces = assemble(bytes, Buffer.byteLength(prefix), cuts);
  const expression = {
    source,
    columns: distinct(pieces.flatMap((piece) => (piece.kind === "column" ? [piece.name] : []))),
    attributes: distinct(pieces.flatMap((piece) => (piece.kind === "attribute" ? [piece.path] : []))),
    quotes: mayQuote(value),
    pieces,
  };
  return { kind: "expression", expression };
}

/** The one expression of `SELECT (…)`; undefined if the text closed the parenthesis and went on by itself. */
function soleExpression(statements: readonly { stmt?: unknown }[]): unknown {
  if (statements.length !== 1) return undefined;
  const select = (statements[0]!.stmt as { SelectStmt?: Record<string, unknown> }).SelectStmt;
  if (select === undefined) return undefined;
  const used = Object.keys(select).filter((key) => key !== "limitOption" && key !== "op");
  const targets = select.targetList as
    | { ResTarget: { name?: string; val: Record<string, unknown> } }[]
    | undefined;
  if (used.length !== 1 || targets?.length !== 1) return undefined;
  const { name, val } = targets[0]!.ResTarget;
  // `(a, b)` would be a row, `(a).b` an indirection out of the parentheses.
  return name !== undefined || "RowExpr" in val || "A_Indirection" in val ? undefined : val;
}

function assemble(
  bytes: Buffer,
  from: number,
  cuts: { start: number; end: number; piece: Piece }[],
): Piece[] {
  const pieces: Piece[] = [];
  let at = from;
  for (const cut of cuts.toSorted((a, b) => a.start - b.start)) {
    if (cut.start > at) pieces.push({ kind: "text", text: bytes.toString("utf8", at, cut.start) });
    pieces.push(cut.piece);
    at = cut.end;
  }
  // The closing parenthesis stands on a line of its own, so that a rule may end in a comment.
  const rest = bytes.toString("utf8", at, bytes.length - 2);
  if (rest !== "") pieces.push({ kind: "text", text: rest });
  return pieces;
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted();
}

/**
 * The expression as SQL.
 * @param qualifier the alias that the table has at the place, unquoted; undefined: columns stay bare.
 * @param literal the SQL literal of an attribute, by dotted path.
 */
export function renderExpression(
  expression: Expression,
  qualifier: string | undefined,
  literal: (path: string) => string,
): string {
  const prefix = qualifier === undefined ? "" : `${quoteIdentifier(qualifier)}.`;
  // A line comment at the end of the rule must not swallow what follows it.
  const text = expression.pieces
    .map((piece) => {
      if (piece.kind === "text") return piece.text;
      return piece.kind === "column" ? prefix + quoteIdentifier(piece.name) : literal(piece.path);
    })
    .join("");
  return text.includes("--") ? `${text}\n` : text;
}
