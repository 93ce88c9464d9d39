import type { Relation } from "../../catalog/catalog.ts";

/** System columns (documentation, 5.6) belong to every table; `tableoid` and `ctid` tell of hidden rows too. */
export const systemColumns: ReadonlySet<string> = new Set([
  "tableoid",
  "xmin",
  "cmin",
  "xmax",
  "cmax",
  "ctid",
]);

/** True for a relation that has them where it is read as it is. */
export function hasSystemColumns({ kind }: Relation): boolean {
  return ["table", "partitioned table", "materialized view", "foreign table"].includes(kind);
}
