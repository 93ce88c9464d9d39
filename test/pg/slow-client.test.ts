import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { connectRaw, say } from "./raw-connection.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

let database: TestDatabase;
let proxy: RunningProxy;

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int); insert into t values (7)" });
  const roles = {
    slow_tester: { file: { tables: { t: { select: "all" } } }, grants: "grant select on t to slow_tester" },
  };
  proxy = await startTestProxy({ database, roles, users: { alice: {}, bob: {} } });
});
afterAll(async () => {
  await proxy.close();
  await database.close();
});

test("a session whose bytes come one by one is answered, and nobody waits for it", async () => {
  const slow = await connectRaw(proxy.client("alice"));
  const other = await proxy.connect("bob");
  const answer = slow.ask([]);
  let served = 0;
  for (const byte of say.query("select id from t")) {
    slow.socket.write(Buffer.of(byte));
    const { rows } = await other.query("select id from t");
    served += rows.length;
    await sleep(20);
  }
  expect((await answer).join("\n")).toContain("DataRow");
  expect(served).toBe(say.query("select id from t").length);
  slow.close();
});
