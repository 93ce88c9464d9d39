import type { Node, SelectStmt } from "@pgsql/types";
import { quoteIdentifier } from "../../sql/names.ts";
import { catalogTable } from "../catalogs/blanked-catalogs.ts";
import { childNodes } from "../text/child-nodes.ts";
import { lastName, nameParts } from "../text/dotted-name.ts";
import type { Read, Survey } from "../findings.ts";
import { targetTrees } from "../text/fragment.ts";
import { edit, type Judgement } from "../judgement.ts";
import { hasColumnNames } from "./plain-columns.ts";
import { nameOf } from "./safe-copies.ts";
import { indexOf, startOf, symbolAt } from "../text/source.ts";
import { seesAll, visibleColumns } from "./virtual-table.ts";

/**
 * `SELECT o.*, count(*) … GROUP BY o.id`: all columns of a table depend on its primary key, so the server takes them
 * (SQL:2003, T301). It knows no key of a virtual table. So where the role sees the whole key, the other columns that
 * the select uses are put into GROUP BY; as they depend on the key, the groups stay the same.
 */
export function addDependentColumns(judgement: Judgement, survey: Survey): void {
  if (survey.grouped.length === 0) return;
  const reads = new Map(survey.reads.map((read) => [read.rangeVar as object, read]));
  for (const select of survey.grouped) {
    const grouped = select.groupClause ?? [];
    if (grouped.some((node) => "GroupingSet" in node)) continue;
    for (const read of (select.fromClause ?? []).flatMap((item) => readsIn(item, reads)))
      addColumns(judgement, select, grouped, read, seenColumns(judgement, read, survey));
  }
}

/** The relations of a FROM item, behind joins that hide no name. */
function readsIn(item: Node, reads: ReadonlyMap<object, Read>): Read[] {
  if ("RangeVar" in item) return [reads.get(item.RangeVar)].filter((read) => read !== undefined);
  if ("RangeTableSample" in item && item.RangeTableSample.relation !== undefined)
    return readsIn(item.RangeTableSample.relation, reads);
  if (!("JoinExpr" in item) || item.JoinExpr.alias !== undefined) return [];
  const { larg, rarg } = item.JoinExpr;
  return [larg, rarg].flatMap((side) => (side === undefined ? [] : readsIn(side, reads)));
}

/** The columns that a sub-select in the relation's place gives, and whether as they are stored; none: it is read as it is. */
function seenColumns(judgement: Judgement, read: Read, survey: Survey): ReadonlyMap<string, boolean> {
  const { relation, grant } = read;
  const select = grant?.select;
  if (select === undefined)
    return new Map(
      catalogTable(judgement, read, survey) === undefined
        ? []
        : relation.columns.map(({ name }) => [name, true] as const),
    );
  if (seesAll(select)) return new Map();
  return new Map(visibleColumns(relation, select).map(({ name, mask }) => [name, mask === undefined]));
}

function addColumns(
  judgement: Judgement,
  select: SelectStmt,
  grouped: Node[],
  { relation, rangeVar }: Read,
  visible: ReadonlyMap<string, boolean>,
): void {
  const { primaryKey } = relation;
  if (primaryKey.length === 0 || hasColumnNames(rangeVar.alias)) return;
  if (!primaryKey.every((name) => visible.get(name) === true)) return;
  const name = nameOf(rangeVar) ?? "";
  const items = new Map(grouped.flatMap((node) => itemsOf(select, node, name)));
  const [at] = primaryKey.map((column) => items.get(column));
  if (at === undefined || !primaryKey.every((column) => items.has(column))) return;
  const used = usedColumns(judgement, select);
  const missing = relation.columns.filter(
    (column) =>
      visible.has(column.name) &&
      !items.has(column.name) &&
      (used.stars || used.names.has(column.name)) &&
      !withoutEquality.has(column.type),
  );
  const row = used.names.has(name) && !visible.has(name) ? ["*"] : [];
  const names = [...missing.map((column) => quoteIdentifier(column.name)), ...row];
  if (names.length === 0) return;
  const text = names.map((column) => `${quoteIdentifier(name)}.${column}`).join(", ");
  const { source } = judgement;
  let index = indexOf(source, at.location);
  while (symbolAt(source, index - 1, "(")) index -= 1;
  const start = startOf(source, index);
  edit(judgement, start, start, `${text}, `);
  const trees = targetTrees(judgement.context.parser, text).flatMap((node) =>
    "ResTarget" in node && node.ResTarget.val !== undefined ? [node.ResTarget.val] : [],
  );
  grouped.splice(grouped.indexOf(at.item), 0, ...trees);
}

/** Types that have no equality to group by; their columns are left to the server's own error. */
const withoutEquality: ReadonlySet<string> = new Set(
  "json xml point line lseg box path polygon circle pg_node_tree anyarray"
    .split(" ")
    .flatMap((type) => [type, `${type}[]`]),
);

/** Where a column stands in GROUP BY: its item there, and the byte offset of the column itself. */
type Grouped = { readonly item: Node; readonly location: number };

/** The columns of the relation that an item of GROUP BY is: `a`, `(a, b)`, or the number of a column of the select. */
function itemsOf(select: SelectStmt, item: Node, name: string): (readonly [string, Grouped])[] {
  const list = "RowExpr" in item && item.RowExpr.row_format === "COERCE_IMPLICIT_CAST";
  const parts = list ? (item.RowExpr.args ?? []) : [item];
  const location = parts[0] === undefined ? 0 : locationOf(parts[0]);
  return parts.flatMap((part) => {
    const column = columnOf(select, part, name);
    return column === undefined ? [] : [[column, { item, location }] as const];
  });
}

function columnOf(select: SelectStmt, item: Node, name: string): string | undefined {
  if ("ColumnRef" in item) return ownColumn(item.ColumnRef.fields, name);
  const place = "A_Const" in item ? item.A_Const.ival?.ival : undefined;
  const targets = (select.targetList ?? []).slice(0, place);
  const values = targets.map((node) => ("ResTarget" in node ? node.ResTarget.val : undefined));
  const meant = values[(place ?? 0) - 1];
  if (meant === undefined || !("ColumnRef" in meant) || values.some(isStar)) return undefined;
  return ownColumn(meant.ColumnRef.fields, name);
}

/** A bare name that is a column of FROM is that column, before any name that the select gives (documentation, GROUP BY). */
function ownColumn(fields: readonly Node[] | undefined, name: string): string | undefined {
  const column = lastName(fields);
  const parts = fields?.length ?? 0;
  return parts === 1 || (parts === 2 && lastName(fields?.slice(0, 1)) === name) ? column : undefined;
}

function isStar(value: Node | undefined): boolean {
  return value !== undefined && "ColumnRef" in value && lastName(value.ColumnRef.fields) === undefined;
}

function locationOf(item: Node): number {
  if ("ColumnRef" in item) return item.ColumnRef.location ?? 0;
  return "A_Const" in item ? (item.A_Const.location ?? 0) : 0;
}

/** The names that could mean columns outside of aggregates, and whether a star does; too many do no harm. */
function usedColumns(
  judgement: Judgement,
  select: SelectStmt,
): { readonly names: ReadonlySet<string>; readonly stars: boolean } {
  const names = new Set<string>();
  let stars = false;
  const visit = (node: Node): void => {
    if ("ColumnRef" in node) {
      const column = lastName(node.ColumnRef.fields);
      if (column === undefined) stars = true;
      else names.add(column);
    } else if (!("FuncCall" in node) || !isAggregate(judgement, node)) childNodes(node).forEach(visit);
  };
  const { targetList, havingClause, sortClause, windowClause, distinctClause } = select;
  for (const list of [targetList, sortClause, windowClause, distinctClause]) list?.forEach(visit);
  if (havingClause !== undefined) visit(havingClause);
  return { names, stars };
}

function isAggregate(judgement: Judgement, node: Node): boolean {
  if (!("FuncCall" in node) || node.FuncCall.over !== undefined) return false;
  const called = nameParts(node.FuncCall.funcname).at(-1) ?? "";
  return (judgement.context.catalog.functions.get(called) ?? []).some(({ kind }) => kind === "a");
}
