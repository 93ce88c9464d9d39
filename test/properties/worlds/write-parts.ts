import { quoted, type ColumnKind, type Type } from "./columns.ts";
import { condition, expression, leaf } from "./expressions.ts";
import { readable } from "./from-items.ts";
import { computed, pickColumn, type Grammar, type Item, type Scope, type ScopeColumn } from "./scope.ts";
import { query } from "./selects.ts";
import { qualified, visibleColumns, type Table } from "./world.ts";

/** A relation that is written to, as the statement names it. */
export type Target = { readonly text: string; readonly item: Item };

/** Columns that the role may set and, in the native database, can name: not masked, not hidden. */
export function settable(target: Table, verb: "insert" | "update"): readonly ColumnKind[] {
  const { select } = target.rules!;
  const listed = target.rules![verb]!.columns;
  return target.columns.filter(
    ({ name }) =>
      name !== "twice" && listed.includes(name) && select!.columns.includes(name) && !select!.masks.has(name),
  );
}

/** The target under one of its names. */
export function targetOf(grammar: Grammar, target: Table): Target {
  const { choices } = grammar;
  const columns = visibleColumns(target);
  const name = target.schema === "public" && choices.chance(60) ? quoted(target.name) : qualified(target);
  if (grammar.aliased !== true && choices.chance(40))
    return { text: name, item: { alias: target.name, columns, schema: target.schema } };
  const alias = grammar.fresh("t");
  return { text: `${name} as ${alias}`, item: { alias, columns } };
}

/** A key: a free one, that of a visible row, that of a hidden one. */
const key = ({ choices }: Grammar): string => String(choices.pick([20, 21, 22, 23, 1, 2, 3, 51]));

/** A value for a column, mostly one that the rules let through. */
export function valueFor(grammar: Grammar, column: ColumnKind, scope: Scope, depth: number): string {
  const { choices } = grammar;
  if (column.name === "id") return key(grammar);
  if (column.name === "tenant") return choices.pick(["1", "1", "1", "1", "1", "1", "3", "2", "null"]);
  // A row rule may ask for it.
  if (column.name === "flag" && choices.chance(60)) return "true";
  if (column.name === "ref") return choices.pick(["1", "3", "null", "1", "51"]);
  return choices.chance(10)
    ? "default"
    : choices.chance(50)
      ? choices.pick(column.shown)
      : expression(grammar, column.type, scope, depth - 1);
}

/** What stands behind SET. */
export function assignments(grammar: Grammar, target: Table, scope: Scope, depth: number): string {
  const { choices } = grammar;
  const able = settable(target, "update").filter(({ name }) => name !== "id");
  const columns = choices.some(able.length === 0 ? target.columns.slice(2, 3) : able, 1).slice(0, 3);
  const [first, second] = columns;
  if (first !== undefined && second !== undefined && choices.chance(20))
    return `(${quoted(first.name)}, ${quoted(second.name)}) = (select ${leaf(grammar, first.type, scope)}, ${expression(grammar, second.type, scope, depth - 1)})`;
  return columns
    .map((column) => `${quoted(column.name)} = ${valueFor(grammar, column, scope, depth)}`)
    .join(", ");
}

/** WHERE with a join's condition, a condition of its own, or both. */
export function whereOf(grammar: Grammar, scope: Scope, depth: number, on: string | undefined): string {
  const own = grammar.choices.chance(75) ? condition(grammar, scope, depth) : undefined;
  const all = [on, own].filter((text) => text !== undefined);
  return all.length === 0 ? "" : ` where ${all.join(" and ")}`;
}

/** A FROM item beside the target, of which at most one row goes with each row of the target. */
export function joined(
  grammar: Grammar,
  target: Item,
  depth: number,
): { text: string; items: readonly Item[]; on: string } {
  const own = (name: string): string => `${quoted(target.alias)}.${name}`;
  const alias = grammar.fresh("s");
  const source = grammar.choices.pick(readable(grammar));
  if (depth > 1 && grammar.choices.chance(40)) {
    const inner = query(grammar, undefined, depth - 1, ["int"]);
    return {
      text: `(select distinct k from (${inner.text}) q (k)) ${alias}`,
      items: [{ alias, columns: [computed("k", "int")] }],
      on: `${own("id")} = ${alias}.k`,
    };
  }
  // A key stands once in a table, and may stand again in a child that inherits from it.
  if (source.shape === "inherited")
    return {
      text: `(select distinct x.id from ${qualified(source)} x) ${alias}`,
      items: [{ alias, columns: [computed("id", "int")] }],
      on: `${own("id")} = ${alias}.id`,
    };
  return {
    text: `${qualified(source)} ${alias}`,
    items: [{ alias, columns: visibleColumns(source) }],
    on: `${own(grammar.choices.pick(["id", "ref"]))} = ${alias}.id`,
  };
}

/** RETURNING, and the columns that it gives. */
export function returning(
  grammar: Grammar,
  target: Item,
  beside: readonly Item[],
  depth: number,
  needed: boolean,
): { list: string; given: readonly ScopeColumn[] } {
  const { choices } = grammar;
  if (!needed && choices.chance(40)) return { list: "", given: [] };
  if (choices.chance(25)) {
    const star = beside.length === 0 && choices.chance(50) ? "*" : `${quoted(target.alias)}.*`;
    return { list: ` returning ${star}`, given: target.columns };
  }
  // From 18 on the row as it was and as it is now have names of their own; where there is none, masks stay what they are.
  const told =
    grammar.hostile === undefined ? target.columns.filter(({ masked }) => masked !== true) : target.columns;
  const named =
    grammar.major >= 18 && choices.chance(25)
      ? [{ ...target, columns: told, alias: choices.pick(["old", "new"]), schema: undefined }]
      : [target];
  // PostgreSQL 18.4 crashes where such a row is not there and stands on the left of a sub-select; rolegate refuses it.
  const plainly = named[0] !== target && grammar.hostile === undefined;
  const scope = { items: [...named, ...beside].map((item) => ({ ...item, partial: true })) };
  const given = Array.from({ length: 1 + choices.int(3) }, () => {
    const found = choices.chance(60) ? pickColumn(grammar, scope, () => true) : undefined;
    const name = grammar.fresh("c");
    if (found !== undefined) return { text: `${found.text} as ${name}`, column: { ...found.column, name } };
    const type = choices.pick<Type>(["int", "text", "boolean"]);
    return {
      text: `${expression(grammar, type, scope, plainly ? 0 : depth - 1)} as ${name}`,
      column: computed(name, type),
    };
  });
  return {
    list: ` returning ${given.map(({ text }) => text).join(", ")}`,
    given: given.map(({ column }) => column),
  };
}
