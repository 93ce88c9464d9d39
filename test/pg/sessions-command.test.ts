import { execFile } from "node:child_process";
import { hostname } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createLogger } from "../../src/log.ts";
import { listSessions } from "../../src/store/sessions.ts";
import { Store } from "../../src/store/store.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";
import { createTokenIssuer } from "./token-issuer.ts";
import { createTestStore, type TestStore } from "./store-database.ts";

let database: TestDatabase;
let shared: TestStore;
let store: Store;
let proxies: RunningProxy[];

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int)" });
  shared = await createTestStore();
  store = new Store(shared.address, createLogger("silent"));
  const select = { tables: { t: { select: "all" } }, functions: { allow: ["pg_sleep"] } };
  const start = () =>
    startTestProxy({
      database,
      roles: { listed_one: { file: select }, listed_two: { file: select } },
      users: { alice: {}, bob: {} },
      more: { store: shared.setting },
    });
  proxies = await Promise.all([start(), start()]);
});
afterAll(async () => {
  await Promise.all((proxies ?? []).map((proxy) => proxy.close()));
  await store?.close();
  await shared?.close();
  await database?.close();
});

const main = join(import.meta.dirname, "../../src/cli/main.ts");
const rolegate = (...words: string[]) =>
  promisify(execFile)(process.execPath, [main, ...words, "-c", join(proxies[0]!.directory, "rolegate.yaml")]);

type Listed = Readonly<Record<string, string>>;

async function listed(...words: string[]): Promise<Listed[]> {
  const { stdout } = await rolegate("sessions", "--json", ...words);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Listed);
}

const soon = { timeout: 20_000, interval: 100 };

/** What the command lists, without starting it each time. */
const shown = () => listSessions((sql, values) => store.query(sql, values));
const names = async () => (await shown()).map(({ identity }) => identity).toSorted();

test("sessions of all instances are listed, with what they are at, and ended by id and by what they are", async () => {
  const [first, second] = proxies as [RunningProxy, RunningProxy];
  const idle = await first.connect("alice");
  const open = await second.connect("alice");
  await open.query("set role listed_two");
  await open.query("begin");
  const busy = await second.connect("bob");
  const sleeping = busy.query("select pg_sleep(60)").catch((error: Error) => error);
  await expect
    .poll(async () => (await shown()).map(({ identity, role, state }) => [identity, role, state]), soon)
    .toEqual([
      ["alice", "listed_one", "idle"],
      ["alice", "listed_two", "idle in transaction"],
      ["bob", "listed_one", "active"],
    ]);
  const [one] = await listed("--role", "listed_one", "--identity", "alice");
  const started = (await first.record()).find(({ event }) => event === "session start");
  expect(one).toEqual({
    id: started!["session"],
    identity: "alice",
    method: "password",
    role: "listed_one",
    database: database.name,
    client: started!["client"],
    begun: expect.any(String) as string,
    state: "idle",
    instance: `${hostname()}:${process.pid}`,
  });
  expect(await listed("--client", "127.0.0.1", "--state", "active")).toHaveLength(1);
  expect(await listed("--database", "another")).toEqual([]);

  const concerned = await rolegate("revoke", "bob", "--reason", "x", "--dry-run");
  expect(concerned.stdout).toContain("would revoke name bob and end 1 sessions");

  const ended = new Promise((resolve) => idle.once("end", resolve));
  await rolegate("sessions", "end", one!["id"]!, "--reason", "runaway query");
  await ended;
  expect(await first.record()).toContainEqual(
    expect.objectContaining({
      event: "session end",
      session: one!["id"],
      reason: "the session was ended: runaway query",
    }),
  );
  // It is the session that was ended, and nobody's access.
  await (await first.connect("alice")).end();
  expect((await open.query("select 1 as one")).rows).toEqual([{ one: 1 }]);

  await rolegate("sessions", "end", "--identity", "bob", "--reason", "tidy up");
  expect(await sleeping).toMatchObject({ code: "57P01" });
  await expect(rolegate("sessions", "end", "--reason", "everybody")).rejects.toMatchObject({ code: 2 });
  await expect(rolegate("sessions", "end", one!["id"]!)).rejects.toMatchObject({ code: 2 });
  await expect(rolegate("sessions", "end", "'; --", "--reason", "x")).rejects.toMatchObject({ code: 1 });
  await expect.poll(async () => (await shown()).map(({ identity }) => identity), soon).toEqual(["alice"]);
  await open.end();
});

test("instances that are gone vanish with their sessions, and what a crash of the store loses comes again", async () => {
  const [first] = proxies as [RunningProxy];
  const client = await first.connect("alice");
  await expect.poll(shown, soon).toHaveLength(1);
  await shared.database.query("truncate rolegate.instances cascade");
  expect(await shown()).toEqual([]);
  await client.query("begin");
  await expect.poll(shown, soon).toHaveLength(1);
  const strange = "00000000-0000-4000-8000-000000000000";
  await shared.database.query(
    `insert into rolegate.instances (id, host, pid, seen_at) values ('${strange}', 'gone', 1, now() - interval '20 s')`,
  );
  await shared.database.query(
    `insert into rolegate.sessions values ('${strange}', '${strange}', 'a', 'jwt', '{}', 'r', 'd', 'c', now(), 'idle')`,
  );
  expect(await shown()).toHaveLength(1);
  await expect
    .poll(async () => (await shared.database.query("select from rolegate.instances")).rowCount, soon)
    .toBe(2);
  await client.end();
});

test("a token whose id no database takes keeps nobody's session from being shown", async () => {
  const issuer = await createTokenIssuer();
  const tokens = await startTestProxy({
    database,
    roles: { listed_one: { file: { tables: { t: { select: "all" } } } } },
    users: {},
    more: { store: shared.setting, identities: [issuer.entry({ allowPlaintextOnLoopback: true })] },
  });
  const connect = async (email: string, claims: object) => {
    const password = await issuer.sign({ email, ...claims });
    return tokens.connect(email, { password });
  };
  await connect("eve@example.com", { jti: "a\0b\ud800" });
  await connect("sam@example.com", {});
  await expect.poll(names, soon).toEqual(["eve@example.com", "sam@example.com"]);
  await tokens.close();
});
