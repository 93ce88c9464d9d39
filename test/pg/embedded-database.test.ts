import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, loginPassword, type TestDatabase } from "./embedded-database.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ template: "shop" });
});
afterAll(() => database.close());

test("a copy of the shop has both tenants' rows", async () => {
  const { rows } = await database.query(
    "select tenant_id, count(*)::int as orders from orders group by 1 order by 1",
  );
  expect(rows).toEqual([
    { tenant_id: 1, orders: 120 },
    { tenant_id: 2, orders: 120 },
  ]);
});

test("a login that resets its role has no right of its own", async () => {
  await database.addRole("harness_reader", "grant select (id, name) on customers to harness_reader");
  const { host, port, name } = database;
  const client = new Client({
    host,
    port,
    database: name,
    user: "rolegate_harness_reader",
    password: loginPassword,
    options: "-c role=harness_reader",
  });
  await client.connect();
  expect((await client.query("select name from customers where id = 1")).rows).toHaveLength(1);
  await expect(client.query("select ssn from customers")).rejects.toThrow("permission denied");
  await client.query("set role none");
  await expect(client.query("select name from customers")).rejects.toThrow("permission denied");
  await client.end();
});
