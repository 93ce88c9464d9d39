import type { Alias, ColumnRef, Node, SelectStmt, TypeCast } from "@pgsql/types";
import { formatType } from "../calls/builtin-values.ts";
import { lastName, nameParts } from "../text/dotted-name.ts";
import type { Read } from "../findings.ts";
import { namesIn, outputNames } from "../from-names.ts";
import type { Judgement } from "../judgement.ts";
import { nameOf } from "./safe-copies.ts";
import { familyOfType } from "./type-families.ts";

/**
 * The family of the type of a column that FROM items give, where the tree tells it for sure: a table's column, and what a
 * sub-select, VALUES or unnest makes of constants and of casts to a type. Bulk statements are written so:
 * `UPDATE … FROM (VALUES ($1::int, …)) v (id, …) WHERE v.id = t.id`.
 */
export function familyBeside(
  judgement: Judgement,
  items: readonly Node[],
  reads: ReadonlyMap<object, Read>,
  { fields }: ColumnRef,
): string | undefined {
  const [first = "", second] = nameParts(fields?.filter((field) => "String" in field));
  const name = second ?? first;
  const flat = items.flatMap(flatten);
  const all = flat.filter((item) =>
    second === undefined ? gives(item, reads, name) : aliasOf(item) === first,
  );
  const [item] = all;
  if (item === undefined || all.length > 1) return undefined;
  if ("RangeVar" in item) return familyOfRead(reads.get(item.RangeVar), name);
  if ("RangeSubselect" in item && item.RangeSubselect.subquery !== undefined) {
    const { subquery, alias } = item.RangeSubselect;
    return "SelectStmt" in subquery
      ? familyOfOutput(judgement, subquery.SelectStmt, alias, reads, name)
      : undefined;
  }
  return "RangeFunction" in item ? familyOfFunction(judgement, item, name) : undefined;
}

function flatten(item: Node): Node[] {
  if (!("JoinExpr" in item)) return [item];
  const { larg, rarg, alias } = item.JoinExpr;
  return alias === undefined ? [larg, rarg].flatMap((side) => (side === undefined ? [] : flatten(side))) : [];
}

function aliasOf(item: Node): string | undefined {
  if ("RangeVar" in item) return nameOf(item.RangeVar);
  return (Object.values(item)[0] as { alias?: Alias }).alias?.aliasname;
}

/** True unless the item is sure to have no column of the name. */
function gives(item: Node, reads: ReadonlyMap<object, Read>, name: string): boolean {
  const { known, unknown } = namesIn([item], reads);
  return unknown || known.has(name);
}

function familyOfRead(read: Read | undefined, name: string): string | undefined {
  if (read === undefined || (read.rangeVar.alias?.colnames?.length ?? 0) > 0) return undefined;
  const select = read.grant?.select;
  const column = read.relation.columns.find((each) => each.name === name);
  const hidden = select !== undefined && select.columns !== "all" && !select.columns.has(name);
  if (column?.typeKind !== "b" || hidden || select?.mask.has(name) === true) return undefined;
  return familyOfType(column.type);
}

function familyOfOutput(
  judgement: Judgement,
  select: SelectStmt,
  alias: Alias | undefined,
  reads: ReadonlyMap<object, Read>,
  name: string,
): string | undefined {
  // Of long lists not all rows are in the tree.
  const cut = judgement.source.short.cuts.some(({ inside }) => inside.kind === "rows");
  if (select.larg !== undefined || (cut && select.valuesLists !== undefined)) return undefined;
  const { names, unknown } = outputNames(select);
  const given = nameParts(alias?.colnames);
  const at = unknown && !given.includes(name) ? -1 : [...given, ...names.slice(given.length)].indexOf(name);
  const rows = select.valuesLists?.map((list) => ("List" in list ? list.List.items : undefined)) ?? [
    select.targetList?.map((node) => ("ResTarget" in node ? (node.ResTarget.val ?? node) : node)),
  ];
  const families = new Set(
    rows.map((row) => {
      const value = at < 0 ? undefined : row?.[at];
      if (value === undefined || (select.targetList ?? []).some(isStar)) return undefined;
      return "ColumnRef" in value
        ? familyBeside(judgement, select.fromClause ?? [], reads, value.ColumnRef)
        : familyOfValue(judgement, value);
    }),
  );
  return families.size === 1 ? [...families][0] : undefined;
}

function isStar(node: Node): boolean {
  const val = "ResTarget" in node ? node.ResTarget.val : undefined;
  return val !== undefined && "ColumnRef" in val && lastName(val.ColumnRef.fields) === undefined;
}

/** `unnest($1::int[], …) AS v (id, …)`. */
function familyOfFunction(
  judgement: Judgement,
  { RangeFunction: item }: Extract<Node, { RangeFunction: unknown }>,
  name: string,
): string | undefined {
  const [list] = item.functions ?? [];
  const call = list !== undefined && "List" in list ? list.List.items?.[0] : undefined;
  if (call === undefined || !("FuncCall" in call) || item.functions?.length !== 1) return undefined;
  const known = judgement.context.catalog.functions.get("unnest") ?? [];
  if (lastName(call.FuncCall.funcname) !== "unnest" || known.some(({ schema }) => schema !== "pg_catalog"))
    return undefined;
  const args = call.FuncCall.args ?? [];
  const colnames = nameParts(item.alias?.colnames);
  const names = colnames.length > 0 || args.length > 1 ? colnames : [item.alias?.aliasname];
  const array = args[names.indexOf(name)];
  return array !== undefined && "TypeCast" in array ? familyOfCast(judgement, array.TypeCast, 1) : undefined;
}

function familyOfValue(judgement: Judgement, value: Node): string | undefined {
  if ("TypeCast" in value) return familyOfCast(judgement, value.TypeCast, 0);
  if (!("A_Const" in value)) return undefined;
  if ("ival" in value.A_Const) return "integer";
  return "sval" in value.A_Const ? "text" : undefined;
}

function familyOfCast(
  { context }: Judgement,
  { typeName }: TypeCast,
  dimensions: number,
): string | undefined {
  const name = lastName(typeName?.names) ?? "";
  if (context.catalog.types.has(name) || (typeName?.arrayBounds?.length ?? 0) !== dimensions)
    return undefined;
  return familyOfType(formatType(name));
}
