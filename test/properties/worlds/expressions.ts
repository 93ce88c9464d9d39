import type { Flavor, Type } from "./columns.ts";
import { quoted } from "./columns.ts";
import { itemsIn, pickColumn, type Grammar, type Scope, type ScopeColumn } from "./scope.ts";
import { scalarQuery, valueQuery, rowsQuery } from "./selects.ts";

/**
 * An expression of a type over what a scope holds. It raises on no row that the role sees, whatever its plan: what
 * could raise is only done to columns whose visible values take it.
 */
export function expression(grammar: Grammar, type: Type, scope: Scope, depth: number): string {
  const { choices } = grammar;
  const hostile = grammar.hostile?.(grammar, type, scope, depth);
  if (hostile !== undefined) return hostile;
  if (depth <= 0) return leaf(grammar, type, scope);
  const again = (other: Type): string => expression(grammar, other, scope, depth - 1);
  if (choices.chance(15)) return common(grammar, type, scope, depth);
  switch (type) {
    case "int":
      return choices.pick([
        () => leaf(grammar, type, scope),
        () => `(${again("int")} + ${leaf(grammar, "int", scope)})`,
        () => `(${again("int")} - ${choices.int(5)})`,
        () => divided(grammar, scope) ?? leaf(grammar, type, scope),
        () => castDigits(grammar, "int", scope) ?? leaf(grammar, type, scope),
        () => `length(${again("text")})`,
        () => `extract(year from ${leaf(grammar, "date", scope)})::int`,
        () => `coalesce(cardinality(${leaf(grammar, "int[]", scope)}), 0)`,
        () => `(${leaf(grammar, "int[]", scope)})[${1 + choices.int(2)}]`,
        () => documentNumber(grammar, scope) ?? leaf(grammar, type, scope),
        () => `(select count(*)::int from (${rowsQuery(grammar, scope, depth - 1)}) ${grammar.fresh("q")})`,
      ])();
    case "text":
      return choices.pick([
        () => leaf(grammar, type, scope),
        () => `upper(${again("text")})`,
        () => `(${leaf(grammar, "text", scope)} || ${again("int")})`,
        () => `left(${again("text")}, ${1 + choices.int(4)})`,
        () => `${leaf(grammar, "mood", scope)}::text`,
        () => wholeRow(grammar, scope)("text") ?? leaf(grammar, type, scope),
        () => `${again(choices.pick<Type>(["int", "boolean", "numeric(12,2)"]))}::text`,
        () => `to_char(${leaf(grammar, "date", scope)}, 'YYYY-MM')`,
        () => `concat(${again("text")}, ${again("int")})`,
        () => `(${leaf(grammar, "jsonb", scope)} ->> 'a')`,
      ])();
    case "boolean":
      return condition(grammar, scope, depth);
    case "bigint":
      return `(${again("int")})::bigint`;
    case "numeric(12,2)":
      return choices.pick([
        () => leaf(grammar, type, scope),
        () => `(${again("int")})::numeric(12,2)`,
        () => `round(${leaf(grammar, type, scope)}, 1)::numeric(12,2)`,
        () => fraction(grammar, scope) ?? leaf(grammar, type, scope),
      ])();
    case "jsonb":
      return choices.pick([
        () => leaf(grammar, type, scope),
        () => `jsonb_build_object('k', ${again("int")})`,
        () => wholeRow(grammar, scope)("jsonb") ?? leaf(grammar, type, scope),
      ])();
    case "int[]":
      return choices.pick([
        () => leaf(grammar, type, scope),
        () => `array[${again("int")}, ${again("int")}]`,
        () => `array(${scalarRows(grammar, scope, depth)})`,
      ])();
    case "date":
      return choices.pick([
        () => leaf(grammar, type, scope),
        () => `(${leaf(grammar, "timestamp", scope)})::date`,
      ])();
    default:
      return leaf(grammar, type, scope);
  }
}

/** An array's elements, in an order that is told. */
function scalarRows(grammar: Grammar, scope: Scope, depth: number): string {
  return `${valueQuery(grammar, "int", scope, depth - 1)} order by 1`;
}

/** What every type takes. */
function common(grammar: Grammar, type: Type, scope: Scope, depth: number): string {
  const { choices } = grammar;
  const again = (other: Type): string => expression(grammar, other, scope, depth - 1);
  return choices.pick([
    () => `coalesce(${leaf(grammar, type, scope)}, ${again(type)})`,
    () => `case when ${again("boolean")} then ${again(type)} else ${leaf(grammar, type, scope)} end`,
    () => `nullif(${leaf(grammar, type, scope)}, ${again(type)})`,
    () => scalarQuery(grammar, type, scope, depth - 1),
    () =>
      type === "int" || type === "text"
        ? `greatest(${again(type)}, ${leaf(grammar, type, scope)})`
        : leaf(grammar, type, scope),
  ])();
}

const literals: Readonly<Record<Type, readonly string[]>> = {
  int: ["1", "0", "3", "null::int"],
  bigint: ["1::bigint", "30::bigint"],
  smallint: ["1::smallint", "2::smallint"],
  "numeric(12,2)": ["10.00::numeric(12,2)", "0.5::numeric(12,2)"],
  float8: ["1.5::float8"],
  text: ["'a'::text", "''::text", "null::text", "'Ann'::text"],
  "varchar(60)": ["'1'::varchar(60)"],
  bpchar: ["'a'::bpchar"],
  boolean: ["true", "false", "null::boolean"],
  date: ["date '2025-01-01'", "'2024-02-29'::date"],
  timestamp: ["timestamp '2025-01-01 10:00'"],
  timestamptz: ["timestamptz '2025-01-01 00:00:00+00'"],
  interval: ["interval '1 day'"],
  uuid: ["'00000000-0000-0000-0000-000000000001'::uuid"],
  mood: ["'draft'::mood", "'paid'::mood"],
  jsonb: [`'{"a": 1}'::jsonb`, "'[1]'::jsonb"],
  "int[]": ["array[1, 2]", "'{}'::int[]"],
  "text[]": ["array['a', 'b']"],
  bytea: ["'\\xff01'::bytea"],
  inet: ["'10.0.0.1'::inet"],
  int4range: ["int4range(1, 5)"],
  positive: ["4"],
};

/** A column of the type where there is one, or a literal. */
export function leaf(grammar: Grammar, type: Type, scope: Scope): string {
  const { choices } = grammar;
  const column = choices.chance(8) ? undefined : pickColumn(grammar, scope, (found) => found.type === type);
  return column?.text ?? choices.pick(literals[type]);
}

const flavored = (grammar: Grammar, scope: Scope, flavor: Flavor, types?: readonly Type[]) =>
  pickColumn(grammar, scope, (column) => column.flavor === flavor && (types?.includes(column.type) ?? true));

/** A division that only a hidden row could make raise. */
function divided(grammar: Grammar, scope: Scope): string | undefined {
  const divisor = flavored(grammar, scope, "divisor", ["int", "smallint", "bigint"]);
  return divisor && `(${100 + grammar.choices.int(900)} / ${divisor.text})::int`;
}

function fraction(grammar: Grammar, scope: Scope): string | undefined {
  const divisor = flavored(grammar, scope, "divisor", ["numeric(12,2)"]);
  return divisor && `round(10 / ${divisor.text}, 2)::numeric(12,2)`;
}

function castDigits(grammar: Grammar, type: string, scope: Scope): string | undefined {
  const digits = flavored(grammar, scope, "digits");
  return (
    digits && (grammar.choices.chance(50) ? `${digits.text}::${type}` : `cast(${digits.text} as ${type})`)
  );
}

function documentNumber(grammar: Grammar, scope: Scope): string | undefined {
  const document = flavored(grammar, scope, "document");
  return document && `(${document.text} ->> 'a')::int`;
}

/** A whole row of an item, as text or as a document. */
function wholeRow({ choices }: Grammar, scope: Scope): (type: "text" | "jsonb") => string | undefined {
  return (type) => {
    const items = itemsIn(scope).filter(({ rowless }) => rowless !== true);
    if (items.length === 0) return undefined;
    const item = choices.pick(items);
    const alias = quoted(item.alias);
    if (item.renamed === true) return type === "text" ? `${alias}::text` : undefined;
    return type === "text"
      ? choices.pick([`${alias}::text`, `row(${alias}.*)::text`, `row_to_json(${alias})::text`])
      : `to_jsonb(${alias})`;
  };
}

/** A condition. */
export function condition(grammar: Grammar, scope: Scope, depth: number): string {
  const { choices } = grammar;
  const hostile = grammar.hostile?.(grammar, "boolean", scope, depth);
  if (hostile !== undefined) return hostile;
  const plain = comparison(grammar, scope);
  if (depth <= 0) return plain;
  const again = (): string => condition(grammar, scope, depth - 1);
  const value = (type: Type): string => expression(grammar, type, scope, depth - 1);
  return choices.pick([
    () => plain,
    () => `(${again()} and ${again()})`,
    () => `(${again()} or ${again()})`,
    () => `not (${again()})`,
    () => `${value("int")} ${choices.pick(["=", "<", ">=", "<>"])} ${value("int")}`,
    () => `${value("text")} ${choices.pick(["=", "<>", "is distinct from"])} ${value("text")}`,
    () => `${value("text")} ${choices.pick(["like", "not ilike"])} ${leaf(grammar, "text", scope)}`,
    () => matched(grammar, scope) ?? plain,
    () => raising(grammar, scope) ?? plain,
    () => raising(grammar, scope) ?? plain,
    () => raising(grammar, scope) ?? plain,
    () => `exists (${rowsQuery(grammar, scope, depth - 1)})`,
    () =>
      `${leaf(grammar, "int", scope)} ${choices.pick(["", "not "])}in (${valueQuery(grammar, "int", scope, depth - 1)})`,
    () =>
      `${value("int")} ${choices.pick(["= any", "<> all", "<= any"])} (${valueQuery(grammar, "int", scope, depth - 1)})`,
    () =>
      `(${leaf(grammar, "int", scope)}, ${leaf(grammar, "text", scope)}) in (${pairQuery(grammar, scope, depth - 1)})`,
    () => `${leaf(grammar, "int", scope)} between ${value("int")} and ${value("int")}`,
    () => `${leaf(grammar, "jsonb", scope)} @> '{"a": 1}'`,
    () => `${choices.int(4)} = any(${leaf(grammar, "int[]", scope)})`,
    () => rowIsNull(grammar, scope) ?? plain,
    () => `(${leaf(grammar, "int", scope)}, ${value("int")}) < (${value("int")}, 3)`,
  ])();
}

/** A comparison that can only raise on a row that the role does not see. */
function raising(grammar: Grammar, scope: Scope): string | undefined {
  const { choices } = grammar;
  const value = choices.pick([
    castDigits(grammar, "int", scope),
    divided(grammar, scope),
    documentNumber(grammar, scope),
    fraction(grammar, scope),
  ]);
  return (
    value &&
    `${value} ${choices.pick(["> 1", "<> 12", "= 3", "is not null", "in (1, 2, 3)", "between 1 and 100"])}`
  );
}

function pairQuery(grammar: Grammar, scope: Scope, depth: number): string {
  return valueQuery(grammar, "int", scope, depth, ["text"]);
}

/** A pattern out of a column: valid in every row that the role sees. */
function matched(grammar: Grammar, scope: Scope): string | undefined {
  const pattern = flavored(grammar, scope, "pattern");
  return (
    pattern && `${leaf(grammar, "text", scope)} ${grammar.choices.pick(["~", "!~*", "~*"])} ${pattern.text}`
  );
}

function rowIsNull({ choices }: Grammar, scope: Scope): string | undefined {
  const items = itemsIn(scope).filter(({ rowless }) => rowless !== true);
  if (items.length === 0) return undefined;
  return `${quoted(choices.pick(items).alias)} is ${choices.pick(["not null", "null", "distinct from null"])}`;
}

const literalFor: Partial<Record<Type, readonly string[]>> = {
  int: ["1", "3", "2"],
  text: ["'Ann'", "'1'", "'x'"],
  date: ["'2025-01-01'"],
  timestamptz: ["'2025-01-01 00:00:00+00'"],
  boolean: ["true"],
  mood: ["'draft'", "'paid'"],
  uuid: ["'00000000-0000-0000-0000-000000000001'"],
};

/** A comparison of a column with a constant or another column: what may count as safe. */
function comparison(grammar: Grammar, scope: Scope): string {
  const { choices } = grammar;
  const left = pickColumn(grammar, scope, ({ type }) => literalFor[type] !== undefined);
  if (left === undefined) return choices.pick(["true", "1 = 1"]);
  const { column, text } = left;
  const constant = choices.pick(literalFor[column.type]!);
  const other = pickColumn(grammar, scope, ({ type }: ScopeColumn) => type === column.type)!.text;
  return choices.pick([
    () =>
      `${text} ${choices.pick(["=", "<>", "<", ">", "<=", ">="])} ${choices.pick([constant, constant, other])}`,
    () => `${text} is ${choices.pick(["not null", "null"])}`,
    () => `${text} in (${constant}, ${choices.pick(literalFor[column.type]!)})`,
    () => `${text} is ${choices.pick(["", "not "])}distinct from ${other}`,
    () => `${constant} = ${text}`,
    () => `${text} between ${constant} and ${constant}`,
  ])();
}
