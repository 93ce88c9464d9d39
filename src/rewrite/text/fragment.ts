import type { Node, ResTarget, SelectStmt } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import type { Parser } from "../../sql/parser.ts";

/** Stands in a fragment's text where a part of the client's tree goes. */
export const hole = "rolegate_hole";

/** The tree of an expression that rolegate writes, not to be changed; `filling` takes the place of the hole. */
export function expressionTree(parser: Parser, text: string, filling?: Node): Node {
  const target = select(parser, `SELECT ${text}`).targetList?.[0] as { ResTarget: ResTarget } | undefined;
  const value = target?.ResTarget.val ?? refuse("internal", "a rewritten expression does not parse");
  return filling === undefined ? value : (fill(value, filling) as Node);
}

/** The trees of a select list that rolegate writes, not to be changed. */
export function targetTrees(parser: Parser, text: string): readonly Node[] {
  return (
    select(parser, `SELECT ${text}`).targetList ??
    refuse("internal", "a rewritten select list does not parse")
  );
}

/** The tree of a FROM item that rolegate writes, not to be changed. */
export function fromItemTree(parser: Parser, text: string): Node {
  return (
    select(parser, `SELECT FROM ${text}`).fromClause?.[0] ??
    refuse("internal", "a rewritten relation does not parse")
  );
}

/** Rules come back in every statement: the trees of their texts are kept, frozen, so that all statements can share them. */
const known = new WeakMap<Parser, Map<string, SelectStmt>>();

/** A longer text, or one more than these, has a client's constants in it and will hardly come again. */
const longestKept = 4096;
const mostKept = 2000;

function select(parser: Parser, text: string): SelectStmt {
  let kept = known.get(parser);
  if (kept === undefined) known.set(parser, (kept = new Map()));
  const found = kept.get(text);
  if (found !== undefined) return found;
  const parsed = parser.parse(text);
  const statement =
    parsed.kind === "parsed" && parsed.statements.length === 1 ? parsed.statements[0]!.stmt : undefined;
  if (statement === undefined || !("SelectStmt" in statement))
    refuse("internal", "a rewritten fragment does not parse");
  const tree = statement.SelectStmt;
  if (text.length <= longestKept) {
    if (kept.size >= mostKept) kept.clear();
    kept.set(text, frozen(tree));
  }
  return tree;
}

function frozen<Tree extends object>(tree: Tree): Tree {
  for (const part of Object.values(tree) as unknown[])
    if (typeof part === "object" && part !== null) frozen(part);
  return Object.freeze(tree);
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
