import type { Node, ResTarget } from "@pgsql/types";
import { quoteIdentifier } from "../../sql/names.ts";
import type { RowCheck, RowNames } from "./checks.ts";
import { lastName } from "../text/dotted-name.ts";
import { unsupported, type Judgement } from "../judgement.ts";
import { nameOf } from "../reading/safe-copies.ts";
import type { Target } from "./write-target.ts";

/** A star of a RETURNING list: `*`, `t.*`, `old.*`. */
export type Star = { readonly qualifier: string | undefined };

/** The star that an item is; undefined for anything else. */
export function starOf(target: ResTarget): Star | undefined {
  const fields =
    target.val !== undefined && "ColumnRef" in target.val ? (target.val.ColumnRef.fields ?? []) : [];
  const last = fields.at(-1);
  if (last === undefined || !("A_Star" in last)) return undefined;
  return { qualifier: lastName(fields.slice(0, -1)) };
}

/**
 * A star written out: the columns that the role sees of the row, under their names, and for a bare `*` the stars of
 * the FROM items in front of it and behind it.
 * @param row the name of the row whose columns are meant.
 * @param check what the first of the columns has to raise for.
 */
export function starTexts(
  judgement: Judgement,
  target: Target,
  { row, names, check }: { row: string; names: RowNames; check: RowCheck | undefined },
  { before, behind }: { before: readonly Node[]; behind: readonly Node[] },
): readonly string[] {
  const visible =
    target.visible ?? new Map(target.relation.columns.map((column) => [column.name, undefined] as const));
  if (visible.size === 0) unsupported("RETURNING * without a column that the role may read");
  const columns = [...visible].map(([name, mask], index) => {
    const column = quoteIdentifier(name);
    if (mask !== undefined) judgement.rules.add(mask.rule);
    const value = mask === undefined ? `${quoteIdentifier(row)}.${column}` : `(${mask.render(row)})`;
    if (index > 0 || check === undefined) return mask === undefined ? value : `${value} AS ${column}`;
    return `(SELECT ${value} WHERE ${check.text(names)}) AS ${column}`;
  });
  return [...before.flatMap(starsOfItem), ...columns, ...behind.flatMap(starsOfItem)];
}

/** The stars that stand for a FROM item's columns in their order. */
function starsOfItem(item: Node): string[] {
  const name = nameOfItem(item);
  if (name !== undefined) return [`${quoteIdentifier(name)}.*`];
  // USING and NATURAL put the columns that they join by first, once.
  if (
    "JoinExpr" in item &&
    item.JoinExpr.usingClause === undefined &&
    item.JoinExpr.isNatural !== true &&
    item.JoinExpr.larg !== undefined &&
    item.JoinExpr.rarg !== undefined
  )
    return [...starsOfItem(item.JoinExpr.larg), ...starsOfItem(item.JoinExpr.rarg)];
  return unsupported(
    "RETURNING * beside a FROM item that has no name",
    "Name the columns, or give each FROM item an alias.",
  );
}

function nameOfItem(item: Node): string | undefined {
  if ("RangeVar" in item) return nameOf(item.RangeVar);
  if ("RangeTableSample" in item && item.RangeTableSample.relation !== undefined)
    return nameOfItem(item.RangeTableSample.relation);
  const { alias } = Object.values(item)[0] as { alias?: { aliasname?: string } };
  if (alias?.aliasname !== undefined) return alias.aliasname;
  if (!("RangeFunction" in item) || item.RangeFunction.is_rowsfrom === true) return undefined;
  // A function without an alias goes by its own name.
  const [list] = item.RangeFunction.functions ?? [];
  const call = list !== undefined && "List" in list ? list.List.items?.[0] : undefined;
  return call !== undefined && "FuncCall" in call ? lastName(call.FuncCall.funcname) : undefined;
}
