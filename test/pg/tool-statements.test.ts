import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  createTestDatabase,
  describeServers,
  loginPassword,
  type TestDatabase,
} from "./embedded-database.ts";
import { differing, refused, refusedByServer, type Reason } from "./tool-refusals.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";
import { connectStateful, type Outcome, type StatefulClient } from "./statement-outcome.ts";

/** A statement that a tool really sends; those of one tool in its own order. */
type Statement = { readonly tool: string; readonly sql: string };

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");

const statements = ["tool-introspection.jsonl", "tool-statements.jsonl"].flatMap((file) =>
  fixture(file)
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Statement),
);

const role = "tool_user";
const everything = { select: "all", insert: "all", update: "all", delete: "all" };
const definitions = ["create", "alter", "drop", "truncate", "comment", "index"];
const sequences = ["users_id_seq", "posts_id_seq", "shop.customers_id_seq", "shop.orders_id_seq", "shop.sq"];

/** All that a role file can open. */
const roleFile = {
  tables: {
    "public.*": everything,
    "shop.*": everything,
    ...Object.fromEntries(sequences.map((name) => [name, { select: "all" }])),
  },
  functions: { allow: ["shop.f", "uuid_generate_v4"] },
  definitions: { "public.*": definitions, "shop.*": definitions },
  session: {
    temporary_tables: true,
    advisory_locks: true,
    two_phase: true,
    listen: ["*"],
    notify: ["*"],
  },
};

/** What tools do first, where the capture begins in the middle. */
function before(sql: string, client: StatefulClient): string | undefined {
  if (/^\s*declare\b/i.test(sql)) return client.inTransaction() ? "close all" : "begin";
  return /^\s*savepoint\b/i.test(sql) && !client.inTransaction() ? "begin" : undefined;
}

/** A value for each parameter of a statement, by the type that the server gives it. */
async function parametersFor(client: StatefulClient, sql: string, number: number): Promise<unknown[]> {
  if (!/\$\d/.test(sql) || /^\s*(prepare|alter user)\b/i.test(sql)) return [];
  const prepared = await client.run(`prepare described as ${sql}`, []);
  if (prepared.kind === "error") return [];
  const types = await client.run(
    "select unnest(parameter_types)::text from pg_prepared_statements where name = 'described'",
    [],
  );
  await client.run("deallocate described", []);
  return types.kind === "rows"
    ? types.rows.map(([type], index) => sample(String(type), named(sql, index) ?? `text ${number}.${index}`))
    : [];
}

/** Texts that have to name something. */
function named(sql: string, index: number): string | undefined {
  if (/::varchar::xid/.test(sql)) return "3";
  if (/to_regtype|::regtype/.test(sql)) return "int4";
  if (/::(pg_catalog\.)?regproc/.test(sql)) return "shop.f";
  return /regclass/.test(sql) ? ["public", "users"][index] : undefined;
}

function sample(type: string, text: string): string {
  if (type === "regclass") return "public.users";
  if (type.endsWith("[]")) return "{}";
  if (/int|numeric|oid|double|real/.test(type)) return "1";
  if (/json/.test(type)) return "{}";
  if (/time|date/.test(type)) return "2024-05-01";
  if (type === "boolean") return "true";
  if (type === "uuid") return "9b2f1d0e-4a4b-4f7e-8d55-0a3f6a1b2c3d";
  if (type === "regtype") return "int4";
  if (type === "regnamespace") return "public";
  if (/enum/.test(type)) return "a";
  return text;
}

/** The names of the two databases made alike, and moments; rows that no ORDER BY orders are sorted here. */
function comparable({ rows }: Extract<Outcome, { kind: "rows" }>, database: string, sql: string): string {
  const ordered = /order by/i.test(sql)
    ? rows
    : rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  return JSON.stringify(ordered)
    .replaceAll(database, "the_database")
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\+00/g, "a moment");
}

function reasonFor(reasons: readonly Reason[], text: string): Reason | undefined {
  return reasons.find(({ statement }) => statement.test(text));
}

describeServers((server, major) => {
  let template: TestDatabase;
  let direct: TestDatabase;
  let proxied: TestDatabase;
  let proxy: RunningProxy;
  beforeAll(async () => {
    template = await createTestDatabase({ server });
    await template.addRole(role);
    await template.query(`
      create extension "uuid-ossp";
      create schema shop authorization ${role};
      grant create on schema public to ${role};
      set role ${role};
      ${fixture("tool-statements.sql")}`);
    direct = await createTestDatabase({ server, template: template.name });
    proxied = await createTestDatabase({ server, template: template.name });
    proxy = await startTestProxy({
      database: proxied,
      roles: { [role]: { file: roleFile } },
      users: { alice: {} },
    });
  });
  afterAll(async () => {
    await proxy?.close();
    for (const database of [direct, proxied, template]) await database?.close();
  });

  test(
    "what Postgres runs of a tool's statements runs through rolegate too",
    { timeout: 300_000 },
    async () => {
      const unexplained: unknown[] = [];
      const used = new Set<Reason>();
      const explained = (reasons: readonly Reason[], text: string, found: unknown) => {
        const reason = reasonFor(reasons, text);
        if (reason === undefined) unexplained.push(found);
        else used.add(reason);
      };
      let ran = 0;
      for (const [tool, group] of Map.groupBy(statements, (statement) => statement.tool)) {
        const { host, port, name } = direct;
        const login = { user: `rolegate_${role}`, password: loginPassword, options: `-c role=${role}` };
        const without = await connectStateful({ host, port, database: name, ...login });
        const through = await connectStateful(proxy.client("alice"));
        for (const [number, { sql }] of group.entries()) {
          const text = sql.replaceAll(/\s+/g, " ").trim();
          const first = before(sql, without);
          const values = await parametersFor(without, sql, number);
          const outcomes = [];
          for (const client of [without, through]) {
            if (first !== undefined) await client.run(first, []);
            outcomes.push(await client.run(sql, values));
          }
          const [expected, found] = outcomes as [Outcome, Outcome];
          if (expected.kind === "error") explained(refusedByServer, text, { tool, text, expected });
          else if (found.kind === "error") explained(refused, text, { tool, text, found });
          else if (comparable(expected, direct.name, sql) !== comparable(found, proxied.name, sql))
            explained(differing, text, { tool, text, expected, found });
          else ran += 1;
          if (expected.kind === "error" || found.kind === "error")
            for (const client of [without, through])
              if (client.inTransaction()) {
                await client.run("rollback", []);
                await client.run("begin", []);
              }
        }
        await without.end();
        await through.end();
      }
      expect(unexplained).toEqual([]);
      expect(ran).toBeGreaterThan(500);
      const stale = [...refused, ...differing, ...refusedByServer].filter(
        (reason) => !used.has(reason) && (reason.major ?? major) === major,
      );
      expect(stale).toEqual([]);
    },
  );
});
