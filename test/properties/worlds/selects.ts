import { columnKinds, quoted, type Type } from "./columns.ts";
import { condition, expression, leaf } from "./expressions.ts";
import { grouped, windowed } from "./aggregates.ts";
import { fromList, readable, type From } from "./from-items.ts";
import {
  computed,
  itemOf,
  itemsIn,
  pickColumn,
  type Grammar,
  type Item,
  type Scope,
  type ScopeColumn,
} from "./scope.ts";
import { qualified, visibleColumns } from "./world.ts";

/** A query's text and the columns that it gives. */
export type Query = { readonly text: string; readonly columns: readonly ScopeColumn[] };

/** One expression of a select list. */
export type Output = { readonly text: string; readonly column: ScopeColumn };

/** Types that a query's columns may have where nothing asks for some. */
const outputs: readonly Type[] = [
  "int",
  "text",
  "int",
  "boolean",
  "date",
  "numeric(12,2)",
  "mood",
  "jsonb",
  "int[]",
  "timestamptz",
];

/**
 * Any query: what it gives is the same set of rows however it is planned.
 * @param types what its columns must be; undefined: anything.
 */
export function query(
  grammar: Grammar,
  outer: Scope | undefined,
  depth: number,
  types?: readonly Type[],
): Query {
  const { choices } = grammar;
  if (depth <= 0) return select(grammar, outer, 0, types);
  return choices.pick([
    () => select(grammar, outer, depth, types),
    () => select(grammar, outer, depth, types),
    () => grouped(grammar, outer, depth, types),
    () => setOperation(grammar, outer, depth, types),
    () => withQuery(grammar, outer, depth, types),
    () => (types === undefined ? wholeTable(grammar) : valuesQuery(grammar, outer, depth, types)),
  ])();
}

/** A type that a column in scope has, more often than not. */
function likely({ choices }: Grammar, scope: Scope): Type {
  const known = itemsIn(scope).flatMap(({ columns }) => columns.map(({ type }) => type));
  return known.length > 0 && choices.chance(70) ? choices.pick(known) : choices.pick(outputs);
}

/** Any query, for EXISTS and for counting. */
export function rowsQuery(grammar: Grammar, scope: Scope, depth: number): string {
  return query(grammar, scope, depth).text;
}

/** A query of one column, or of one for each type, without ORDER BY at its end. */
export function valueQuery(
  grammar: Grammar,
  type: Type,
  scope: Scope,
  depth: number,
  more: readonly Type[] = [],
): string {
  const types = [type, ...more];
  const from = fromList(grammar, scope, depth);
  const inner = { items: from.items, outer: scope };
  const list = types.map((each) =>
    depth <= 0 ? leaf(grammar, each, inner) : expression(grammar, each, inner, depth - 1),
  );
  return `select ${list.join(", ")} from ${from.text}${whereClause(grammar, inner, depth)}`;
}

/** A sub-select that gives one value or NULL. */
export function scalarQuery(grammar: Grammar, type: Type, scope: Scope, depth: number): string {
  return `(${valueQuery(grammar, type, scope, depth)} order by 1 limit 1)`;
}

/** WHERE, more often than not. */
export function whereClause(grammar: Grammar, scope: Scope, depth: number): string {
  return grammar.choices.chance(60) ? ` where ${condition(grammar, scope, depth - 1)}` : "";
}

function outputName(grammar: Grammar): string {
  return grammar.choices.chance(35) ? grammar.choices.pick(columnKinds).name : grammar.fresh("c");
}

/** `expression as name`; a column may keep its own name. */
function output(grammar: Grammar, scope: Scope, type: Type, depth: number): Output {
  const { choices } = grammar;
  if (choices.chance(35)) {
    const found = pickColumn(grammar, scope, (column) => column.type === type);
    if (found !== undefined) {
      const bare = choices.chance(60);
      const name = bare ? found.column.name : outputName(grammar);
      return {
        text: bare ? found.text : `${found.text} as ${quoted(name)}`,
        column: { ...found.column, name },
      };
    }
  }
  const name = outputName(grammar);
  return {
    text: `${expression(grammar, type, scope, depth)} as ${quoted(name)}`,
    column: computed(name, type),
  };
}

function select(
  grammar: Grammar,
  outer: Scope | undefined,
  depth: number,
  types: readonly Type[] | undefined,
): Query {
  const { choices } = grammar;
  const from = fromList(grammar, outer, depth);
  const scope = { items: from.items, outer };
  const wanted = types ?? Array.from({ length: 1 + choices.int(4) }, () => likely(grammar, scope));
  const star = types === undefined && choices.chance(25) ? stars(grammar, from) : undefined;
  const list = star ?? wanted.map((type) => output(grammar, scope, type, depth - 1));
  if (types === undefined && star === undefined && depth > 0 && choices.chance(20))
    list.push(windowed(grammar, scope, depth));
  const where = whereClause(grammar, scope, depth);
  const texts = list.map(({ text }) => text).filter((text) => text !== "");
  const body = (distinct: string): string =>
    `select ${distinct}${texts.join(", ")} from ${from.text}${where}`;
  const columns = list.map(({ column }) => column);
  return tail(grammar, scope, { body, columns, depth });
}

/** `*`, or the star of one item; every column that it stands for is known. */
function stars({ choices }: Grammar, { items, text }: From): Output[] | undefined {
  if (/using \(|natural| \(|\(values|rows from|unnest|generate/.test(text)) return undefined;
  const chosen = items.length === 1 || choices.chance(50) ? items : [choices.pick(items)];
  // Of a partial item not all columns are known, and an order by those that are leaves rows to chance.
  if (chosen.some(({ partial }) => partial === true)) return undefined;
  const qualifier =
    chosen.length === items.length && choices.chance(50)
      ? "*"
      : chosen.map(({ alias }) => `${quoted(alias)}.*`).join(", ");
  const columns = chosen.flatMap((item) => item.columns);
  return columns.length === 0
    ? undefined
    : columns.map((column, index) => ({ text: index === 0 ? qualifier : "", column }));
}

/** DISTINCT, ORDER BY and LIMIT; rows are only counted off in an order that leaves none to chance. */
function tail(
  grammar: Grammar,
  scope: Scope,
  {
    body,
    columns,
    depth,
  }: { body: (distinct: string) => string; columns: readonly ScopeColumn[]; depth: number },
): Query {
  const { choices } = grammar;
  const all = columns.map((_, index) => `${index + 1}${choices.pick(["", " desc", " nulls first"])}`);
  const counted = (): string =>
    ` limit (select count(*) from (${rowsQuery(grammar, { items: [], outer: scope.outer }, Math.min(depth - 1, 1))}) ${grammar.fresh("q")})`;
  const cut = (): string =>
    choices.pick([
      () => ` limit ${1 + choices.int(4)}`,
      () => ` offset ${choices.int(3)} limit 3`,
      () => " fetch first 2 rows with ties",
      depth > 1 ? counted : () => " limit 2",
    ])();
  switch (choices.pick(["", "", "order", "limit", "distinct", "on"] as const)) {
    case "order":
      return {
        text: `${body("")} order by ${choices.chance(50) ? all.join(", ") : expression(grammar, "text", scope, depth - 1)}`,
        columns,
      };
    case "limit":
      return { text: `${body("")} order by ${all.join(", ")}${cut()}`, columns };
    case "distinct":
      return { text: body("distinct "), columns };
    case "on": {
      const on = leaf(grammar, "int", scope);
      return on === "null::int" || /^\d/.test(on)
        ? { text: body(""), columns }
        : { text: `${body(`distinct on (${on}) `)} order by ${on}, ${all.join(", ")}`, columns };
    }
    default:
      return { text: body(""), columns };
  }
}

function setOperation(
  grammar: Grammar,
  outer: Scope | undefined,
  depth: number,
  types: readonly Type[] | undefined,
): Query {
  const { choices } = grammar;
  const shared = types ?? Array.from({ length: 1 + choices.int(3) }, () => choices.pick(outputs));
  const one = query(grammar, outer, depth - 1, shared);
  const other = query(grammar, outer, depth - 1, shared);
  const operator = choices.pick(["union", "union all", "intersect", "except", "except all", "intersect all"]);
  const columns = one.columns.map((column, index) => ({
    ...column,
    flavor: column.flavor === other.columns[index]?.flavor ? column.flavor : ("plain" as const),
  }));
  return {
    text: `(${one.text}) ${operator} (${other.text})${choices.chance(20) ? " order by 1" : ""}`,
    columns,
  };
}

function wholeTable(grammar: Grammar): Query {
  const table = grammar.choices.pick(readable(grammar));
  return { text: `table ${qualified(table)}`, columns: visibleColumns(table) };
}

function valuesQuery(
  grammar: Grammar,
  outer: Scope | undefined,
  depth: number,
  types: readonly Type[],
): Query {
  const scope = { items: [], outer };
  const row = (): string =>
    `(${types.map((type) => expression(grammar, type, scope, depth - 1)).join(", ")})`;
  return {
    text: `values ${row()}, ${row()}`,
    columns: types.map((type, index) => computed(`column${index + 1}`, type)),
  };
}

/** WITH: plain, materialized, with column names, recursive. */
function withQuery(
  grammar: Grammar,
  outer: Scope | undefined,
  depth: number,
  types: readonly Type[] | undefined,
): Query {
  const { choices } = grammar;
  if (choices.chance(25)) return recursive(grammar, outer, depth, types);
  const inner = query(grammar, outer, depth - 1);
  // A CTE may have a table's name, and then stands before it.
  const name = choices.chance(30) ? choices.pick(["orders", "items", "customers"]) : grammar.fresh("w");
  const item = itemOf(name, inner.columns);
  const body = query(
    {
      ...grammar,
      ctes: [...grammar.ctes.filter(({ alias }) => alias !== name), item],
      world: without(grammar, name),
    },
    outer,
    depth - 1,
    types,
  );
  return {
    text: `with ${name} as ${choices.pick(["", "materialized ", "not materialized "])}(${inner.text}) ${nested(body.text)}`,
    columns: body.columns,
  };
}

/** A query has one WITH at its beginning, brackets or not. */
const nested = (text: string): string => (/^\(*with/.test(text) ? `select * from (${text}) nested` : text);

/** The tables that can still be meant where a CTE has a name. */
function without({ world }: Grammar, name: string): Grammar["world"] {
  return { tables: world.tables.filter((table) => table.schema !== "public" || table.name !== name) };
}

function recursive(
  grammar: Grammar,
  outer: Scope | undefined,
  depth: number,
  types: readonly Type[] | undefined,
): Query {
  const name = grammar.fresh("r");
  const item: Item = { alias: name, columns: [computed("i", "int")] };
  const table = grammar.choices.pick(readable(grammar));
  const step = condition(grammar, { items: [item], outer }, depth - 1);
  const text = grammar.choices.pick([
    `select 1 union all select i + 1 from ${name} where i < 4 and (${step})`,
    `select id from ${qualified(table)} union select x.ref from ${qualified(table)} x join ${name} on x.id = ${name}.i`,
  ]);
  const body = query({ ...grammar, ctes: [...grammar.ctes, item] }, outer, depth - 1, types);
  return { text: `with recursive ${name} (i) as (${text}) ${nested(body.text)}`, columns: body.columns };
}
