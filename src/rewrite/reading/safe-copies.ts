import type { A_Expr, Node, RangeVar } from "@pgsql/types";
import type { Relation } from "../../catalog/catalog.ts";
import { quoteIdentifier } from "../../sql/names.ts";
import type { Judgement } from "../judgement.ts";
import { indexAt, isCut, parameterCounts, wholeBetween } from "../text/source.ts";
import type { ColumnFacts } from "./column-facts.ts";
import { isSafe } from "./safe-conditions.ts";

/**
 * A barrier keeps all of the client's conditions out, those that could use an index too. So the safe ones among
 * `a AND b AND …` are said once more inside, in the client's own bytes for the constants. They stay where they are as
 * well, so a copy can only take away rows that would go anyway.
 * @param uses every relation of the statement under its name there, to tell whose column a bare name is.
 * @param qualifier the relation's name at the place of the copies.
 */
export function safeCopies(
  judgement: Judgement,
  facts: ColumnFacts,
  condition: Node | undefined,
  uses: readonly { readonly name: string | undefined; readonly relation: Relation }[],
  own: { readonly name: string | undefined; readonly relation: Relation },
  qualifier: string,
): string[] {
  const column = (node: Node): string | undefined => {
    const names =
      "ColumnRef" in node
        ? (node.ColumnRef.fields ?? []).map((field) => ("String" in field ? (field.String.sval ?? "") : "*"))
        : [];
    const name = names.at(-1) ?? "";
    if (names.length === 0 || names.length > 2 || !own.relation.columns.some((known) => known.name === name))
      return undefined;
    const meant = uses.filter((use) =>
      names.length === 2 ? use.name === names[0] : use.relation.columns.some((known) => known.name === name),
    );
    return meant.length === 1 && meant[0]!.name === own.name
      ? `${quoteIdentifier(qualifier)}.${quoteIdentifier(name)}`
      : undefined;
  };
  const parts = conjuncts(condition);
  if (parts.length > mostParts || uses.length > mostUses) return [];
  return parts.flatMap((part) => {
    const text = copyOf(judgement, part, column);
    return text !== undefined && isSafe(judgement, facts, part) ? [text] : [];
  });
}

/** Beyond these a statement is judged without copies: nobody writes such by hand, and each part is looked at for each relation. */
export const mostParts = 64;
const mostUses = 64;
const mostConstants = 1000;
const longestList = 32 * 1024;

/** The name under which a statement knows a relation. */
export function nameOf(rangeVar: RangeVar | undefined): string | undefined {
  return rangeVar?.alias?.aliasname ?? rangeVar?.relname;
}

export function conjuncts(condition: Node | undefined): readonly Node[] {
  if (condition === undefined) return [];
  return "BoolExpr" in condition && condition.BoolExpr.boolop === "AND_EXPR"
    ? (condition.BoolExpr.args ?? [])
    : [condition];
}

function copyOf(
  judgement: Judgement,
  node: Node,
  column: (node: Node) => string | undefined,
): string | undefined {
  if ("NullTest" in node) {
    const name = node.NullTest.arg === undefined ? undefined : column(node.NullTest.arg);
    return name && `${name} IS ${node.NullTest.nulltesttype === "IS_NULL" ? "NULL" : "NOT NULL"}`;
  }
  return "A_Expr" in node ? copyOfComparison(judgement, node.A_Expr, column) : undefined;
}

const flipped: Readonly<Record<string, string>> = {
  "<": ">",
  ">": "<",
  "<=": ">=",
  ">=": "<=",
  "=": "=",
  "<>": "<>",
  "!=": "<>",
};

function copyOfComparison(
  judgement: Judgement,
  { kind, name, lexpr, rexpr }: A_Expr,
  column: (node: Node) => string | undefined,
): string | undefined {
  if (lexpr === undefined || rexpr === undefined) return undefined;
  const left = column(lexpr);
  const symbol = name?.length === 1 && "String" in name[0]! ? (name[0].String.sval ?? "") : "";
  const items = "List" in rexpr ? (rexpr.List.items ?? []) : [rexpr];
  if (items.length > mostConstants) return undefined;
  const long = kind === "AEXPR_IN" && left !== undefined ? longList(judgement, items) : undefined;
  if (long !== undefined)
    return long.text === undefined ? undefined : `${left} ${symbol === "=" ? "IN" : "NOT IN"} (${long.text})`;
  const constants = items.map((item) => constantText(judgement, item));
  const known = constants.filter((text) => text !== undefined);
  if (left !== undefined && known.length === constants.length) {
    if (kind === "AEXPR_OP") return `${left} ${symbol} ${known[0]}`;
    if (kind === "AEXPR_IN") return `${left} ${symbol === "=" ? "IN" : "NOT IN"} (${known.join(", ")})`;
    if (kind === "AEXPR_BETWEEN") return `${left} BETWEEN ${known[0]} AND ${known[1]}`;
    return undefined;
  }
  const right = column(rexpr);
  const constant = constantText(judgement, lexpr);
  const turned = flipped[symbol];
  if (kind !== "AEXPR_OP" || right === undefined || constant === undefined || turned === undefined)
    return undefined;
  return `${right} ${turned} ${constant}`;
}

/** The constants of IN, of which some are not in the tree, if they are to be copied at all; undefined: all are in the tree. */
function longList(
  { source }: Judgement,
  items: readonly Node[],
): { readonly text: string | undefined } | undefined {
  const first = locationOf(items[0]);
  const last = locationOf(items.at(-1));
  if (first === undefined || last === undefined || !isCut(source, first, last)) return undefined;
  const end = source.tokens[indexAt(source, last) ?? -1]?.end;
  if (end === undefined || isCut(source, last, end) || items.some((item) => !("A_Const" in item)))
    return { text: undefined };
  const text = wholeBetween(source, first, end);
  return { text: text.length > longestList ? undefined : text };
}

function locationOf(node: Node | undefined): number | undefined {
  if (node === undefined) return undefined;
  return "A_Const" in node ? node.A_Const.location : "ParamRef" in node ? node.ParamRef.location : undefined;
}

/**
 * A constant in the client's own bytes: one literal, or a parameter. A parameter that stands in more than one place
 * is not copied, for its first place gives it its type.
 */
function constantText(judgement: Judgement, node: Node): string | undefined {
  const { source } = judgement;
  const { bytes } = source;
  const location = locationOf(node);
  const token = location === undefined ? undefined : source.tokens[indexAt(source, location) ?? -1];
  if (
    token === undefined ||
    (token.kind !== "string" && token.kind !== "number" && token.kind !== "parameter") ||
    isCut(source, token.start, token.end)
  )
    return undefined;
  const text = bytes.toString("utf8", token.start, token.end);
  if (token.kind === "string" && !text.startsWith("'")) return undefined;
  return token.kind === "parameter" && parameterCounts(source).get(text) !== 1 ? undefined : text;
}
