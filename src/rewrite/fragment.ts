import type { Node, ResTarget, SelectStmt } from "@pgsql/types";
import { refuse } from "../errors.ts";
import type { Parser } from "../sql/parser.ts";

/** Stands in a fragment's text where a part of the client's tree goes. */
export const hole = "rolegate_hole";

/** The tree of an expression that rolegate writes; `filling` takes the place of the hole. */
export function expressionTree(parser: Parser, text: string, filling?: Node): Node {
  const target = select(parser, `SELECT ${text}`).targetList?.[0] as { ResTarget: ResTarget } | undefined;
  const value = target?.ResTarget.val ?? refuse("internal", "a rewritten expression does not parse");
  return filling === undefined ? value : (fill(value, filling) as Node);
}

/** The trees of a select list that rolegate writes. */
export function targetTrees(parser: Parser, text: string): Node[] {
  return (
    select(parser, `SELECT ${text}`).targetList ??
    refuse("internal", "a rewritten select list does not parse")
  );
}

/** The tree of a FROM item that rolegate writes. */
export function fromItemTree(parser: Parser, text: string): Node {
  return (
    select(parser, `SELECT FROM ${text}`).fromClause?.[0] ??
    refuse("internal", "a rewritten relation does not parse")
  );
}

function select(parser: Parser, text: string): SelectStmt {
  const parsed = parser.parse(text);
  const statement =
    parsed.kind === "parsed" && parsed.statements.length === 1 ? parsed.statements[0]!.stmt : undefined;
  if (statement === undefined || !("SelectStmt" in statement))
    refuse("internal", "a rewritten fragment does not parse");
  return statement.SelectStmt;
}

function fill(tree: unknown, filling: Node): unknown {
  if (Array.isArray(tree)) return tree.map((item) => fill(item, filling));
  if (typeof tree !== "object" || tree === null) return tree;
  if (isHole(tree)) return filling;
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, fill(value, filling)]));
}

function isHole(tree: object): boolean {
  const fields = (tree as { ColumnRef?: { fields?: { String?: { sval?: string } }[] } }).ColumnRef?.fields;
  return fields?.length === 1 && fields[0]?.String?.sval === hole;
}

/** Puts another node in a node's place, wherever the tree refers to it. */
export function become(node: Node, other: Node): void {
  const target = node as unknown as Record<string, unknown>;
  for (const key of Object.keys(target)) delete target[key];
  Object.assign(target, other);
}
