import type { Relation } from "../catalog/catalog.ts";
import { quoteIdentifier } from "../sql/names.ts";
import type { Survey } from "./findings.ts";
import { qualifiedName } from "./virtual-table.ts";

/** Columns of catalogs that follow the number of rows of a table, hidden ones included, with the value in their place. */
const counting: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  [
    "pg_class",
    new Map([
      ["relpages", "NULL::pg_catalog.int4"],
      ["reltuples", "NULL::pg_catalog.float4"],
      ["relallvisible", "NULL::pg_catalog.int4"],
      ["relallfrozen", "NULL::pg_catalog.int4"],
    ]),
  ],
]);

/** True for a catalog that has such columns. */
export function countsRows(relation: Relation): boolean {
  return relation.schema === "pg_catalog" && counting.has(relation.name);
}

/**
 * The columns of a catalog to blank in a statement that could show one: by its name, by a star, or as part of a whole
 * row. Nearly all statements of tools show none, and those read the catalog as it is, system columns included.
 */
export function countingColumns(
  relation: Relation,
  survey: Survey,
  name: string | undefined,
): ReadonlyMap<string, string> | undefined {
  const columns = countsRows(relation) ? counting.get(relation.name) : undefined;
  if (columns === undefined) return undefined;
  const named = [...columns.keys()].some((column) => survey.named.has(column));
  const whole =
    survey.stars ||
    survey.natural ||
    survey.renamed ||
    [name, ...survey.joinAliases].some((alias) => survey.rows.has(alias ?? ""));
  return named || whole ? columns : undefined;
}

/** The sub-select that stands for such a catalog. */
export function blankedTable(relation: Relation, blanked: ReadonlyMap<string, string>): string {
  const columns = relation.columns.map(({ name }) => {
    const value = blanked.get(name);
    return value === undefined ? quoteIdentifier(name) : `${value} AS ${quoteIdentifier(name)}`;
  });
  return `(SELECT ${columns.join(", ")} FROM ${qualifiedName(relation)})`;
}
