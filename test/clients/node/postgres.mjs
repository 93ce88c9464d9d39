// postgres.js: pipelines, its own type look-up, transactions with savepoints, cursors, COPY, cancel, listen.
import postgres from "postgres";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import {
  assert,
  batchRows,
  codeOf,
  customerIds,
  othersOrder,
  ownOrder,
  plain,
  refusalOf,
  secured,
  take,
  undone,
  Undo,
  withToken,
} from "./steps.mjs";

// It looks up the types of arrays as it connects (fetch_types).
const open = (connection) => postgres({ ...connection, max: 2, onnotice: () => {} });
const sql = open(plain);
const count = async (of, table = "orders") => (await of`select count(*)::int as n from ${of(table)}`)[0].n;
const identity = async (of) => (await of`show rolegate.identity`)[0]["rolegate.identity"];
const order = (tenant, more) => ({ customer_id: tenant, tenant_id: tenant, amount: 5, ...more });

async function through(connection, work) {
  const other = open(connection);
  try {
    return await work(other);
  } finally {
    await other.end();
  }
}

await take({
  connect: async () => ({
    identity: await identity(sql),
    role: (await sql`select current_user as name`)[0].name,
  }),
  tls: () => through(secured, async (other) => ({ identity: await identity(other) })),
  token: () =>
    through(withToken, async (other) => ({
      identity: await identity(other),
      customers: await count(other, "customers"),
    })),
  read: async () => ({
    customers: await count(sql, "customers"),
    tenants: (await sql`select distinct tenant_id from customers where tenant_id = any(${[1, 2]})`).map(
      (row) => row.tenant_id,
    ),
    orders: (await sql`select * from orders`).length,
    email: (await sql`select email from customers where id = ${1}`)[0].email,
  }),
  join: async () =>
    (await sql`select count(*)::int as n from customers c join orders o on o.customer_id = c.id`)[0].n,
  hidden: () => codeOf(sql`select ssn from customers where id = ${1}`),
  create: async () => {
    const [made] = await sql`insert into orders ${sql(order(1, { note: "made" }))} returning *`;
    await sql`delete from orders where id = ${made.id}`;
    assert(!("margin" in made));
    return { tenant_id: made.tenant_id, status: made.status, note: made.note };
  },
  create_other: () => codeOf(sql`insert into orders ${sql(order(2))}`),
  update: async () => {
    const change = async (id) =>
      (await sql`update orders set ${sql({ note: "changed" })} where id = ${id}`).count;
    return { own: await change(ownOrder), other: await change(othersOrder) };
  },
  delete: async () => {
    const [{ id }] = await sql`insert into orders ${sql(order(1))} returning id`;
    const drop = async (which) => (await sql`delete from orders where id = ${which}`).count;
    return { own: await drop(id), other: await drop(othersOrder) };
  },
  transaction: async () => {
    const saw = {};
    await undone(
      sql.begin(async (transaction) => {
        await transaction`insert into orders ${sql(order(1))}`;
        saw.inside = await count(transaction);
        saw.refused = await codeOf(transaction`select * from tenants`);
        saw.next = await codeOf(transaction`select 1`);
        throw new Undo();
      }),
    );
    saw.after = await count(sql);
    await undone(
      sql.begin("isolation level repeatable read", async (transaction) => {
        await transaction`insert into orders ${sql(order(1))}`;
        const inner = transaction.savepoint((one) => one`insert into orders ${sql(order(2))}`);
        assert((await codeOf(inner)) === "42501");
        saw.savepoint = await count(transaction);
        throw new Undo();
      }),
    );
    return { ...saw, end: await count(sql) };
  },
  batch: async () => {
    const rows = batchRows.map((amount) => ({ ...order(1), amount, note: "batch" }));
    const made = await sql`insert into orders ${sql(rows)}`;
    return { made: made.count, deleted: (await sql`delete from orders where note = 'batch'`).count };
  },
  prepared: async () => {
    const found = await Promise.all(
      customerIds.map((id) => sql`select name from customers where id = ${id}`),
    );
    return found.filter((rows) => rows.length === 1).length;
  },
  pipeline: async () => {
    const results = await Promise.allSettled([
      sql`select 1`,
      sql`select * from tenants`,
      sql`select count(*) from customers`,
    ]);
    return results.map(({ status, reason }) => reason?.code ?? status);
  },
  cursor: async () => {
    const sizes = [];
    for await (const rows of sql`select id from orders`.cursor(50)) sizes.push(rows.length);
    return sizes;
  },
  copy: async () => {
    let text = "";
    for await (const chunk of await sql`copy orders to stdout`.readable()) text += chunk;
    const into = async (lines) =>
      pipeline(
        Readable.from([lines]),
        await sql`copy orders (customer_id, tenant_id, amount, note) from stdin`.writable(),
      );
    const before = await count(sql);
    await into("1\t1\t5\tcopied\n".repeat(3));
    const made = (await count(sql)) - before;
    // A COPY that fails leaves postgres.js 3.4.9's stream waiting for ever, of PostgreSQL itself too.
    await sql`delete from orders where note = 'copied'`;
    return { out: text.split("\n").length - 1, in: made, left: await count(sql) };
  },
  error: () => refusalOf(() => sql`select * from tenants`),
  cancel: async () => {
    const asleep = sql`select pg_sleep(30)`;
    setTimeout(() => asleep.cancel(), 1_000);
    return { code: await codeOf(asleep), next: (await sql`select 1 as one`)[0].one };
  },
  notify: async () => {
    let heard;
    const told = new Promise((resolve) => (heard = resolve));
    await sql.listen("jobs", (payload) => heard(["jobs", payload]));
    await sql.notify("jobs", "hello");
    return told;
  },
});
await sql.end();
