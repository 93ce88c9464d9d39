import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { informationSchema, pgCatalog, type CatalogEntry } from "../../src/rewrite/catalogs/catalog-table.ts";
import { createTestDatabase, describeServers, type TestDatabase } from "./embedded-database.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";
import { connectStateful, type StatefulClient } from "./statement-outcome.ts";

/** What no catalog may show to anyone. */
const secrets = (database: string): string[] => [
  "create table secret (value text)",
  "insert into secret select 'CANARY ' || n % 3 from generate_series(1, 200) n",
  "create statistics secret_kinds (mcv) on value, (value || 'x') from secret",
  "analyze secret",
  "select lo_from_bytea(0, 'CANARY')",
  "create extension postgres_fdw",
  "create server elsewhere foreign data wrapper postgres_fdw options (host 'CANARY.example')",
  "create user mapping for public server elsewhere options (user 'u', password 'CANARY')",
  "create foreign table away (a int) server elsewhere options (table_name 'CANARY')",
  "create subscription pull connection 'host=CANARY' publication p with (connect = false, slot_name = none)",
  "alter role canary_reader set app.key = 'CANARY'",
  `alter database ${database} set app.other_key = 'CANARY'`,
  "alter table secret add column later text default 'CANARY'",
  "alter table secret alter column later drop default",
];

/** What a role without definitions and comments may not see either. */
const definitions = [
  "create view told as select 'MAGPIE' as word",
  "create materialized view kept as select 'MAGPIE' as word",
  "create function telling(x text default 'MAGPIE') returns text language sql as $$ select 'MAGPIE' $$",
  "create function telling_too() returns text begin atomic select 'MAGPIE'; end",
  "create function fired() returns trigger language plpgsql as $$ begin return new; end $$",
  "create table ruled (a text default 'MAGPIE', b text generated always as (a || 'MAGPIE') stored, constraint c check (a <> 'MAGPIE'))",
  "create index on ruled ((a || 'MAGPIE')) where a <> 'MAGPIE'",
  "create statistics ruled_kinds on (a || 'MAGPIE'), b from ruled",
  "create trigger t before insert on ruled for each row when (new.a = 'MAGPIE') execute function fired('MAGPIE')",
  "create rule r as on delete to ruled where old.a = 'MAGPIE' do instead nothing",
  "create policy p on ruled using (a = 'MAGPIE') with check (a = 'MAGPIE')",
  "create domain worded as text default 'MAGPIE' check (value <> 'MAGPIE')",
  "create table parts (a text) partition by list ((a || 'MAGPIE'))",
  "create table part partition of parts for values in ('MAGPIE')",
  "create publication p for table ruled where (a = 'MAGPIE')",
  "comment on table ruled is 'MAGPIE'",
  "comment on column ruled.a is 'MAGPIE'",
  "comment on role canary_reader is 'MAGPIE'",
];

const roles = {
  canary_reader: { file: { tables: { ruled: { select: "all" } } } },
  canary_outsider: {
    file: { tables: { ruled: { select: "all" } }, catalogs: { definitions: "hidden", comments: "hidden" } },
  },
} as const;

/** Ways of looking at a catalog as a whole. */
const ways: readonly ((name: string) => string)[] = [
  (name) => `select * from ${name}`,
  (name) => `table ${name}`,
  (name) => `select row_to_json(x) from ${name} as x`,
  (name) => `select x.row_to_json from ${name} x`,
  (name) => `select (x).* from (select y as x from ${name} y) z`,
  (name) => `select r.* from (select 1 as one) q natural join ${name} r`,
  (name) => `select j::text from (${name} a cross join (select 1) b) as j`,
  (name) => `with w as (select * from ${name}) select w from w`,
  (name) => `copy ${name} to stdout`,
];

/** Ways that tell apart what a view of the information schema shows; its views are slow. */
const fewWays = [ways[2]!, ways[8]!];

/** The server's own relations of which something is not shown, and the rest of them, which is looked at once. */
const statements = [
  ...pgCatalog.flatMap(([name, entry]) => (isWhole(entry) ? ways.slice(0, 1) : ways).map((way) => way(name))),
  ...informationSchema.flatMap(([name, entry]) =>
    (isWhole(entry) ? fewWays.slice(0, 1) : fewWays).map((way) => way(`information_schema.${name}`)),
  ),
];

function isWhole(entry: CatalogEntry | "refused"): boolean {
  return entry !== "refused" && Object.keys(entry).length === 0;
}

describeServers((server) => {
  let database: TestDatabase;
  let proxy: RunningProxy;
  let other: Client;
  const clients = new Map<string, StatefulClient>();
  beforeAll(async () => {
    database = await createTestDatabase({ server });
    for (const role of Object.keys(roles)) await database.addRole(role);
    for (const sql of [...definitions, ...secrets(database.name)]) await database.query(sql);
    await database.query("grant select on all tables in schema public to canary_reader, canary_outsider");
    other = new Client({ connectionString: database.adminUrl, application_name: "CANARY" });
    other.on("error", () => {});
    await other.connect();
    await other.query("select 'CANARY' as word");
    proxy = await startTestProxy({ database, roles, users: { alice: {} } });
    for (const role of Object.keys(roles)) {
      const client = await connectStateful(proxy.client("alice"));
      await client.run(`set role ${role}`, []);
      await client.run("prepare canary as select 'CANARY'", []);
      clients.set(role, client);
    }
  });
  afterAll(async () => {
    await other?.end();
    for (const client of clients.values()) await client.end();
    await proxy?.close();
    await database
      ?.query("alter subscription pull disable; alter role canary_reader reset app.key")
      .catch(() => {});
    await database?.query("drop subscription pull").catch(() => {});
    await database?.close();
  });

  test("the canaries are there", async () => {
    for (const name of [
      "pg_stats",
      "pg_stat_activity",
      "pg_user_mappings",
      "pg_roles",
      "pg_foreign_server",
    ]) {
      const { rows } = await database.query(`select x::text from ${name} x`);
      expect(JSON.stringify(rows), name).toContain("CANARY");
    }
    for (const name of ["pg_proc", "pg_description", "pg_views", "information_schema.triggers"]) {
      const { rows } = await database.query(`select x::text from ${name} x`);
      expect(JSON.stringify(rows), name).toContain("MAGPIE");
    }
  });

  /** What of a role's readings holds one of the words, and how many could be read. */
  const seen = async (
    role: keyof typeof roles,
    words: RegExp,
  ): Promise<{ read: number; shown: string[] }> => {
    const shown: string[] = [];
    let read = 0;
    for (const sql of statements) {
      const outcome = await clients.get(role)!.run(sql, []);
      if (outcome.kind === "error") {
        // No such relation in this version; refused; a view that is read as it is.
        const expected =
          ["42P01", "42501"].includes(outcome.code) || /cannot copy from view/.test(outcome.message);
        if (!expected) shown.push(`${sql}: ${outcome.message}`);
      } else {
        read += 1;
        if (words.test(JSON.stringify(outcome.rows))) shown.push(sql);
      }
    }
    return { read, shown };
  };

  test("no catalog shows a secret, whichever way it is read", { timeout: 300_000 }, async () => {
    const { read, shown } = await seen("canary_reader", /CANARY/);
    expect(shown).toEqual([]);
    expect(read).toBeGreaterThan(600);
  });

  test("no catalog shows a definition or a comment to a role without", { timeout: 300_000 }, async () => {
    const { read, shown } = await seen("canary_outsider", /CANARY|MAGPIE/);
    expect(shown).toEqual([]);
    expect(read).toBeGreaterThan(600);
  });

  describe("functions that tell of definitions and comments", () => {
    const calls = [
      "pg_get_viewdef('told'::regclass)",
      "pg_get_viewdef('kept'::regclass, true)",
      "pg_get_functiondef('telling'::regproc)",
      "pg_get_function_sqlbody('telling_too'::regproc)",
      "pg_get_function_arguments('telling'::regproc)",
      "pg_get_function_arg_default('telling'::regproc, 1)",
      "pg_get_expr(adbin, adrelid) from pg_attrdef",
      "pg_get_constraintdef(oid, true) from pg_constraint",
      "pg_get_indexdef(indexrelid) from pg_index where indrelid = 'ruled'::regclass",
      "pg_get_ruledef(oid) from pg_rewrite where ev_class = 'ruled'::regclass",
      "pg_get_triggerdef(oid, true) from pg_trigger",
      "pg_get_statisticsobjdef(oid) from pg_statistic_ext",
      "pg_get_statisticsobjdef_columns(oid) from pg_statistic_ext",
      "array_to_string(pg_get_statisticsobjdef_expressions(oid), ' ') from pg_statistic_ext",
      "pg_get_partkeydef('parts'::regclass)",
      "pg_get_partition_constraintdef('part'::regclass)",
      "pg_get_expr(relpartbound, oid) from pg_class",
      "pg_get_expr(polqual, polrelid) from pg_policy",
      "pg_get_expr(prqual, prrelid) from pg_publication_rel",
      "obj_description('ruled'::regclass, 'pg_class')",
      "col_description('ruled'::regclass, 1)",
      "shobj_description(oid, 'pg_authid') from pg_roles",
    ];
    test.each(calls)("%s", async (call) => {
      const open = await clients.get("canary_reader")!.run(`select ${call}`, []);
      expect(JSON.stringify(open)).toContain("MAGPIE");
      const hidden = await clients.get("canary_outsider")!.run(`select ${call}`, []);
      expect(hidden.kind).toBe("rows");
      expect(JSON.stringify(hidden)).not.toContain("MAGPIE");
    });
  });

  test("a plan tells of definitions too", async () => {
    const open = await clients.get("canary_reader")!.run("explain (verbose) select * from ruled", []);
    expect(open.kind).toBe("rows");
    const hidden = await clients.get("canary_outsider")!.run("explain (verbose) select * from ruled", []);
    expect(hidden).toMatchObject({ kind: "error", code: "42501" });
  });

  test("a session's own counters, sizes and positions are NULL", async () => {
    const reader = clients.get("canary_reader")!;
    const found = await reader.run(
      `select max(reltuples) is null and max(relpages) is null,
              (select count(n_live_tup) = 0 and count(*) > 0 from pg_stat_user_tables),
              (select count(seq_tup_read) = 0 and count(*) > 0 from pg_stat_xact_all_tables),
              (select count(*) = 1 and count(query) = 0 from pg_stat_activity)
         from pg_class`,
      [],
    );
    expect(found).toEqual({ kind: "rows", rows: [["t", "t", "t", "t"]] });
  });
});
