import { quoted } from "./columns.ts";
import { condition } from "./expressions.ts";
import type { Grammar, Item, Scope } from "./scope.ts";
import type { Table } from "./world.ts";
import { assignments, joined, returning, settable, targetOf, valueFor } from "./write-parts.ts";
import type { Write } from "./writes.ts";

/** MERGE, with the actions that the role may take. */
export function merge(grammar: Grammar, target: Table, depth: number, returns: boolean): Write {
  const { choices, major } = grammar;
  const { text, item } = targetOf({ ...grammar, aliased: true }, target);
  const source = joined(grammar, item, depth);
  const both = { items: [item, ...source.items] };
  const also = choices.chance(30) ? ` and ${condition(grammar, both, depth - 1)}` : "";
  const when = (what: string, scope: Scope, action: string): string =>
    ` when ${what}${choices.chance(50) ? ` and ${condition(grammar, scope, depth - 1)}` : ""} then ${action}`;
  // Behind a clause without a condition of its own no other of its kind is reached.
  const first = when("matched", both, changing(grammar, target, both, depth));
  const second = first.startsWith(" when matched and ") && choices.chance(60);
  const clauses = [
    first,
    second ? when("matched", both, changing(grammar, target, both, depth)) : "",
    choices.chance(60)
      ? when("not matched", { items: source.items }, inserting(grammar, target, source.items, depth))
      : "",
    major >= 17 && choices.chance(25)
      ? when("not matched by source", { items: [item] }, changing(grammar, target, { items: [item] }, depth))
      : "",
  ];
  const { list, given } =
    major >= 17 ? returning(grammar, item, source.items, depth, returns) : { list: "", given: [] };
  return {
    text: `merge into ${text} using ${source.text} on ${source.on}${also}${clauses.join("")}${list}`,
    columns: given,
  };
}

/** What may become of a row of the target. */
function changing(grammar: Grammar, target: Table, scope: Scope, depth: number): string {
  const { rules } = target;
  const actions = [
    () => "do nothing",
    ...(rules!.update === undefined
      ? []
      : [() => `update set ${assignments(grammar, target, scope, depth)}`]),
    ...(rules!.delete === undefined ? [] : [() => "delete"]),
  ];
  return (grammar.choices.chance(80) ? grammar.choices.pick(actions.toReversed()) : actions[0]!)();
}

function inserting(grammar: Grammar, target: Table, source: readonly Item[], depth: number): string {
  const { choices } = grammar;
  if (target.rules!.insert === undefined) return "do nothing";
  const columns = settable(target, "insert").filter(
    ({ name }) => ["id", "tenant"].includes(name) || choices.chance(50),
  );
  const { alias, columns: given } = source[0]!;
  const key = quoted(given.find(({ name }) => name === "id" || name === "k")!.name);
  const scope = { items: source };
  const values = columns.map((column) =>
    column.name === "id" ? `${alias}.${key} + 60` : valueFor(grammar, column, scope, depth),
  );
  return `insert (${columns.map(({ name }) => quoted(name)).join(", ")}) values (${values.join(", ")})`;
}
