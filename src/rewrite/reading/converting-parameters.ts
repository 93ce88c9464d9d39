import type { Node } from "@pgsql/types";
import { nameParts } from "../text/dotted-name.ts";

/**
 * Types of parameters with which the server converts the parameter and not a column of theirs: name, OID and the OID of
 * the array (pg_type.dat). With oid, xid and reg… it converts the column (`bigint = oid` compares oids, and a bigint
 * that is no oid raises), and numeric is converted to float for each row. So a condition on a parameter of any type but
 * these is not safe on hidden rows.
 */
const plain: readonly (readonly [name: string, oid: number, array: number])[] = [
  ["bool", 16, 1000],
  ["bytea", 17, 1001],
  ["char", 18, 1002],
  ["name", 19, 1003],
  ["int8", 20, 1016],
  ["int2", 21, 1005],
  ["int4", 23, 1007],
  ["text", 25, 1009],
  ["json", 114, 199],
  ["float4", 700, 1021],
  ["float8", 701, 1022],
  ["unknown", 705, 705],
  ["inet", 869, 1041],
  ["cidr", 650, 651],
  ["bpchar", 1042, 1014],
  ["varchar", 1043, 1015],
  ["date", 1082, 1182],
  ["time", 1083, 1183],
  ["timestamp", 1114, 1115],
  ["timestamptz", 1184, 1185],
  ["interval", 1186, 1187],
  ["timetz", 1266, 1270],
  ["uuid", 2950, 2951],
  ["jsonb", 3802, 3807],
];

const names: ReadonlySet<string> = new Set(plain.flatMap(([name]) => [name, `_${name}`]));
/** OIDs. */
export const plainTypes: ReadonlySet<number> = new Set(plain.flatMap(([, oid, array]) => [oid, array]));

/** True if a parameter of the type that a statement's tree names could make the server convert a column. */
export function convertsColumns(typeName: Node): boolean {
  if (!("TypeName" in typeName)) return true;
  const parts = nameParts(typeName.TypeName.names);
  return (parts.length > 1 && parts[0] !== "pg_catalog") || !names.has(parts.at(-1) ?? "");
}

/**
 * The same for the OID that a Parse message declares; 0 leaves the type to the server, which takes the column's. A type
 * of the database itself may be a domain over any other.
 */
export function oidConvertsColumns(oid: number): boolean {
  return oid !== 0 && !plainTypes.has(oid);
}
