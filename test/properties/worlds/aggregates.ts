import type { Type } from "./columns.ts";
import { condition, expression, leaf } from "./expressions.ts";
import { fromList } from "./from-items.ts";
import { computed, pickColumn, type Grammar, type Scope } from "./scope.ts";
import { whereClause, type Output, type Query } from "./selects.ts";

/** A window whose frame does not depend on the order of rows that are equal in it. */
export function windowed(grammar: Grammar, scope: Scope, depth: number): Output {
  const { choices } = grammar;
  const over = `over (${choices.chance(50) ? `partition by ${leaf(grammar, choices.pick<Type>(["int", "mood", "text"]), scope)} ` : ""}order by ${expression(grammar, "int", scope, depth - 1)})`;
  const name = grammar.fresh("c");
  const call = choices.pick([
    "rank()",
    "count(*)",
    `count(*) filter (where ${condition(grammar, scope, depth - 1)})`,
    `sum(${leaf(grammar, "int", scope)})`,
  ]);
  return { text: `${call} ${over} as ${name}`, column: computed(name, "bigint") };
}

/** An aggregate that does not depend on the order of its rows. */
function aggregate(grammar: Grammar, scope: Scope, type: Type, depth: number): string {
  const { choices } = grammar;
  const value = (of: Type): string => expression(grammar, of, scope, depth - 1);
  const filter = choices.chance(20) ? ` filter (where ${condition(grammar, scope, depth - 1)})` : "";
  switch (type) {
    case "bigint":
      return choices.pick([
        () => `count(*)${filter}`,
        () => `count(distinct ${value("text")})${filter}`,
        () => `sum(${value("int")})${filter}`,
      ])();
    case "int":
      return `${choices.pick(["max", "min"])}(${value("int")})${filter}`;
    case "boolean":
      return `${choices.pick(["bool_or", "bool_and"])}(${condition(grammar, scope, depth - 1)})${filter}`;
    case "text": {
      const text = value("text");
      return choices.pick([
        () => `max(${text})${filter}`,
        () => `string_agg(${text}, ',' order by ${text})${filter}`,
      ])();
    }
    case "int[]": {
      const number = value("int");
      return `array_agg(${number} order by ${number})${filter}`;
    }
    case "jsonb": {
      const text = value("text");
      return `jsonb_agg(${text} order by ${text})${filter}`;
    }
    default: {
      const each = value(type);
      return `(array_agg(${each} order by ${each}))[1]`;
    }
  }
}

/** GROUP BY, with grouping sets and HAVING. */
export function grouped(
  grammar: Grammar,
  outer: Scope | undefined,
  depth: number,
  types: readonly Type[] | undefined,
): Query {
  const { choices } = grammar;
  const from = fromList(grammar, outer, depth);
  // An aggregate over columns of an outer query alone would be one of that query.
  const scope = { items: from.items };
  const wanted =
    types ??
    Array.from({ length: 1 + choices.int(3) }, () =>
      choices.pick<Type>(["bigint", "text", "int", "boolean", "int[]", "jsonb"]),
    );
  const named = (["int", "text"] as const).flatMap(
    (type) => pickColumn(grammar, scope, (column) => column.type === type) ?? [],
  );
  const chosen = choices.chance(70) ? choices.some(named, 0) : [];
  const keys = chosen.map(({ text }) => text);
  const list = wanted.map((type): Output => {
    const name = grammar.fresh("c");
    return {
      text: `${aggregate(grammar, scope, type, depth)} as ${name}`,
      column: computed(name, type),
    };
  });
  if (types === undefined)
    for (const { column, text } of chosen) {
      const name = grammar.fresh("k");
      list.push({ text: `${text} as ${name}`, column: { ...column, name } });
    }
  const sets = choices.pick([
    keys.join(", "),
    keys.join(", "),
    `grouping sets ((${keys.join(", ")}), ())`,
    `rollup (${keys.join(", ")})`,
    `cube (${keys.join(", ")})`,
  ]);
  const group = keys.length === 0 ? "" : ` group by ${sets}`;
  const having = choices.chance(30)
    ? ` having ${choices.pick([() => "count(*) > 1", () => `max(${expression(grammar, "int", scope, depth - 1)}) > 0`, () => (keys.length === 0 ? "true" : `${keys[0]} is not null`)])()}`
    : "";
  const columns = list.map(({ column }) => column);
  return {
    text: `select ${list.map(({ text }) => text).join(", ")} from ${from.text}${whereClause(grammar, scope, depth)}${group}${having}`,
    columns,
  };
}
