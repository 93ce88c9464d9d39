import { extended, say } from "../../pg/raw-connection.ts";
import type { Choices } from "./choices.ts";
import { hostileExpression } from "./hostile-expressions.ts";
import { condition } from "./expressions.ts";
import { nothing, type Grammar } from "./scope.ts";
import { query } from "./selects.ts";
import { grammarOf, type Messages } from "./statements.ts";
import { qualified, visibleColumns, type World } from "./world.ts";
import { write } from "./writes.ts";

/** What a hostile client says in one go, and how often the server becomes ready behind it. */
export type Conversation = Messages & { readonly text: string };

/** Settings that a client may change, and that change how rows are found, how values are printed or what is told. */
const settings: readonly string[] = [
  "enable_hashjoin = off",
  "enable_mergejoin = off",
  "enable_nestloop = off",
  "enable_seqscan = off",
  "enable_indexscan = off",
  "plan_cache_mode = force_generic_plan",
  "plan_cache_mode = force_custom_plan",
  "datestyle = 'SQL, DMY'",
  "intervalstyle = 'iso_8601'",
  "timezone = 'Pacific/Auckland'",
  "bytea_output = 'escape'",
  "extra_float_digits = -15",
  "client_min_messages = notice",
  "xmloption = document",
  "quote_all_identifiers = on",
  "transaction_isolation = serializable",
  "search_path = crm, public",
  "jit = on",
  "geqo = off",
];

/** A conversation that tries to learn something of what the role must not see; what it changed is undone. */
export function hostileConversation(choices: Choices, world: World, major: number): Conversation {
  // Half of the statements raise on no row that the role sees, so that an error is a hidden row's.
  const grammar = grammarOf(choices, world, {
    major,
    merges: true,
    hostile: choices.chance(50) ? hostileExpression : undefined,
  });
  const depth = 1 + choices.int(3);
  const set = choices.chance(30) ? choices.some(settings, 1).slice(0, 3) : [];
  const writes = choices.chance(35) ? write(grammar, depth) : undefined;
  const text = writes ?? query(grammar, nothing, depth).text;
  const current = choices.chance(6) ? atCursor(grammar) : undefined;
  const messages = current ?? wrapped(choices, text, writes !== undefined);
  const before = [say.query("begin"), ...set.map((setting) => say.query(`set local ${setting}`))];
  return {
    text: [...set.map((setting) => `set local ${setting};`), current?.text ?? text].join(" "),
    messages: [...before, ...messages.messages, say.query("rollback"), say.query("deallocate all")],
    syncs: before.length + messages.syncs + 2,
  };
}

/** A write to the row that a cursor stands at. */
function atCursor(grammar: Grammar): (Messages & { readonly text: string }) | undefined {
  const { choices, world } = grammar;
  const targets = world.tables.filter(
    ({ rules }) => rules?.select !== undefined && rules.update !== undefined,
  );
  if (targets.length === 0) return undefined;
  const target = choices.pick(targets);
  const item = { alias: "t", columns: visibleColumns(target) };
  const where = choices.chance(60) ? ` where ${condition(grammar, { items: [item] }, 2)}` : "";
  const texts = [
    `declare c ${choices.pick(["", "scroll "])}cursor for select ${choices.pick(["*", "t.id", "count(*) over ()"])} from ${qualified(target)} t${where}`,
    choices.pick(["fetch 1 from c", "fetch 2 from c", "move 2 in c"]),
    choices.pick([
      `update ${qualified(target)} set ref = ref where current of c returning *`,
      `update ${qualified(target)} t set flag = null where current of c`,
      `delete from ${qualified(target)} where current of c returning id`,
    ]),
    "fetch all from c",
  ];
  return { ...simple(...texts), text: texts.join("; ") };
}

const simple = (...texts: readonly string[]): Messages => ({
  messages: texts.map((text) => say.query(text)),
  syncs: texts.length,
});

/** The ways in which a statement can be run, and be asked about. */
function wrapped(choices: Choices, text: string, writes: boolean): Messages {
  const plain = [
    () => simple(text),
    () => simple(text),
    () => ({ messages: [...extended(text), say.sync], syncs: 1 }),
    () => simple(`prepare p as ${text}`, "execute p", "execute p", "deallocate p"),
    () => simple(`explain ${text}`),
    () => simple(`explain (verbose, analyze, timing off, summary off, buffers off) ${text}`),
    () => simple(`explain (verbose, format json, costs on, settings) ${text}`),
    () => ({
      messages: [
        say.parse("s", text),
        say.describe("S", "s"),
        say.sync,
        say.bind("", "s"),
        say.describe("P", ""),
        say.execute("", 1),
        say.execute(""),
        say.close("S", "s"),
        say.sync,
      ],
      syncs: 2,
    }),
    () => simple(`savepoint s; ${text}; select 1`, "rollback to s"),
  ];
  const reads = [
    () => simple(`copy (${text}) to stdout`),
    () => simple(`copy (${text}) to stdout with (format csv, header, force_quote *)`),
    () =>
      simple(
        `declare c scroll cursor for ${text}`,
        "move 2 in c",
        "fetch backward 1 from c",
        "fetch all from c",
        "fetch absolute -1 from c",
        "close c",
      ),
    () => simple(`declare c cursor with hold for ${text}`, "fetch 3 from c", "close c"),
    () => simple(`select count(*) from (${text}) outermost`),
    () => simple(`select outermost from (${text}) outermost limit 1`),
  ];
  // After a refused definition its name is looked for in a fresh catalog, which takes its time.
  const defining = [
    () =>
      simple(
        `create temporary table taken as ${text}`,
        "select taken::text, count(*) over () from taken",
        "drop table taken",
      ),
    () =>
      simple(
        `create temporary view shown as ${text}`,
        "select * from shown",
        "select pg_get_viewdef('shown'::regclass)",
      ),
    () => simple(`create materialized view kept as ${text}`),
    () => simple(`select * into temporary taken from (${text}) s`, "table taken"),
  ];
  if (!writes && choices.chance(2)) return choices.pick(defining)();
  return choices.pick(writes ? plain : [...plain, ...reads])();
}
