import { afterAll, beforeAll, expect, test } from "vitest";
import { createLogger } from "../../src/log.ts";
import { revoke } from "../../src/store/revocations.ts";
import { Store } from "../../src/store/store.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { connectRaw, extended, say } from "./raw-connection.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";
import { createTestStore, type TestStore } from "./store-database.ts";

let database: TestDatabase;
let shared: TestStore;
let store: Store;
let proxy: RunningProxy;

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (who text)" });
  shared = await createTestStore();
  store = new Store(shared.address, createLogger("silent"));
  proxy = await startTestProxy({
    database,
    roles: {
      pipeline_one: {
        file: { tables: { t: { select: "all", insert: "all" } }, functions: { allow: ["pg_sleep"] } },
        grants: "grant all on t to pipeline_one",
      },
    },
    users: { revoked: {}, gone: {}, polite: {}, other: {} },
    more: { store: shared.setting },
  });
});
afterAll(async () => {
  await proxy?.close();
  await store?.close();
  await shared?.close();
  await database?.close();
});

/** A statement that waits to be cancelled, and others behind it, all sent already. */
const trap = (who: string) => [
  say.query("select pg_sleep(100)"),
  say.query(`insert into t values ('${who}')`),
  ...extended("select pg_sleep(100)"),
  say.sync,
  ...extended(`insert into t values ('${who}')`),
  say.sync,
];

/** What the role's connections are at. */
async function upstream(): Promise<readonly string[]> {
  const { rows } = await database.query(
    `select query from pg_stat_activity where datname = current_database()
       and usename = 'rolegate_pipeline_one' and application_name <> 'rolegate catalog'`,
  );
  return (rows as { query: string }[]).map(({ query }) => query);
}

const written = async (who: string) => (await database.query("select from t where who = $1", [who])).rowCount;

test("what was sent in advance does not run behind a revocation", async () => {
  const session = await connectRaw(proxy.client("revoked"));
  const end = session.untilClosed(trap("revoked"));
  await expect.poll(upstream).toEqual([expect.stringContaining("pg_sleep")]);
  await revoke((sql, values) => store.query(sql, values), {
    kind: "name",
    value: "revoked",
    issuer: undefined,
    database: undefined,
    reason: "left",
    by: "ops",
    until: undefined,
  });
  expect((await end).at(-1)).toContain("57P01");
  await expect.poll(upstream, { timeout: 5000 }).toEqual([]);
  expect(await written("revoked")).toBe(0);
});

test("nor behind a client that has gone, or said that it goes", async () => {
  const gone = await connectRaw(proxy.client("gone"));
  gone.socket.write(Buffer.concat(trap("gone")));
  await expect.poll(upstream).toEqual([expect.stringContaining("pg_sleep")]);
  gone.socket.destroy();
  await expect.poll(upstream, { timeout: 5000 }).toEqual([]);
  expect(await written("gone")).toBe(0);

  const polite = await connectRaw(proxy.client("polite"));
  polite.socket.end(Buffer.concat([...trap("polite"), say.terminate]));
  await expect.poll(upstream).toEqual([expect.stringContaining("pg_sleep")]);
  await expect.poll(upstream, { timeout: 10_000 }).toEqual([]);
  expect(await written("polite")).toBe(0);
});

test("a client that leaves something unread behind it leaves no session that waits for ever", async () => {
  const gone = await connectRaw(proxy.client("other"));
  // The second waits for the first, and the third for the second.
  gone.socket.end(
    Buffer.concat([
      say.query("select pg_sleep(100)"),
      say.query("set search_path to public"),
      say.query("insert into t values ('other')"),
    ]),
  );
  await expect.poll(upstream).toEqual([expect.stringContaining("pg_sleep")]);
  await expect.poll(upstream, { timeout: 10_000 }).toEqual([]);
  expect(await written("other")).toBe(0);
  expect(await proxy.record()).toContainEqual(
    expect.objectContaining({ event: "session end", reason: "client closed the connection" }),
  );
});
