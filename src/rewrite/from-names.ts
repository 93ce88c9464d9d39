import type { Alias, Node, SelectStmt } from "@pgsql/types";
import { hasSystemColumns, systemColumns } from "./reading/system-columns.ts";
import { lastName, nameParts } from "./text/dotted-name.ts";
import type { Read } from "./findings.ts";
import { nameOf } from "./reading/safe-copies.ts";
import { seesAll, visibleColumns } from "./reading/virtual-table.ts";

/** What a bare name can mean in a FROM list. */
export type FromNames = {
  /** Column → the names of the items that have it; undefined for an item without a name. */
  readonly known: ReadonlyMap<string, readonly (string | undefined)[]>;
  /** The names of the items. */
  readonly items: ReadonlySet<string>;
  /** Some item may have columns beside these. */
  readonly unknown: boolean;
};

type ItemNames = {
  readonly item: string | undefined;
  readonly names: readonly string[];
  readonly unknown: boolean;
};

/**
 * The columns that FROM items give, as the role sees them.
 * @param reads the statement's reads by their RangeVar.
 */
export function namesIn(items: readonly Node[], reads: ReadonlyMap<object, Read>): FromNames {
  const all = items.flatMap((item) => namesOfItem(item, reads));
  const known = new Map<string, (string | undefined)[]>();
  for (const { item, names } of all)
    for (const name of new Set(names)) known.set(name, [...(known.get(name) ?? []), item]);
  const named = all.flatMap(({ item }) => (item === undefined ? [] : [item]));
  return { known, items: new Set(named), unknown: all.some(({ unknown }) => unknown) };
}

function namesOfItem(item: Node, reads: ReadonlyMap<object, Read>): ItemNames[] {
  if ("JoinExpr" in item) {
    const { larg, rarg, alias } = item.JoinExpr;
    const sides = [larg, rarg].flatMap((side) => (side === undefined ? [] : namesOfItem(side, reads)));
    // Behind an alias of the join its items have no names of their own.
    return alias === undefined
      ? sides
      : sides.map((side) => ({ ...renamed(side, alias), item: alias.aliasname, unknown: true }));
  }
  if ("RangeTableSample" in item && item.RangeTableSample.relation !== undefined)
    return namesOfItem(item.RangeTableSample.relation, reads);
  if ("RangeVar" in item) {
    const read = reads.get(item.RangeVar);
    const own = { item: nameOf(item.RangeVar), ...(read === undefined ? nothing : namesOfRead(read)) };
    return [renamed(own, item.RangeVar.alias)];
  }
  if ("RangeSubselect" in item && item.RangeSubselect.subquery !== undefined) {
    const { subquery, alias } = item.RangeSubselect;
    const select = "SelectStmt" in subquery ? subquery.SelectStmt : undefined;
    const own = select === undefined ? nothing : outputNames(select);
    return [renamed({ item: alias?.aliasname, ...own }, alias)];
  }
  // What a function gives depends on its type; its alias is a column only where that is a single value.
  const { alias } = Object.values(item)[0] as { alias?: Alias };
  const defined = "RangeFunction" in item ? (item.RangeFunction.coldeflist ?? []) : [];
  const names = defined.flatMap((node) => ("ColumnDef" in node ? [node.ColumnDef.colname ?? ""] : []));
  return [renamed({ item: alias?.aliasname, names, unknown: true }, alias)];
}

const nothing = { names: [], unknown: true } as const;

function namesOfRead({ relation, grant }: Read): { names: readonly string[]; unknown: boolean } {
  const select = grant?.select;
  const whole = select === undefined || seesAll(select);
  const names = whole ? relation.columns : visibleColumns(relation, select);
  // A catalog may have a sub-select in its place.
  const system = whole && select !== undefined && hasSystemColumns(relation) ? systemColumns : [];
  return {
    names: [...names.map(({ name }) => name), ...system],
    unknown: relation.columnsUnknown === true,
  };
}

/** `t (a, b)` gives the first columns other names. */
function renamed(own: ItemNames, alias: Alias | undefined): ItemNames {
  const given = nameParts(alias?.colnames);
  return given.length === 0 ? own : { ...own, names: [...given, ...own.names.slice(given.length)] };
}

/** The names of a select's columns, as far as the tree tells them (parse_target.c, FigureColname). */
export function outputNames(select: SelectStmt): { names: readonly string[]; unknown: boolean } {
  if (select.larg !== undefined) return outputNames(select.larg);
  const [row] = select.valuesLists ?? [];
  if (row !== undefined && "List" in row)
    return { names: (row.List.items ?? []).map((_, index) => `column${index + 1}`), unknown: false };
  const names = (select.targetList ?? []).map((node) => {
    const { name, val } = "ResTarget" in node ? node.ResTarget : {};
    if (name !== undefined || val === undefined) return name;
    if ("ColumnRef" in val) return lastName(val.ColumnRef.fields);
    if ("A_Const" in val || "ParamRef" in val) return "?column?";
    return "FuncCall" in val ? lastName(val.FuncCall.funcname) : undefined;
  });
  const known = names.filter((name) => name !== undefined);
  return { names: known, unknown: known.length < names.length };
}
