import { quoted, type ColumnKind, type Type } from "./columns.ts";
import { condition, expression, leaf } from "./expressions.ts";
import { readable, table } from "./from-items.ts";
import { computed, pickColumn, type Grammar, type Item, type Scope, type ScopeColumn } from "./scope.ts";
import { query } from "./selects.ts";
import { qualified, visibleColumns, type Table } from "./world.ts";

type Verb = "insert" | "update" | "delete";

/** A statement that writes, and the columns that its RETURNING gives. */
type Write = { readonly text: string; readonly columns: readonly ScopeColumn[] };

/** A statement that writes; undefined: the role may write nothing. */
export function write(given: Grammar, depth: number): string | undefined {
  const { choices } = given;
  // Names that the target shares with other tables are mostly refused, so most tables have one of their own.
  const grammar = { ...given, aliased: choices.chance(85) };
  const made = oneWrite(grammar, depth, false);
  if (made === undefined || !choices.chance(25)) return made?.text;
  const inner = oneWrite(grammar, depth - 1, true)!;
  const name = grammar.fresh("w");
  const item: Item = { alias: name, columns: inner.columns };
  const body = choices.chance(50) ? made.text : query({ ...grammar, ctes: [item] }, undefined, depth).text;
  return `with ${name} as (${inner.text}) ${/^\(*with/.test(body) ? `select * from ${name}` : body}`;
}

function oneWrite(grammar: Grammar, depth: number, returns: boolean): Write | undefined {
  const { choices, world } = grammar;
  const able = (verb: Verb): readonly Table[] =>
    world.tables.filter(
      ({ rules, shape }) => shape !== "view" && rules?.[verb] !== undefined && rules.select !== undefined,
    );
  const verbs = (["insert", "update", "delete"] as const).filter((verb) => able(verb).length > 0);
  if (verbs.length === 0) return undefined;
  const verb = choices.pick(verbs);
  const target = choices.pick(able(verb));
  switch (verb) {
    case "insert":
      return insert(grammar, target, depth, returns);
    case "update":
      return update(grammar, target, depth, returns);
    case "delete":
      return remove(grammar, target, depth, returns);
    default:
      return verb satisfies never;
  }
}

/** Columns that the role may set and, in the native database, can name: not masked, not hidden. */
function settable(target: Table, verb: "insert" | "update"): readonly ColumnKind[] {
  const { select } = target.rules!;
  const listed = target.rules![verb]!.columns;
  return target.columns.filter(
    ({ name }) =>
      name !== "twice" && listed.includes(name) && select!.columns.includes(name) && !select!.masks.has(name),
  );
}

type Target = { readonly text: string; readonly item: Item };

function targetOf(grammar: Grammar, target: Table): Target {
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

function valueFor(grammar: Grammar, column: ColumnKind, scope: Scope, depth: number): string {
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

function insert(grammar: Grammar, target: Table, depth: number, returns: boolean): Write {
  const { choices } = grammar;
  const { text, item } = targetOf(grammar, target);
  const own = settable(target, "insert");
  const columns = own.filter(
    ({ name }) => name === "id" || (name === "tenant" ? !choices.chance(10) : choices.chance(60)),
  );
  const names = columns.map(({ name }) => quoted(name)).join(", ");
  const row = (): string =>
    `(${columns.map((column) => valueFor(grammar, column, { items: [] }, depth)).join(", ")})`;
  const source = choices.pick([
    () => `values ${row()}`,
    () => `values ${row()}, ${row()}`,
    () =>
      `select 20 + (row_number() over (order by ${columns.map((_, index) => `r.c${index}`).join(", ")}))::int${columns
        .slice(1)
        .map((_, index) => `, r.c${index + 1}`)
        .join("")} from (${
        query(
          grammar,
          undefined,
          depth - 1,
          columns.map(({ type }) => type),
        ).text
      }) r (${columns.map((_, index) => `c${index}`).join(", ")})`,
  ])();
  const conflict = choices.pick([
    () => "",
    () => "",
    () => " on conflict do nothing",
    () => " on conflict (id) do nothing",
    () => conflictUpdate(grammar, target, item, depth),
  ])();
  const { list, given } = returning(grammar, item, [], depth, returns);
  return { text: `insert into ${text} (${names}) ${source}${conflict}${list}`, columns: given };
}

function conflictUpdate(grammar: Grammar, target: Table, item: Item, depth: number): string {
  if (target.rules!.update === undefined) return " on conflict (id) do nothing";
  // Beside the row in the way there is the proposed one, so that bare names could mean either.
  const scope = { items: [{ ...item, partial: true }] };
  const where = grammar.choices.chance(30) ? ` where ${condition(grammar, scope, depth - 1)}` : "";
  return ` on conflict (id) do update set ${assignments(grammar, target, scope, depth)}${where}`;
}

function assignments(grammar: Grammar, target: Table, scope: Scope, depth: number): string {
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

function update(grammar: Grammar, target: Table, depth: number, returns: boolean): Write {
  const { choices } = grammar;
  const { text, item } = targetOf(grammar, target);
  const beside = choices.chance(30) ? joined(grammar, item, depth) : undefined;
  const scope = { items: [item, ...(beside?.items ?? [])] };
  const where = whereOf(grammar, scope, depth, beside?.on);
  const set = assignments(grammar, target, scope, depth);
  const { list, given } = returning(grammar, item, beside?.items ?? [], depth, returns);
  return {
    text: `update ${text} set ${set}${beside === undefined ? "" : ` from ${beside.text}`}${where}${list}`,
    columns: given,
  };
}

function remove(grammar: Grammar, target: Table, depth: number, returns: boolean): Write {
  const { choices } = grammar;
  const { text, item } = targetOf(grammar, target);
  const beside = choices.chance(30) ? joined(grammar, item, depth) : undefined;
  const scope = { items: [item, ...(beside?.items ?? [])] };
  const where = whereOf(grammar, scope, depth, beside?.on);
  const { list, given } = returning(grammar, item, beside?.items ?? [], depth, returns);
  return {
    text: `delete from ${text}${beside === undefined ? "" : ` using ${beside.text}`}${where}${list}`,
    columns: given,
  };
}

function whereOf(grammar: Grammar, scope: Scope, depth: number, on: string | undefined): string {
  const own = grammar.choices.chance(75) ? condition(grammar, scope, depth) : undefined;
  const all = [on, own].filter((text) => text !== undefined);
  return all.length === 0 ? "" : ` where ${all.join(" and ")}`;
}

/** A FROM item beside the target, of which at most one row goes with each row of the target. */
function joined(
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
  if (source.shape === "inherited") {
    const plain = table(grammar);
    return {
      text: `(select distinct x.id from ${plain.text.split(" ")[0] === "only" ? qualified(source) : qualified(source)} x) ${alias}`,
      items: [{ alias, columns: [computed("id", "int")] }],
      on: `${own("id")} = ${alias}.id`,
    };
  }
  return {
    text: `${qualified(source)} ${alias}`,
    items: [{ alias, columns: visibleColumns(source) }],
    on: `${own(grammar.choices.pick(["id", "ref"]))} = ${alias}.id`,
  };
}

function returning(
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
  const scope = { items: [target, ...beside] };
  const given = Array.from({ length: 1 + choices.int(3) }, () => {
    const found = choices.chance(60) ? pickColumn(grammar, scope, () => true) : undefined;
    const name = grammar.fresh("c");
    if (found !== undefined) return { text: `${found.text} as ${name}`, column: { ...found.column, name } };
    const type = choices.pick<Type>(["int", "text", "boolean"]);
    return {
      text: `${expression(grammar, type, scope, depth - 1)} as ${name}`,
      column: computed(name, type),
    };
  });
  return {
    list: ` returning ${given.map(({ text }) => text).join(", ")}`,
    given: given.map(({ column }) => column),
  };
}
