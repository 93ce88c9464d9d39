import type { Relation } from "../../catalog/catalog.ts";
import type { BoundExpression, Grants, TableGrant } from "../../policy/grants.ts";
import { quoteIdentifier } from "../../sql/names.ts";

/** A column as the role sees it. */
export type VisibleColumn = { readonly name: string; readonly mask: BoundExpression | undefined };

type SelectGrant = NonNullable<TableGrant["select"]>;

/** True if the role sees the relation as it is: every column, unmasked, every row. */
export function seesAll(select: SelectGrant): boolean {
  return seesColumns(select) && select.rows === undefined;
}

/** True if the role sees some relation only in part. */
export function restricts(grants: Grants): boolean {
  return [...grants.tables.values(), ...grants.schemas.values()].some(
    ({ select }) => select === undefined || !seesAll(select),
  );
}

/** True if the role sees every column, unmasked. */
export function seesColumns(select: SelectGrant): boolean {
  return select.columns === "all" && select.mask.size === 0;
}

/** The columns of a relation that a role sees, in the relation's order. */
export function visibleColumns(relation: Relation, select: SelectGrant): readonly VisibleColumn[] {
  return relation.columns
    .filter((column) => select.columns === "all" || select.columns.has(column.name))
    .map((column) => ({ name: column.name, mask: select.mask.get(column.name) }));
}

export function qualifiedName(relation: Relation): string {
  return `${quoteIdentifier(relation.schema)}.${quoteIdentifier(relation.name)}`;
}

/**
 * The sub-select that stands for a relation: its columns, masks and rows as the role's rule says, and nothing else,
 * so that no way of looking at it can show more.
 * @param only `ONLY`: without the rows of inheritance children.
 * @param sample TABLESAMPLE of the relation, in front of the rule: it knows real relations only.
 * @param conditions conditions of the client that are safe on any row, so that they may use an index inside.
 */
export function virtualTable(
  relation: Relation,
  select: SelectGrant,
  {
    barrier,
    only,
    sample,
    conditions,
  }: { barrier: Barrier; only: boolean; sample?: string | undefined; conditions: readonly string[] },
): string {
  const closed = barrier?.kind === "closed";
  const covered = (name: string): boolean =>
    closed && (barrier.covered === "all" || barrier.covered.has(name));
  const shown = visibleColumns(relation, select);
  const rows = select.rows === undefined ? [] : [`(${select.rows.render(relation.name)})`];
  const columns = [
    ...(seesColumns(select) && !shown.some(({ name }) => covered(name))
      ? ["*"]
      : shown.map((column) => columnText(relation, column, covered(column.name)))),
    ...(barrier?.kind === "marked" ? rows.map((rule) => `${rule} AS ${quoteIdentifier(marker)}`) : []),
  ];
  const where = [...rows, ...conditions];
  const from = `${only ? "ONLY " : ""}${qualifiedName(relation)}${sample === undefined ? "" : ` ${sample}`}`;
  return `(SELECT ${columns.join(", ")} FROM ${from}${where.length > 0 ? ` WHERE ${where.join(" AND ")}` : ""}${closed ? " OFFSET 0" : ""})`;
}

/** What a virtual table needs beside its rule. */
export type Barrier =
  /**
   * It keeps the client's conditions out until the rows are chosen. `OFFSET 0` is what the planner does not pull up;
   * conditions that come out cheaper than the rule would otherwise run on hidden rows. It does not keep the planner from
   * trying a condition on the column's statistics, which hold values of hidden rows: for that the columns that such
   * conditions name are no plain columns any more (examine_simple_variable, selfuncs.c).
   */
  | { readonly kind: "closed"; readonly covered: "all" | ReadonlySet<string> }
  /** It has the rule as a column, for conditions that are guarded by it. */
  | { readonly kind: "marked" }
  | undefined;

/** The name of that column; a statement in which it stands has none. */
export const marker = "rolegate rows";

/**
 * How conditions beside a virtual table can say which rows are hidden: by the rule itself where the role sees all of
 * its columns as they are, otherwise by a column for it.
 */
export function saidBy(relation: Relation, select: SelectGrant): "rule" | "marker" {
  const { rows } = select;
  const plain = visibleColumns(relation, select).filter(({ mask }) => mask === undefined);
  // Not so a system column.
  const seen = (name: string): boolean => plain.some((column) => column.name === name);
  return rows?.columns.every(seen) === true ? "rule" : "marker";
}

function columnText(relation: Relation, column: VisibleColumn, covered: boolean): string {
  const name = quoteIdentifier(column.name);
  if (column.mask !== undefined) return `(${column.mask.render(relation.name)}) AS ${name}`;
  return covered ? `COALESCE(${name}) AS ${name}` : name;
}

/** The rules that a read of the relation brings into play, for the record. */
export function rulesOf(grant: TableGrant, select: SelectGrant): string[] {
  const rules = [
    ...[...select.mask.values()].map((mask) => mask.rule),
    ...(select.rows === undefined ? [] : [select.rows.rule]),
  ];
  return rules.length > 0 ? rules : [grant.rule];
}
