import { Client, DatabaseError, type QueryArrayResult } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { Catalog } from "../../src/catalog/catalog.ts";
import { sqlstate } from "../../src/errors.ts";
import type { Grants } from "../../src/policy/grants.ts";
import { judge } from "../../src/rewrite/judge.ts";
import { loadParser, type Parser } from "../../src/sql/parser.ts";
import { createTestDatabase, describeServers, type TestDatabase } from "../pg/embedded-database.ts";
import type { TestServer } from "../pg/global-setup.ts";
import { catalogOf, grantsOf } from "../pg/judgement-context.ts";
import { startTestProxy, type RunningProxy } from "../pg/running-proxy.ts";
import { missedRelations } from "../properties/independent-relations.ts";
import { caseRoles, readCases, readFixture, type Case } from "./case.ts";

// In the database the roles may do nearly everything: what holds here is the proxy alone.
const granted = (role: string): string => `
  grant usage on schema public, reporting, private to ${role};
  grant all on all tables in schema public, reporting, private to ${role};
  grant all on all sequences in schema public to ${role};${role === "migrator" ? owned : ""}`;

// What only an owner may do: everything in the schema that the migrator defines.
const owned = `
  grant create, temporary on database :database to migrator;
  alter schema app owner to migrator;
  do $$ declare r record; begin
    for r in select relname, relkind from pg_class where relnamespace = 'app'::regnamespace and relkind in ('r', 'p', 'v', 'm')
      or relnamespace = 'app'::regnamespace and relname in ('numbers') loop
      execute format('alter %s app.%I owner to migrator', case r.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' else 'table' end, r.relname);
    end loop;
  end $$;
  alter type app.mood owner to migrator;`;

/** What the cases of one server run with. */
type Bench = {
  readonly database: TestDatabase;
  readonly proxy: RunningProxy;
  readonly catalog: Catalog;
  readonly parser: Parser;
  readonly grants: ReadonlyMap<string, Grants>;
  readonly sessions: ReadonlyMap<string, Client>;
  readonly notices: string[];
};

async function setUp(server: TestServer): Promise<Bench> {
  const database = await createTestDatabase({ sql: readFixture("schema.sql"), server });
  const files = Object.fromEntries(caseRoles.map((role) => [role, readFixture(`roles/${role}.yaml`)]));
  const proxy = await startTestProxy({
    database,
    roles: Object.fromEntries(
      caseRoles.map((role) => [
        role,
        {
          file: { ...(parse(files[role]!) as object), database: database.name },
          grants: granted(role).replace(":database", database.name),
        },
      ]),
    ),
    users: { alice: { tenant: 1 } },
  });
  const catalog = await catalogOf(database);
  const parser = await loadParser(catalog.serverMajor);
  const grants = new Map<string, Grants>();
  const sessions = new Map<string, Client>();
  const notices: string[] = [];
  for (const role of caseRoles) {
    grants.set(role, grantsOf(files[role]!, role, parser, { tenant: 1 }));
    const session = await proxy.connect("alice");
    session.on("notice", (notice) => notices.push(JSON.stringify(notice)));
    await session.query(`set role ${role}`);
    sessions.set(role, session);
  }
  return { database, proxy, catalog, parser, grants, sessions, notices };
}

const roles: ReadonlySet<string> = new Set(caseRoles);

function judged(one: Case, { grants, catalog, parser }: Bench): ReturnType<typeof judge> {
  return judge(one.sql, {
    grants: grants.get(one.role ?? "analyst")!,
    catalog,
    parser,
    searchPath: ["public"],
    roles,
  });
}

/** int4 as numbers, everything else as the text that the server sent. */
const types = { getTypeParser: (oid: number) => (oid === 23 ? Number : String) };

describeServers((server, major) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await setUp(server);
  });
  afterAll(async () => {
    await bench.proxy.close();
    await bench.database.close();
  });
  const casesOfServer = readCases().map(
    ([file, cases]) =>
      [file, cases.filter(({ since = 0, until = 99 }) => major >= since && major <= until)] as const,
  );

  describe.each(casesOfServer)("%s, by itself", (_file, cases) => {
    test.each(cases)("$name", (one) => {
      const verdict = judged(one, bench);
      if (one.refused !== undefined) {
        expect(verdict.kind === "refuse" ? sqlstate(verdict.problem) : verdict.text).toBe(one.refused);
        if (one.message !== undefined)
          expect(verdict.kind === "refuse" && verdict.problem.message).toBe(one.message);
        return;
      }
      expect(verdict.kind === "refuse" ? verdict.problem : undefined).toBeUndefined();
      if (verdict.kind === "refuse") return;
      const touched = verdict.statements.flatMap(({ relations }) => relations);
      expect(missedRelations(one.sql, verdict.text, touched) ?? []).toEqual([]);
      if (one.sent !== undefined) expect(verdict.text).toBe(one.sent.trim());
      if (one.discardRows !== undefined) expect(verdict.statements[0]!.discardRows).toBe(one.discardRows);
    });
  });

  describe.each(casesOfServer)("%s, through the proxy", (_file, cases) => {
    test.each(cases.filter((one) => one.pure !== true))("$name", async (one) => {
      const seen = await throughProxy(one, bench);
      // Another role may see what the analyst must not.
      expect(["analyst", "writer"].includes(one.role ?? "analyst") ? seen : "").not.toContain("CANARY");
    });
  });
});

/** Runs a case and holds what comes of it to what the case says; gives all that came back. */
async function throughProxy(one: Case, { sessions, notices }: Bench): Promise<string> {
  const session = sessions.get(one.role ?? "analyst")!;
  notices.length = 0;
  let seen = "";
  if (one.outside !== true) await session.query("begin");
  try {
    const result = await run(session, one.sql);
    seen = JSON.stringify(result.rows);
    expect(one.refused ?? one.error, "it should have failed").toBeUndefined();
    if (one.rows !== undefined) expect(result.rows).toEqual(one.rows);
    if (one.count !== undefined) expect(result.rowCount).toBe(one.count);
    if (one.discardRows === true) expect([result.fields, result.rows]).toEqual([[], []]);
    if (one.after !== undefined) expect((await run(session, one.after.sql)).rows).toEqual(one.after.rows);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    const { code, message, detail, hint, where } = error;
    seen = JSON.stringify({ message, detail, hint, where });
    expect(code, message).toBe(one.denied === undefined ? (one.refused ?? one.error) : "42501");
    if (one.message !== undefined) expect(message).toBe(one.message);
    if (one.denied !== undefined) expect(message).toContain(one.denied);
  } finally {
    await session.query(one.outside === true ? "discard all" : "rollback");
    if (one.outside === true) await session.query(`set role ${one.role ?? "analyst"}`);
  }
  return seen + notices.join("");
}

/** The result of the text's last statement. */
async function run(session: Client, text: string): Promise<QueryArrayResult> {
  const results = (await session.query({ text, rowMode: "array", types })) as
    | QueryArrayResult
    | QueryArrayResult[];
  return Array.isArray(results) ? results.at(-1)! : results;
}
