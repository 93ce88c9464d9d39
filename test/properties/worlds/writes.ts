import { quoted } from "./columns.ts";
import { condition } from "./expressions.ts";
import { merge } from "./merges.ts";
import type { Grammar, Item, ScopeColumn } from "./scope.ts";
import { query } from "./selects.ts";
import type { Table } from "./world.ts";
import { assignments, joined, returning, settable, targetOf, valueFor, whereOf } from "./write-parts.ts";

type Verb = "insert" | "update" | "delete" | "merge";

/** A statement that writes, and the columns that its RETURNING gives. */
export type Write = { readonly text: string; readonly columns: readonly ScopeColumn[] };

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
      ({ rules, shape }) =>
        shape !== "view" &&
        rules?.select !== undefined &&
        (verb === "merge"
          ? rules.update !== undefined || rules.insert !== undefined
          : rules[verb] !== undefined),
    );
  // Up to 16 MERGE takes no views, which the native database has in the place of tables, and gives no rows.
  const all = [
    "insert",
    "update",
    "delete",
    ...(grammar.merges && (grammar.major >= 17 || !returns) ? (["merge"] as const) : []),
  ] as const;
  const verbs = all.filter((verb) => able(verb).length > 0);
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
    case "merge":
      return merge(grammar, target, depth, returns);
    default:
      return verb satisfies never;
  }
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
