import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, describeServers, type TestDatabase } from "./embedded-database.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

// A row rule must not cost the index: each plan is that of the text rolegate sends.

const schema = `
create table customers (id integer primary key, tenant_id integer not null, name text not null);
create table orders (
  id integer primary key, tenant_id integer not null, customer_id integer not null references customers,
  amount numeric not null, code text not null, created_at timestamptz not null);
insert into customers select i, i % 50, 'c' || i from generate_series(1, 20000) i;
insert into orders select i, i % 50, i % 20000 + 1, i, i::text, timestamptz '2025-01-01' + i * interval '1 minute'
  from generate_series(1, 60000) i;
create index orders_customer_id on orders (customer_id);
create index orders_created_at on orders (created_at);
create index orders_code on orders (code text_pattern_ops);
analyze;`;

const file = {
  tables: {
    customers: { select: { rows: "tenant_id = identity.tenant" } },
    orders: {
      select: { rows: "tenant_id = identity.tenant" },
      update: { columns: ["amount"], rows: "tenant_id = identity.tenant" },
    },
  },
};

describeServers((server) => {
  let database: TestDatabase;
  let proxy: RunningProxy;
  let session: Client;
  beforeAll(async () => {
    database = await createTestDatabase({ sql: schema, server });
    const grants = "grant select, update on all tables in schema public to planner";
    proxy = await startTestProxy({
      database,
      roles: { planner: { file, grants } },
      users: { alice: { tenant: 1 } },
    });
    session = await proxy.connect("alice");
  });
  afterAll(async () => {
    await proxy.close();
    await database.close();
  });

  async function plan(text: string): Promise<string> {
    const { rows } = await session.query<string[]>({ text: `explain ${text}`, rowMode: "array" });
    return rows.map(([line]) => line).join("\n");
  }

  test.each([
    ["a look-up by primary key", "select * from orders where id = 7", "orders_pkey"],
    [
      "a look-up by primary key with a parameter's cast",
      "select * from orders where id = '7'::int",
      "orders_pkey",
    ],
    [
      "a look-up beside a condition that can raise",
      "select * from orders where id = 7 and code::int > 1",
      "orders_pkey",
    ],
    ["a list of keys", "select * from orders where id in (1, 2, 3)", "orders_pkey"],
    [
      "a join on a foreign key",
      "select c.name, o.amount from customers c join orders o on o.customer_id = c.id where c.id = 51",
      "orders_customer_id",
    ],
    [
      "a range of an indexed timestamp",
      "select id from orders where created_at >= '2025-01-02' and created_at < '2025-01-02 01:00'",
      "orders_created_at",
    ],
    ["a range with now()", "select id from orders where created_at > now()", "orders_created_at"],
    [
      "the newest rows",
      "select id from orders where created_at > '2025-02-10' order by created_at desc limit 5",
      "orders_created_at",
    ],
    [
      "a range whose bounds are computed",
      "select id from orders where created_at >= timestamptz '2025-01-02' and created_at < timestamptz '2025-01-02' + interval '1 hour'",
      "orders_created_at",
    ],
    [
      "a range back from now",
      "select id from orders where created_at > now() - interval '7 days' and created_at < current_date",
      "orders_created_at",
    ],
    [
      "the newest rows behind a condition that can raise",
      "select id from orders where code::int > 0 order by created_at desc limit 5",
      "orders_created_at",
    ],
    [
      "a range beside a condition that can raise",
      "select id from orders where created_at < '2025-01-01 01:00' and code::int > 1",
      "orders_created_at",
    ],
    [
      "a join beside a condition that can raise",
      "select c.name, o.amount from customers c join orders o on o.customer_id = c.id where c.id = 51 and lower(c.name) = 'c51' and o.code::int > 1",
      "orders_customer_id",
    ],
    [
      "a left join beside a condition that can raise",
      "select c.name, o.amount from customers c left join orders o on o.customer_id = c.id and o.code::int > 1 where c.id = 51",
      "orders_customer_id",
    ],
    ["the beginning of a text", "select id from orders where code like '123%'", "orders_code"],
    [
      "a join with a query of WITH",
      "with big as (select customer_id, max(id) as newest from orders where id < 100 group by customer_id) select o.amount from big join orders o on o.id = big.newest",
      "orders_pkey",
    ],
    ["an update by key", "update orders set amount = 1 where id = 7", "orders_pkey"],
    [
      "a bulk update from VALUES",
      "update orders o set amount = v.amount from (values (1, 2), (51, 3)) v (id, amount) where v.id = o.id",
      "orders_pkey",
    ],
    [
      "a bulk update from unnest",
      "update orders o set amount = v.amount from unnest('{1,51}'::int[], '{2,3}'::numeric[]) v (id, amount) where o.id = v.id",
      "orders_pkey",
    ],
    [
      "an update by a join beside a condition that can raise",
      "update orders o set amount = 1 from customers c where c.id = 51 and o.customer_id = c.id and o.code::int > 1",
      "orders_customer_id",
    ],
    [
      "a merge by key",
      "merge into orders o using (select 7 as id, 'x'::text as code) s on s.id = o.id when matched then update set amount = 1",
      "orders_pkey",
    ],
    [
      "an update by key beside a condition that can raise",
      "update orders set amount = 1 where id = 7 and code::int > 1",
      "orders_pkey",
    ],
  ])("%s uses the index", async (_name, text, index) => {
    const lines = await plan(text);
    expect(lines).toContain(index);
    expect(lines).not.toMatch(/Seq Scan on orders/);
    // Estimates follow hidden rows, so none is shown.
    expect(lines).not.toContain("rows=");
  });

  test("a condition that can raise runs behind the rule", async () => {
    const lines = await plan("select * from orders where code::int > 1");
    expect(lines).toMatch(
      /Filter: .*CASE WHEN \(tenant_id = 1\) THEN \(\(code\)::integer > 1\) ELSE false END/,
    );
  });

  test("and behind a barrier where nothing can stand around it", async () => {
    const lines = await plan("select code from orders group by code having code::int > 1");
    expect(lines).toMatch(
      /Subquery Scan[\s\S]*Filter: \(+orders\.code\)?::integer > 1[\s\S]*Scan[\s\S]*tenant_id = 1/,
    );
  });
});
