import { RolegateError } from "../errors.ts";
import { endOfRelationName, matchingParen } from "../sql/lexer.ts";
import { quoteIdentifier } from "../sql/names.ts";
import type { Parser } from "../sql/parser.ts";
import { walk } from "../sql/walk.ts";
import { mayQuote } from "./quoting.ts";
import {
  dayWords,
  statementClock,
  transactionClocks,
  transactionWords,
  unfitForRules,
  unfitSetting,
} from "./rule-functions.ts";
import type { RuleExpression } from "./role-file.ts";

type Names = readonly { readonly String?: { readonly sval?: string } }[];

/** The fields of a call, a column and a constant that are looked at. */
type NameFields = {
  readonly funcname?: Names;
  readonly funcformat?: string;
  readonly args?: readonly { readonly A_Const?: NameFields }[];
  readonly fields?: Names;
  readonly sval?: { readonly sval?: string };
  readonly op?: string;
  readonly typeName?: { readonly names?: Names };
  readonly location?: number;
};

/** 02-07-2025 is one day or another, as the session's DateStyle says; a client may change that. */
const localDate = /(?<![\d.:/-])\d{1,2}([-/. ])\d{1,2}\1\d{2,4}(?![\d:.])/;

/** A rule's text, cut where a column or an attribute of the identity stands in it. */
type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "column"; readonly name: string }
  | { readonly kind: "attribute"; readonly path: string };

/** A piece that takes the place of a part of the rule's text, by byte offsets. */
type Cut = { readonly start: number; readonly end: number; readonly piece: Piece };

/** A row, check or mask rule, parsed once per role file and server version. */
export type Expression = {
  readonly source: RuleExpression;
  /** Columns that it reads, sorted, each once. */
  readonly columns: readonly string[];
  /** Attributes of the identity that it needs, dotted where nested, sorted, each once. */
  readonly attributes: readonly string[];
  /** An error of it may quote a value of the row. */
  readonly quotes: boolean;
  /** As the grammar reads it. */
  readonly tree: unknown;
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

  const cuts: Cut[] = [];
  let problem: { found: string; expected: string } | undefined;
  try {
    walk(value, (kind, anyFields, parent) => {
      if (problem !== undefined) return false;
      problem = unfitPart(kind, anyFields, parent?.fields);
      const cut = cutAt(kind, anyFields, bytes);
      if (cut !== undefined) cuts.push(cut);
      return kind !== "ColumnRef";
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
    tree: value,
    pieces,
  };
  return { kind: "expression", expression };
}

/** What must not stand in a rule. */
function unfitPart(
  kind: string,
  fields: NameFields,
  parent: NameFields | undefined,
): { found: string; expected: string } | undefined {
  const name = forbidden[kind];
  if (name !== undefined) return { found: name, expected: "an expression over the row and the identity" };
  switch (kind) {
    case "A_Const": {
      const constant = fields.sval?.sval ?? "";
      if (localDate.test(constant))
        return {
          found: `'${constant}'`,
          expected: "a date that no DateStyle reads otherwise, as in '2025-07-02'",
        };
      if (dayWords.test(constant) && namesOf(parent?.typeName?.names).at(-1) !== "text")
        return {
          found: `'${constant}'`,
          expected: "current_date, now(), or the word as a text: 'today'::text",
        };
      return undefined;
    }
    case "FuncCall":
      return unfitCall(fields);
    case "SQLValueFunction": {
      const op = fields.op ?? "";
      if (!op.endsWith("_N")) return undefined;
      return { found: `${op.slice(6, -2).toLowerCase()}(…)`, expected: "the time without a precision" };
    }
    case "ColumnRef": {
      const names = (fields.fields ?? []).map((field) => field.String?.sval);
      if (names.includes(undefined)) return { found: "*", expected: "columns by name" };
      if (names.length === 1 || names[0] === "identity") return undefined;
      return { found: names.join("."), expected: "a column of the table, or identity.<attribute>" };
    }
    default:
      return undefined;
  }
}

function unfitCall({ funcname, args }: NameFields): { found: string; expected: string } | undefined {
  const [name = "", schema = "pg_catalog"] = namesOf(funcname).toReversed();
  if (schema !== "pg_catalog") return undefined;
  const expected =
    name === "current_setting" ? unfitSetting(args?.[0]?.A_Const?.sval?.sval) : unfitForRules(name);
  return expected === undefined ? undefined : { found: `${name}(…)`, expected };
}

/** Where a part of the rule is written otherwise than it stands. */
function cutAt(kind: string, fields: NameFields, bytes: Buffer): Cut | undefined {
  const start = fields.location ?? 0;
  switch (kind) {
    case "FuncCall": {
      if (fields.funcformat !== "COERCE_EXPLICIT_CALL") return undefined;
      const [name = "", schema] = namesOf(fields.funcname).toReversed();
      if (transactionClocks.has(name) && (schema ?? "pg_catalog") === "pg_catalog")
        return { start, end: endOfRelationName(bytes, start), piece: { kind: "text", text: statementClock } };
      // An unqualified function is the server's own, whatever search_path a session has by then.
      return schema === undefined
        ? { start, end: start, piece: { kind: "text", text: "pg_catalog." } }
        : undefined;
    }
    case "SQLValueFunction": {
      const text = transactionWords.get(fields.op ?? "");
      if (text === undefined) return undefined;
      return { start, end: endOfRelationName(bytes, start), piece: { kind: "text", text: `(${text})` } };
    }
    case "ColumnRef": {
      const names = namesOf(fields.fields);
      const end = endOfRelationName(bytes, start);
      if (names.length === 1) return { start, end, piece: { kind: "column", name: names[0]! } };
      return { start, end, piece: { kind: "attribute", path: names.slice(1).join(".") } };
    }
    default:
      return undefined;
  }
}

function namesOf(names: Names | undefined): string[] {
  return (names ?? []).map((part) => part.String?.sval ?? "");
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

function assemble(bytes: Buffer, from: number, cuts: readonly Cut[]): Piece[] {
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
