import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { connectRaw, extended, kinds, say } from "./raw-connection.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

let database: TestDatabase;
let proxy: RunningProxy;

const grants = (role: string) => ({ grants: `grant select on all tables in schema public to ${role}` });

beforeAll(async () => {
  database = await createTestDatabase({ template: "shop" });
  proxy = await startTestProxy({
    database,
    roles: {
      change_one: {
        file: { tables: { customers: { select: { rows: "tenant_id = 1" } } } },
        ...grants("change_one"),
      },
      change_two: {
        file: { tables: { customers: { select: { rows: "tenant_id = 2" } } } },
        ...grants("change_two"),
      },
      change_needy: {
        file: { tables: { customers: { select: { rows: "tenant_id = identity.region" } } } },
        ...grants("change_needy"),
      },
    },
    users: { alice: { tenant: 1 }, rita: { region: 7 } },
  });
});
afterAll(async () => {
  await proxy?.close();
  await database?.close();
});

const tenants = "select distinct tenant_id as t, current_user::text as u from customers";

test("SET ROLE changes rules and database role together, RESET ROLE and DISCARD ALL go back", async () => {
  const client = await proxy.connect("alice");
  const seen = async () => (await client.query(tenants)).rows as unknown;
  expect(await seen()).toEqual([{ t: 1, u: "change_one" }]);
  expect(await client.query("set role change_two")).toMatchObject({ command: "SET" });
  expect(await seen()).toEqual([{ t: 2, u: "change_two" }]);
  expect((await client.query("show rolegate.role")).rows).toEqual([{ "rolegate.role": "change_two" }]);
  await client.query("reset role");
  expect(await seen()).toEqual([{ t: 1, u: "change_one" }]);
  await client.query({ name: "to-two", text: "set role change_two" });
  expect(await seen()).toEqual([{ t: 2, u: "change_two" }]);
  await client.query("discard all");
  expect(await seen()).toEqual([{ t: 1, u: "change_one" }]);
  const roles = (await proxy.statements())
    .filter((line) => line["sql"] === tenants)
    .map((line) => line["role"]);
  expect(roles).toEqual(["change_one", "change_two", "change_one", "change_two", "change_one"]);
});

test("settings that the server reports go along", async () => {
  const client = await proxy.connect("alice");
  await client.query("set timezone = 'Asia/Tokyo'");
  await client.query("set application_name = 'mine'");
  await client.query("set role change_two");
  const { rows } = await client.query(
    "select current_setting('timezone') as zone, current_setting('application_name') as name",
  );
  expect(rows).toEqual([{ zone: "Asia/Tokyo", name: "mine" }]);
});

test("to the role that the session has changes nothing, wherever it stands", async () => {
  const client = await proxy.connect("alice");
  await client.query("begin");
  const { rows: before } = await client.query("select pg_backend_pid() as pid, current_user::text as name");
  expect(await client.query("set role change_one")).toMatchObject({ command: "SET" });
  const { rows: after } = await client.query("select pg_backend_pid() as pid, current_user::text as name");
  expect(after).toEqual(before);
  await client.query("commit");
});

test("refused in a transaction, beside other statements, and to a role that is not the identity's", async () => {
  const client = await proxy.connect("alice");
  await client.query("begin");
  await expect(client.query("set role change_two")).rejects.toMatchObject({ code: "25001" });
  await client.query("rollback");
  await expect(client.query("set role change_two; select 1")).rejects.toMatchObject({ code: "25001" });
  await expect(client.query("set role postgres")).rejects.toMatchObject({ code: "42501" });
  await expect(client.query("set role none")).rejects.toMatchObject({ code: "42501" });
  await expect(client.query("set session authorization postgres")).rejects.toMatchObject({ code: "42501" });
  await expect(client.query("set role change_needy")).rejects.toMatchObject({ code: "28000" });
  expect((await client.query(tenants)).rows).toEqual([{ t: 1, u: "change_one" }]);
  const refused = (await proxy.statements()).filter((line) => line["verdict"] === "refuse");
  expect(refused).toContainEqual(
    expect.objectContaining({
      sql: "set role change_two",
      kind: "SET ROLE",
      refusal: expect.objectContaining({ sqlstate: "25001" }) as object,
    }),
  );
});

test("in a pipeline, what follows runs under the new role", async () => {
  const raw = await connectRaw(proxy.client("alice"));
  const lines = await raw.ask(
    [
      ...extended("set role change_two"),
      say.sync,
      ...extended(tenants),
      say.sync,
      say.query("reset role"),
      say.query(tenants),
    ],
    4,
  );
  expect(lines.filter((line) => line.startsWith("DataRow"))).toEqual([
    'DataRow "2" "change_two"',
    'DataRow "1" "change_one"',
  ]);
  // Nothing can follow in the same group: half of it would run under the old role.
  const beside = await raw.ask([...extended("set role change_two"), ...extended(tenants), say.sync]);
  expect(kinds(beside)).toContain("ErrorResponse");
  expect(beside.some((line) => line.startsWith("DataRow"))).toBe(false);
  // As with the server, what fails in the group takes the change back.
  expect(await raw.ask([say.query(tenants)])).toContain('DataRow "1" "change_one"');
  raw.close();
});

test("prepared statements stay behind, and nothing runs under the wrong verdict", async () => {
  const raw = await connectRaw(proxy.client("alice"));
  const lines = await raw.ask(
    [
      say.parse("mine", tenants),
      say.sync,
      say.query("set role change_two"),
      say.bind("", "mine"),
      say.execute(""),
      say.sync,
    ],
    3,
  );
  expect(lines.at(-2)).toContain("26000");
  raw.close();
});

test("no connection is left behind", async () => {
  const client = await proxy.connect("alice");
  for (const role of ["change_two", "change_one", "change_two"]) await client.query(`set role ${role}`);
  await client.end();
  await expect
    .poll(async () => {
      const { rows } = await database.query(
        "select count(*)::int as n from pg_stat_activity where datname = current_database() and usename = 'rolegate_change_two'",
      );
      return (rows as { n: number }[])[0]!.n;
    })
    .toBeLessThan(2);
});
