import type { Node } from "@pgsql/types";

/**
 * Types that make the server convert a column instead of a parameter: `bigint = oid` compares oids, and a bigint that
 * is no oid raises. A condition on a parameter of such a type is not safe on hidden rows. By name for SQL PREPARE, by
 * OID (pg_type.dat) for the types that a Parse message declares.
 */
const converting: ReadonlyMap<string, number> = new Map([
  ["oid", 26],
  ["regproc", 24],
  ["xid", 28],
  ["cid", 29],
  ["regprocedure", 2202],
  ["regoper", 2203],
  ["regoperator", 2204],
  ["regclass", 2205],
  ["regtype", 2206],
  ["regconfig", 3734],
  ["regdictionary", 3769],
  ["regnamespace", 4089],
  ["regrole", 4096],
  ["regcollation", 4191],
]);

const oids: ReadonlySet<number> = new Set(converting.values());

/** The same for a type name in a statement's tree. */
export function convertsColumns(typeName: Node): boolean {
  const last = "TypeName" in typeName ? typeName.TypeName.names?.at(-1) : undefined;
  return last !== undefined && "String" in last && converting.has(last.String.sval ?? "");
}

/** The same for a type's OID. */
export function oidConvertsColumns(oid: number): boolean {
  return oids.has(oid);
}
