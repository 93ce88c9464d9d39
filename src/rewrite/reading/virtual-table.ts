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
 * @param barrier keep the client's conditions out until the rows are chosen. `OFFSET 0` is what the planner does not
 *   pull up; conditions that come out cheaper than the rule would otherwise run on hidden rows. It does not keep the
 *   planner from trying a condition on the column's statistics, which hold values of hidden rows: for that the columns
 *   that such conditions name are no plain columns any more (examine_simple_variable, selfuncs.c).
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
  const covered = (name: string): boolean =>
    barrier !== undefined && (barrier.covered === "all" || barrier.covered.has(name));
  const shown = visibleColumns(relation, select);
  const columns =
    seesColumns(select) && !shown.some(({ name }) => covered(name))
      ? "*"
      : shown.map((column) => columnText(relation, column, covered(column.name))).join(", ");
  const rows = select.rows === undefined ? [] : [`(${select.rows.render(relation.name)})`];
  const where = [...rows, ...conditions];
  const from = `${only ? "ONLY " : ""}${qualifiedName(relation)}${sample === undefined ? "" : ` ${sample}`}`;
  return `(SELECT ${columns} FROM ${from}${where.length > 0 ? ` WHERE ${where.join(" AND ")}` : ""}${barrier === undefined ? "" : " OFFSET 0"})`;
}

/** The columns, by name, of which the planner must not look up statistics; undefined: no barrier. */
export type Barrier = { readonly covered: "all" | ReadonlySet<string> } | undefined;

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
