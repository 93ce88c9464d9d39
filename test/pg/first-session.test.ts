import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

let database: TestDatabase;
let proxy: RunningProxy;
beforeAll(async () => {
  database = await createTestDatabase({ template: "shop" });
  proxy = await startTestProxy({
    database,
    roles: {
      session_reader: {
        file: {
          tables: {
            customers: {
              select: { columns: ["id", "tenant_id", "name"], rows: "tenant_id = identity.tenant" },
            },
          },
        },
        grants: "grant select on all tables in schema public to session_reader",
      },
    },
    users: { alice: { tenant: 1 } },
  });
});
afterAll(async () => {
  await proxy?.close();
  await database?.close();
});

test("a client sees its own rows and nothing else", async () => {
  const client = await proxy.connect("alice");
  const { rows } = await client.query("select distinct tenant_id from customers");
  expect(rows).toEqual([{ tenant_id: 1 }]);
  const bound = await client.query("select name from customers where id = $1", [1]);
  expect(bound.rows).toHaveLength(1);
  await expect(client.query("select ssn from customers")).rejects.toMatchObject({ code: "42703" });
  expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
});
