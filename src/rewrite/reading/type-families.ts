/**
 * Types whose comparisons neither raise nor can be observed, in families within which they compare with each other
 * without a conversion that could raise. From pg_proc.proleakproof where it says so; numeric, interval and bpchar are
 * not marked, but their comparison functions raise nothing.
 */
const families: Readonly<Record<string, string>> = {
  boolean: "boolean",
  smallint: "integer",
  integer: "integer",
  bigint: "integer",
  oid: "oid",
  real: "float",
  "double precision": "float",
  numeric: "numeric",
  text: "text",
  "character varying": "text",
  name: "text",
  bpchar: "character",
  character: "character",
  uuid: "uuid",
  bytea: "bytea",
  date: "date",
  "time without time zone": "time",
  "timestamp without time zone": "timestamp",
  "timestamp with time zone": "timestamptz",
  interval: "interval",
};

/** The family of a built-in type, as `Column.type` names it. */
export function familyOfType(type: string): string | undefined {
  return Object.hasOwn(families, type) ? families[type] : undefined;
}
