import type { InsertStmt, Node, ReturningClause, ResTarget } from "@pgsql/types";
import type { BoundExpression } from "../policy/grants.ts";
import { quoteIdentifier } from "../sql/names.ts";
import { raisingCondition } from "./checks.ts";
import { expressionTree, hole, targetTrees } from "./fragment.ts";
import { edit, unsupported, type Judgement } from "./judgement.ts";
import {
  closingIndex,
  commaIndex,
  endBefore,
  endIndex,
  keywordAt,
  keywordIndex,
  startOf,
  symbolAt,
} from "./source.ts";
import { judgeTargetColumns, rowName, type Target } from "./target-columns.ts";

/** The parts of INSERT, UPDATE and DELETE that this file needs; up to 17 the list stands in the statement itself. */
type Returning = { returningClause?: ReturningClause; returningList?: Node[] };

/** What stands around the list: the FROM or USING items beside the target, every alias of the statement. */
type Surroundings = { readonly beside: readonly Node[]; readonly aliases: ReadonlyMap<string, number> };

/** One item of the RETURNING list: its node and the indexes of its first token and of the token behind it. */
type Item = { readonly node: Node; readonly target: ResTarget; readonly from: number; readonly to: number };

/**
 * RETURNING shows the virtual table: stars are written out, masked columns become their masks. Checks of the new
 * row are hung on its first item, which then raises for a row that fails one.
 * @param from index of a token of the statement, in front of RETURNING and at its depth.
 * @returns true if the list was added for the checks alone, so that nobody asked for its rows.
 */
export function rewriteReturning(
  judgement: Judgement,
  statement: Returning | InsertStmt,
  target: Target,
  from: number,
  { beside, aliases }: Surroundings,
  checks: readonly BoundExpression[],
): boolean {
  const { source } = judgement;
  const returning = statement as Returning;
  const list = returning.returningClause?.exprs ?? returning.returningList ?? [];
  for (const check of checks) judgement.rules.add(check.rule);
  if (list.length === 0) {
    if (checks.length > 0) addReturning(judgement, returning, target, endIndex(source, from), checks);
    return checks.length > 0;
  }
  const named = withRowNames(target, returning.returningClause);
  const items = itemsOf(judgement, list, keywordIndex(source, from, "returning"));
  const trees = items.flatMap((item, index) =>
    rewriteItem(judgement, named, item, { beside, aliases }, index === 0 ? checks : []),
  );
  list.length = 0;
  // Not as arguments: a star may stand for more columns than a call takes.
  for (const tree of trees) list.push(tree);
  return false;
}

function addReturning(
  judgement: Judgement,
  statement: Returning,
  target: Target,
  end: number,
  checks: readonly BoundExpression[],
): void {
  const text = `(SELECT true WHERE ${raisingCondition(target.relation, checks, rowName(target))})`;
  const at = endBefore(judgement.source, end);
  edit(judgement, at, at, ` RETURNING ${text}`);
  const trees = targetTrees(judgement.context.parser, text);
  if (judgement.context.parser.major >= 18) statement.returningClause = { exprs: [...trees] };
  else statement.returningList = [...trees];
}

/** From 18 on `old` and `new`, or what WITH (OLD AS o, NEW AS n) calls them, name the row too. */
function withRowNames(target: Target, clause: ReturningClause | undefined): Target {
  if (clause === undefined) return target;
  const names = new Map([
    ["RETURNING_OPTION_OLD", "old"],
    ["RETURNING_OPTION_NEW", "new"],
  ]);
  for (const node of clause.options ?? [])
    if ("ReturningOption" in node)
      names.set(node.ReturningOption.option ?? "", node.ReturningOption.value ?? "");
  return { ...target, names: new Set([...target.names, ...names.values()]) };
}

function itemsOf(judgement: Judgement, list: readonly Node[], returning: number): Item[] {
  const { source } = judgement;
  let from = returning + 1;
  if (keywordAt(source, from, "with") && symbolAt(source, from + 1, "("))
    from = closingIndex(source, from + 1) + 1;
  const end = endIndex(source, from);
  return list.map((node) => {
    const to = commaIndex(source, from, end);
    const item = {
      node,
      target: "ResTarget" in node ? node.ResTarget : unsupported("this RETURNING list"),
      from,
      to,
    };
    from = to + 1;
    return item;
  });
}

function rewriteItem(
  judgement: Judgement,
  target: Target,
  item: Item,
  { beside, aliases }: Surroundings,
  checks: readonly BoundExpression[],
): readonly Node[] {
  const star = starQualifier(item.target);
  if (star !== undefined && (target.visible !== undefined || checks.length > 0)) {
    if (star.qualifier === undefined && beside.length > 0)
      unsupported(
        "RETURNING * beside other tables",
        "Name the columns, or write the star with a table's name.",
      );
    if (star.qualifier === undefined || target.names.has(star.qualifier))
      return expandStar(judgement, target, item, star.qualifier, checks);
  }
  const { source } = judgement;
  const { target: result } = item;
  const plain =
    result.name === undefined && result.val !== undefined && "ColumnRef" in result.val
      ? result.val.ColumnRef.fields?.at(-1)
      : undefined;
  const before = judgement.edits.size;
  judgeTargetColumns(judgement, target, [result.val], { beside, aliases, masked: "show" });
  const masked = plain !== undefined && judgement.edits.size > before;
  if (checks.length > 0 && result.val !== undefined) wrap(judgement, target, item, checks);
  if (masked && "String" in plain) {
    // The column's mask is an expression without a name; the client asked for the column's.
    const end = endBefore(source, item.to);
    edit(judgement, end, end, ` AS ${quoteIdentifier(plain.String.sval ?? "")}`);
    result.name = plain.String.sval ?? "";
  }
  return [item.node];
}

function wrap(judgement: Judgement, target: Target, item: Item, checks: readonly BoundExpression[]): void {
  const { source } = judgement;
  const { target: result, from, to } = item;
  const named = result.name !== undefined;
  const aliasAt = keywordAt(source, to - 2, "as") ? to - 2 : to - 1;
  const start = startOf(source, from);
  const end = endBefore(source, named ? aliasAt : to);
  const suffix = ` WHERE ${raisingCondition(target.relation, checks, rowName(target))})`;
  edit(judgement, start, start, "(SELECT ");
  edit(judgement, end, end, suffix);
  if (result.val !== undefined)
    result.val = expressionTree(judgement.context.parser, `(SELECT ${hole}${suffix}`, result.val);
}

/** `*` or `t.*`; undefined for anything else. */
function starQualifier(target: ResTarget): { qualifier: string | undefined } | undefined {
  const fields =
    target.val !== undefined && "ColumnRef" in target.val ? (target.val.ColumnRef.fields ?? []) : [];
  const last = fields.at(-1);
  if (last === undefined || !("A_Star" in last)) return undefined;
  const qualifier = fields.at(-2);
  return { qualifier: qualifier !== undefined && "String" in qualifier ? qualifier.String.sval : undefined };
}

function expandStar(
  judgement: Judgement,
  target: Target,
  item: Item,
  qualifier: string | undefined,
  checks: readonly BoundExpression[],
): readonly Node[] {
  const row = qualifier ?? rowName(target);
  const visible =
    target.visible ?? new Map(target.relation.columns.map((column) => [column.name, undefined] as const));
  if (visible.size === 0) unsupported("RETURNING * without a column that the role may read");
  const texts = [...visible].map(([name, mask], index) => {
    const column = quoteIdentifier(name);
    if (mask !== undefined) judgement.rules.add(mask.rule);
    const value = mask === undefined ? `${quoteIdentifier(row)}.${column}` : `(${mask.render(row)})`;
    if (index > 0 || checks.length === 0) return mask === undefined ? value : `${value} AS ${column}`;
    return `(SELECT ${value} WHERE ${raisingCondition(target.relation, checks, rowName(target))}) AS ${column}`;
  });
  const text = texts.join(", ");
  edit(judgement, startOf(judgement.source, item.from), endBefore(judgement.source, item.to), text);
  return targetTrees(judgement.context.parser, text);
}
