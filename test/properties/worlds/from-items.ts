import { columnKinds, quoted, type Type } from "./columns.ts";
import { condition, expression, leaf } from "./expressions.ts";
import { computed, itemOf, type Grammar, type Item, type Scope, type ScopeColumn } from "./scope.ts";
import { query } from "./selects.ts";
import { qualified, visibleColumns, type Table } from "./world.ts";

/** A part of FROM and what can be named of it. */
export type From = { readonly text: string; readonly items: readonly Item[] };

/** Tables that the role may read. */
export function readable({ world }: Grammar): readonly Table[] {
  return world.tables.filter(({ rules }) => rules?.select !== undefined);
}

/** A FROM clause's list. */
export function fromList(grammar: Grammar, outer: Scope | undefined, depth: number): From {
  const { choices } = grammar;
  let list = fromItem(grammar, outer, [], depth);
  const most = depth > 0 ? 3 : 0;
  while (list.items.length < most && choices.chance(20)) {
    const next = fromItem(grammar, outer, list.items, depth - 1);
    list = { text: `${list.text}, ${next.text}`, items: [...list.items, ...next.items] };
  }
  return list;
}

/**
 * One FROM item.
 * @param left items before it, which a LATERAL one may name.
 */
function fromItem(grammar: Grammar, outer: Scope | undefined, left: readonly Item[], depth: number): From {
  const { choices } = grammar;
  if (depth <= 0) return table(grammar);
  return choices.pick([
    () => table(grammar),
    () => join(grammar, outer, depth),
    () => join(grammar, outer, depth),
    () => subSelect(grammar, outer, left, depth),
    () => cte(grammar) ?? table(grammar),
    () => values(grammar),
    () => series(grammar, { items: left, outer }, depth),
    () => renamedJoin(grammar, outer, depth),
  ])();
}

const columnsOf = (table: Table): readonly ScopeColumn[] =>
  visibleColumns(table).map(({ name, type, flavor }) => ({ name, type, flavor }));

/** A table under one of its names. */
function table(grammar: Grammar): From {
  const { choices } = grammar;
  const chosen = choices.pick(readable(grammar));
  const columns = columnsOf(chosen);
  const bare = chosen.schema === "public" && choices.chance(70);
  const name = bare ? quoted(chosen.name) : qualified(chosen);
  const only = chosen.shape !== "view" && choices.chance(10);
  const alias = grammar.fresh("t");
  const unnamed =
    !only &&
    grammar.aliased !== true &&
    choices.chance(15) &&
    grammar.fresh(chosen.name) === `${chosen.name}1`;
  if (unnamed) return { text: name, items: [{ alias: chosen.name, columns, schema: chosen.schema }] };
  const text = `${only ? "only " : ""}${name}${choices.pick([" ", " as "])}${alias}`;
  if (!choices.chance(12)) return { text, items: [{ alias, columns }] };
  const { list, named } = renamed(grammar, columns);
  return { text: `${text} (${list})`, items: [{ ...itemOf(alias, named), renamed: true }] };
}

/** Columns under new names, some of which are those of other columns. */
function renamed(
  grammar: Grammar,
  columns: readonly ScopeColumn[],
): { list: string; named: readonly ScopeColumn[] } {
  const count = 1 + grammar.choices.int(columns.length);
  const names = columns.map(({ name }, index) =>
    index >= count
      ? name
      : grammar.choices.chance(40)
        ? grammar.choices.pick(columnKinds).name
        : grammar.fresh("c"),
  );
  return {
    list: names.slice(0, count).map(quoted).join(", "),
    named: columns.map((column, index) => ({ ...column, name: names[index]! })),
  };
}

function subSelect(grammar: Grammar, outer: Scope | undefined, left: readonly Item[], depth: number): From {
  const { choices } = grammar;
  const lateral = left.length > 0 && choices.chance(50);
  const inner = query(grammar, lateral ? { items: left, outer } : outer, depth - 1);
  const alias = grammar.fresh("s");
  const text = `${lateral ? "lateral " : ""}(${inner.text}) ${alias}`;
  if (inner.columns.length === 0 || !choices.chance(15))
    return { text, items: [itemOf(alias, inner.columns)] };
  const { list, named } = renamed(grammar, inner.columns);
  return { text: `${text} (${list})`, items: [{ ...itemOf(alias, named), renamed: true }] };
}

function cte(grammar: Grammar): From | undefined {
  const { choices, ctes } = grammar;
  if (ctes.length === 0) return undefined;
  const chosen = choices.pick(ctes);
  const alias = grammar.fresh("w");
  return { text: `${quoted(chosen.alias)} ${alias}`, items: [{ ...chosen, alias }] };
}

function values(grammar: Grammar): From {
  const alias = grammar.fresh("v");
  const row = (): string =>
    `(${1 + grammar.choices.int(5)}, ${grammar.choices.pick(["'1'::text", "'Ann'::text"])})`;
  const [first, second] = [grammar.fresh("c"), grammar.choices.pick(["name", "digits", "v2"])];
  return {
    text: `(values ${row()}, ${row()}) as ${alias} (${first}, ${second})`,
    items: [itemOf(alias, [computed(first, "int"), computed(second, "text")])],
  };
}

function series(grammar: Grammar, scope: Scope, depth: number): From {
  const alias = grammar.fresh("g");
  const { choices } = grammar;
  const value = (type: Type): Item => ({ alias, columns: [computed(alias, type)], rowless: true });
  return choices.pick([
    () => ({ text: `generate_series(1, 3) ${alias}`, items: [value("int")] }),
    () => ({ text: `unnest(${leaf(grammar, "int[]", scope)}) ${alias}`, items: [value("int")] }),
    () => ({
      text: `rows from (generate_series(1, 2), unnest(${leaf(grammar, "text[]", scope)})) with ordinality ${alias} (a, b, o)`,
      items: [itemOf(alias, [computed("a", "int"), computed("b", "text"), computed("o", "bigint")])],
    }),
    () => ({
      text: `lateral (select ${expression(grammar, "int", scope, depth - 1)} as x) ${alias}`,
      items: [itemOf(alias, [computed("x", "int")])],
    }),
  ])();
}

const common = (left: readonly Item[], right: readonly Item[]): string[] => {
  const [one, other] = [left, right].map((items) => (items.length === 1 ? items[0]!.columns : []));
  return one!.map(({ name }) => name).filter((name) => other!.some((column) => column.name === name));
};

function join(grammar: Grammar, outer: Scope | undefined, depth: number): From {
  const { choices } = grammar;
  const left = choices.chance(30) ? fromItem(grammar, outer, [], depth - 1) : table(grammar);
  // Columns of a name have one type in tables alone, so only those are joined by name.
  const tables = grammar.choices.chance(35);
  const right =
    tables || choices.chance(60) ? table(grammar) : fromItem(grammar, outer, left.items, depth - 1);
  const items = [...left.items, ...right.items];
  const shared = common(left.items, right.items);
  const sameTypes = shared.every((name) => typeOf(left.items[0]!, name) === typeOf(right.items[0]!, name));
  const kind = choices.pick(["join", "left join", "inner join", "right join", "full join"]);
  const bracket = (text: string): string => (choices.chance(20) ? `(${text})` : text);
  if (tables && sameTypes && shared.length > 0 && left.items[0]?.partial !== true) {
    if (choices.chance(40)) return { text: bracket(`${left.text} natural ${kind} ${right.text}`), items };
    const named = choices.some(shared, 1).slice(0, 2).map(quoted).join(", ");
    const merged = choices.chance(30) ? ` as ${grammar.fresh("u")}` : "";
    return { text: bracket(`${left.text} ${kind} ${right.text} using (${named})${merged}`), items };
  }
  const scope = { items, outer };
  if (right.text.startsWith("lateral") || right.text.startsWith("unnest") || right.text.startsWith("rows"))
    return {
      text: `${left.text} ${choices.pick(["join", "left join"])} ${right.text} on ${condition(grammar, scope, depth - 1)}`,
      items,
    };
  if (choices.chance(15)) return { text: bracket(`${left.text} cross join ${right.text}`), items };
  // Only conditions that can be merged or hashed serve a full join.
  const on =
    kind === "full join"
      ? equalIds(grammar, left, right)
      : choices.chance(60)
        ? equalIds(grammar, left, right, condition(grammar, scope, depth - 1))
        : condition(grammar, scope, depth - 1);
  return { text: bracket(`${left.text} ${kind} ${right.text} on ${on}`), items };
}

function typeOf(item: Item, name: string): Type | undefined {
  return item.columns.find((column) => column.name === name)?.type;
}

function equalIds(grammar: Grammar, left: From, right: From, otherwise = "true"): string {
  const [one, other] = [left, right].map(({ items }) => grammarColumn(grammar, items));
  return one === undefined || other === undefined ? otherwise : `${one} = ${other}`;
}

function grammarColumn({ choices }: Grammar, items: readonly Item[]): string | undefined {
  const ints = items.flatMap(({ alias, columns }) =>
    columns.filter(({ type }) => type === "int").map(({ name }) => `${quoted(alias)}.${quoted(name)}`),
  );
  return ints.length === 0 ? undefined : choices.pick(ints);
}

/** A join that has a name of its own, behind which those of its tables cannot be seen. */
function renamedJoin(grammar: Grammar, outer: Scope | undefined, depth: number): From {
  const inner = join(grammar, outer, depth);
  const alias = grammar.fresh("j");
  // What USING and NATURAL JOIN merge comes out once, and first.
  const merged = /using \(|natural/.test(inner.text);
  const item = itemOf(alias, merged ? [] : inner.items.flatMap(({ columns }) => columns));
  const partial = merged || item.partial === true || inner.items.some((each) => each.partial === true);
  return { text: `(${inner.text}) as ${alias}`, items: [{ ...item, partial }] };
}
