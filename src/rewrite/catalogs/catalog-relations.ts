import type { Column, Relation } from "../../catalog/catalog.ts";
import type { CatalogRule } from "../../policy/role-file.ts";
import { informationSchema, pgCatalog, type CatalogEntry } from "./catalog-table.ts";

const tables = new Map([
  ["pg_catalog", new Map(pgCatalog)],
  ["information_schema", new Map(informationSchema)],
]);

/** True for the schemas that belong to the server itself; role files say nothing about them. */
export function isCatalogSchema(schema: string): boolean {
  return tables.has(schema);
}

/** How a relation of pg_catalog or information_schema is shown; undefined: it is not, or is none of theirs. */
export function catalogEntry(schema: string, name: string): CatalogEntry | undefined {
  const entry = tables.get(schema)?.get(name);
  return entry === "refused" ? undefined : entry;
}

/** The columns that a role sees blanked. */
export function blankedColumns(
  relation: Relation,
  { only, without, definitions, comments }: CatalogEntry,
  rule: CatalogRule,
): readonly Column[] {
  const blanked = [
    without,
    rule.definitions === "hidden" ? definitions : undefined,
    rule.comments === "hidden" ? comments : undefined,
  ].flatMap((names) => names?.split(" ") ?? []);
  const kept = only?.split(" ");
  return relation.columns.filter(
    ({ name }) => blanked.includes(name) || (kept !== undefined && !kept.includes(name)),
  );
}

/** Names that format_type gives to types that pg_type knows under another name. */
const ownNames: Readonly<Record<string, string>> = {
  bigint: "int8",
  boolean: "bool",
  "character varying": "varchar",
  "double precision": "float8",
  integer: "int4",
  real: "float4",
  smallint: "int2",
  "timestamp with time zone": "timestamptz",
};

/**
 * NULL in the type of a column of a catalog. The type is named with its schema: a bare name would mean a temporary
 * table's row type first.
 */
export function nullOf({ type }: Column): string {
  const array = type.endsWith("[]") ? "[]" : "";
  const element = type.slice(0, type.length - array.length);
  const qualified = element.includes(".") ? element : `pg_catalog.${ownNames[element] ?? element}`;
  return `NULL::${qualified}${array}`;
}
