import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Catalog } from "../../src/catalog/catalog.ts";
import { readCatalog } from "../../src/catalog/load.ts";
import { bindGrants, compileRole } from "../../src/policy/grants.ts";
import { readRoleFile } from "../../src/policy/read.ts";
import { SlowJudge, type SlowJudgeOptions } from "../../src/session/slow-judge.ts";
import { loadParser } from "../../src/sql/parser.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";

let database: TestDatabase;
let catalog: Catalog;

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table orders (id int, tenant text)" });
  const client = new Client({
    connectionString: database.adminUrl,
    options: "-c search_path=pg_catalog,pg_temp",
  });
  await client.connect();
  ({ catalog } = await readCatalog(async (sql) => {
    const { rows } = await client.query<string[]>({ text: sql, rowMode: "array" });
    return rows[0]!;
  }));
  await client.end();
});
afterAll(() => database.close());

const open: SlowJudge[] = [];
afterEach(() => {
  for (const judge of open.splice(0)) judge.close();
});

const faults: unknown[] = [];
const judgeWith = (options: Partial<SlowJudgeOptions> = {}) => {
  const judge = new SlowJudge({ failed: (error) => faults.push(error), ...options });
  open.push(judge);
  return judge;
};

async function premises(attributes: Readonly<Record<string, string>> = { tenant: "one" }) {
  const parser = await loadParser(catalog.serverMajor);
  const { roleFile } = readRoleFile(
    "role: analyst\ndatabase: shop\ntables: { orders: { select: { rows: tenant = identity.tenant } } }\n",
    "roles/analyst.yaml",
  );
  const compiled = compileRole(roleFile!, parser);
  if (compiled.kind === "refused") throw new Error(JSON.stringify(compiled.problems));
  const identity = { name: "alice", method: "password", attributes, expiresAt: undefined } as const;
  const grants = bindGrants(compiled.role, identity);
  return { grants, catalog, parser, searchPath: ["public"], roles: new Set<string>() };
}

const nobody = new AbortController().signal;
const text = (sql: string) => Buffer.from(sql);
/** A second or so of work. */
const long = () => text(`select ${Array.from({ length: 60_000 }, (_, n) => `${n} + 1`).join(", ")}`);

describe("SlowJudge", () => {
  test("judges by the rules, the identity and the catalog that it is given", async () => {
    const judge = judgeWith();
    const [one, two] = [await premises(), await premises({ tenant: "two" })];
    const ask = (sql: string, context = one) => judge.judge(text(sql), context, nobody);
    expect(await ask("select 1")).toMatchObject({ problem: undefined, query: undefined });
    const sent = async (context: typeof one) =>
      Buffer.from((await ask("select * from orders", context)).query!).toString();
    expect(await sent(one)).toContain("(orders.tenant = 'one')");
    expect(await sent(two)).toContain("(orders.tenant = 'two')");
    expect(await ask("select * from secrets")).toMatchObject({
      problem: { code: "relation_not_allowed" },
      unresolved: true,
    });
    expect(await judge.judge(Buffer.from([0xff]), one, nobody)).toMatchObject({
      problem: { code: "encoding_invalid" },
    });
    expect(faults).toEqual([]);
  });

  test("gives up what takes too long, and goes on with the next", async () => {
    const judge = judgeWith({ deadline: 400 });
    const context = await premises();
    await judge.judge(text("select 1"), context, nobody);
    const begun = performance.now();
    const given = await judge.judge(long(), context, nobody);
    expect(given.problem).toMatchObject({
      code: "statement_too_complex",
      message: expect.stringMatching("too long"),
    });
    expect(performance.now() - begun).toBeLessThan(1000);
    const patient = judgeWith();
    expect(await patient.judge(text("select 1"), context, nobody)).toMatchObject({ problem: undefined });
  });

  test("leaves a thread to shorter texts while the other is at a long one", async () => {
    const judge = judgeWith();
    const context = await premises();
    await Promise.all([
      judge.judge(text("select 1"), context, nobody),
      judge.judge(text("select 2"), context, nobody),
    ]);
    let done = false;
    const slow = judge.judge(long(), context, nobody).finally(() => (done = true));
    for (let n = 0; n < 5; n++) await judge.judge(text(`select ${n}`), context, nobody);
    expect(done).toBe(false);
    await slow;
  });

  test("drops what nobody waits for any more", async () => {
    const judge = judgeWith();
    const context = await premises();
    const controller = new AbortController();
    const [running, waiting] = [long(), long()].map((sql) => judge.judge(sql, context, controller.signal));
    await sleep(50);
    const begun = performance.now();
    controller.abort();
    const cancelled = { problem: { code: "statement_cancelled" } };
    expect(await running).toMatchObject(cancelled);
    expect(await waiting).toMatchObject(cancelled);
    expect(performance.now() - begun).toBeLessThan(100);
    const next = text(`select '${"x".repeat(300_000)}'`);
    expect(await judge.judge(next, context, nobody)).toMatchObject({ problem: undefined });
  });

  test("refuses what would have to wait too long, and everything when it is closed", async () => {
    const judge = judgeWith({ patience: 100 });
    const context = await premises();
    const [running, crowded] = [judge.judge(long(), context, nobody), judge.judge(long(), context, nobody)];
    expect(await crowded).toMatchObject({ problem: { code: "judgement_busy" } });
    judge.close();
    expect(await running).toMatchObject({ problem: { code: "session_ended" } });
  });
});
