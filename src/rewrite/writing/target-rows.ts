import type { A_Indirection, Node } from "@pgsql/types";
import { quoteIdentifier } from "../../sql/names.ts";
import { lastName } from "../text/dotted-name.ts";
import { rowName, type Target } from "./write-target.ts";

/** Where `t.*` is one value, the row; elsewhere it stands for its columns (parse_target.c, parse_expr.c). */
const asValue: readonly string[] = ["FuncCall", "TypeCast", "NullTest", "A_Expr"];

/**
 * The whole row as the role sees it, as in a virtual table: `(SELECT t FROM (SELECT t.a, … ) AS t)`. The columns come
 * from the target, for the sub-select inside has no FROM of its own.
 * @param name the name that the client gives the row.
 * @param star the node above, where the row is written `t.*`.
 * @returns undefined where it cannot stand for what the client means.
 */
export function wholeRow(
  target: Target,
  name: string,
  { masked, star }: { masked: "show" | "refuse"; star: Node | undefined },
): string | undefined {
  const { visible } = target;
  if (visible === undefined || visible.size === 0 || name === "excluded") return undefined;
  if (star !== undefined && !asValue.some((kind) => kind in star)) return undefined;
  // What is written is no mask.
  if (masked === "refuse" && [...visible.values()].some((mask) => mask !== undefined)) return undefined;
  const row = quoteIdentifier(name);
  const columns = [...visible].map(([column, mask]) =>
    mask === undefined
      ? `${row}.${quoteIdentifier(column)}`
      : `(${mask.render(name)}) AS ${quoteIdentifier(column)}`,
  );
  // Of OLD and NEW one may be missing, and is NULL then.
  const there = name === rowName(target) ? "" : ` WHERE ${row}.* IS DISTINCT FROM NULL`;
  return `(SELECT ${row} FROM (SELECT ${columns.join(", ")}${there}) AS ${row})`;
}

/** `(t).column …`: the row's name, the column, and the nodes behind. */
export function fieldOfRow({
  arg,
  indirection,
}: A_Indirection): { name: string; field: string; rest: readonly Node[] } | undefined {
  const fields = arg !== undefined && "ColumnRef" in arg ? arg.ColumnRef.fields : undefined;
  const name = fields?.length === 1 ? lastName(fields) : undefined;
  const [first, ...rest] = indirection ?? [];
  const field = first !== undefined && "String" in first ? first.String.sval : undefined;
  return name === undefined || field === undefined ? undefined : { name, field, rest };
}
