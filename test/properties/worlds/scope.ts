import type { Choices } from "./choices.ts";
import { quoted, type Flavor, type Type } from "./columns.ts";
import type { World } from "./world.ts";

/** A column that an expression may name. */
export type ScopeColumn = {
  readonly name: string;
  readonly type: Type;
  readonly flavor: Flavor;
  /** Its mask stands for it. */
  readonly masked?: boolean;
};

/** A column that is no table's: nothing is known of its values. */
export const computed = (name: string, type: Type): ScopeColumn => ({ name, type, flavor: "plain" });

/** A FROM item, by the name under which expressions know it. */
export type Item = {
  readonly alias: string;
  readonly columns: readonly ScopeColumn[];
  /** Its columns have new names. A whole row of it as JSON has the old ones in a table, and these under a rule. */
  readonly renamed?: boolean;
  /** Its name means a value, not a row. */
  readonly rowless?: boolean;
  /** It has columns beside these, whose names are not known, so that no bare name is sure to mean one column. */
  readonly partial?: boolean;
  /** Its schema, where the item is a table without an alias, which columns can then be named by too. */
  readonly schema?: string | undefined;
};

/** The columns whose names stand for one alone. */
function onlyOnce(columns: readonly ScopeColumn[]): readonly ScopeColumn[] {
  return columns.filter(({ name }) => columns.filter((other) => other.name === name).length === 1);
}

/** An item of a query's columns. */
export function itemOf(alias: string, columns: readonly ScopeColumn[]): Item {
  const known = onlyOnce(columns);
  return { alias, columns: known, partial: known.length < columns.length };
}

/** What expressions may name: the FROM items of the select at hand, and of those around it. */
export type Scope = { readonly items: readonly Item[]; readonly outer?: Scope | undefined };

export const nothing: Scope = { items: [] };

/** What every part of a statement is generated with. */
export type Grammar = {
  readonly choices: Choices;
  readonly world: World;
  /** The server's major version. */
  readonly major: number;
  /** MERGE is among the statements. */
  readonly merges: boolean;
  /** CTEs that FROM may name. */
  readonly ctes: readonly Item[];
  /** Every table gets an alias. */
  readonly aliased?: boolean;
  /** A name that no other part of the statement has. */
  fresh(prefix: string): string;
  /** Expressions that try to get at what is hidden, beside those that do not. */
  readonly hostile: Hostility | undefined;
};

/** What only hostile statements hold; generated elsewhere, because other statements must not raise. */
export type Hostility = (grammar: Grammar, type: Type, scope: Scope, depth: number) => string | undefined;

/** Every item that can be named at a place, the nearest first. */
export function itemsIn(scope: Scope): readonly Item[] {
  return scope.outer === undefined ? scope.items : [...scope.items, ...itemsIn(scope.outer)];
}

/** A column of one of the types in scope, and how it is named there; undefined: there is none. */
export function pickColumn(
  { choices }: Grammar,
  scope: Scope,
  fits: (column: ScopeColumn) => boolean,
): { readonly column: ScopeColumn; readonly text: string } | undefined {
  const found = itemsIn(scope).flatMap((item) =>
    item.columns.filter(fits).map((column) => ({ item, column })),
  );
  if (found.length === 0) return undefined;
  const { item, column } = choices.pick(found);
  return { column, text: columnText(choices, scope, item, column) };
}

function columnText(choices: Choices, scope: Scope, item: Item, column: ScopeColumn): string {
  const name = quoted(column.name);
  const holders = itemsIn(scope).filter(
    ({ columns, alias }) => alias === column.name || columns.some((other) => other.name === column.name),
  );
  const sure = itemsIn(scope).every(({ partial }) => partial !== true);
  if (sure && holders.length === 1 && choices.chance(40)) return name;
  if (
    item.schema !== undefined &&
    itemsIn(scope).filter(({ alias }) => alias === item.alias).length === 1 &&
    choices.chance(30)
  )
    return `${quoted(item.schema)}.${quoted(item.alias)}.${name}`;
  return `${quoted(item.alias)}.${name}`;
}
