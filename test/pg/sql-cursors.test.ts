import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { connectRaw, kinds, say, type RawConnection } from "./raw-connection.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

// psycopg 3 declares a cursor in SQL and describes it as a portal: on the server both are one.

let database: TestDatabase;
let proxy: RunningProxy;
let through: RawConnection;

beforeAll(async () => {
  database = await createTestDatabase({
    sql: "create table t (id int, tenant_id int); insert into t values (1, 1), (2, 1), (3, 2)",
  });
  const file = { tables: { t: { select: { rows: "tenant_id = identity.tenant" } } } };
  proxy = await startTestProxy({
    database,
    roles: { cursor_tester: { file, grants: "grant select on t to cursor_tester" } },
    users: { alice: { tenant: 1 } },
  });
  through = await connectRaw(proxy.client("alice"));
});
afterAll(async () => {
  through.close();
  await proxy.close();
  await database.close();
});

test("a cursor of SQL is described, fetched as a portal with the role's rows, and gone with its transaction", async () => {
  await through.ask([say.query("begin"), say.query("declare c cursor for select id from t")], 2);
  expect(kinds(await through.ask([say.describe("P", "c"), say.sync]))).toEqual([
    "RowDescription",
    "ReadyForQuery T",
  ]);
  const rows = (await through.ask([say.execute("c"), say.sync])).join("\n");
  expect(rows.match(/DataRow/g)).toHaveLength(2);
  const [ran] = (await proxy.statements()).slice(-1);
  expect(ran).toMatchObject({ kind: "SELECT", relations: ["public.t"], rows: 2 });
  await through.ask([say.query("commit")]);
  expect((await through.ask([say.execute("c"), say.sync])).join("\n")).toContain("34000");
});

test("a cursor WITH HOLD is a portal behind its transaction too, as Django's iterator() uses it", async () => {
  await through.ask([say.query("declare h no scroll cursor with hold for select id from t")]);
  expect(kinds(await through.ask([say.describe("P", "h"), say.sync]))).toEqual([
    "RowDescription",
    "ReadyForQuery I",
  ]);
  const rows = (await through.ask([say.execute("h"), say.sync])).join("\n");
  expect(rows.match(/DataRow/g)).toHaveLength(2);
  const [ran] = (await proxy.statements()).slice(-1);
  expect(ran).toMatchObject({ kind: "SELECT", relations: ["public.t"], rows: 2 });
  await through.ask([say.query("close h")]);
  expect((await through.ask([say.execute("h"), say.sync])).join("\n")).toContain("34000");
});

test("a name that is declared anew runs as what it is now", async () => {
  await through.ask([say.query("begin"), say.query("declare c cursor for select id from t")], 2);
  await through.ask([say.query("close c"), say.query("declare c cursor for select 7 as seven")], 2);
  const lines = (await through.ask([say.execute("c"), say.sync])).join("\n");
  expect(lines.match(/DataRow/g)).toHaveLength(1);
  const [ran] = (await proxy.statements()).slice(-1);
  expect(ran).toMatchObject({ relations: [] });
  await through.ask([say.query("rollback")]);
});
