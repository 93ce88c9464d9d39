// node-postgres: callbacks and promises, a pool, named statements, a cursor and a stream, COPY, cancel by its own protocol class.
import { Client, Connection, Pool } from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import Cursor from "pg-cursor";
import QueryStream from "pg-query-stream";
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
  withToken,
} from "./steps.mjs";

async function through(connection, work) {
  const client = new Client(connection);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
const here = (work) => () => through(plain, work);
const first = async (client, text, values) =>
  Object.values((await client.query(text, values)).rows[0] ?? {})[0];
const count = async (client, table = "orders") =>
  Number(await first(client, `select count(*) from ${table}`));
const insert = "insert into orders (customer_id, tenant_id, amount, note) values ($1, $2, $3, $4)";
const rowCount = async (client, text, values) => (await client.query(text, values)).rowCount;

await take({
  connect: here(async (client) => ({
    identity: await first(client, "show rolegate.identity"),
    role: await first(client, "select current_user"),
  })),
  tls: () =>
    through(secured, async (client) => ({ identity: await first(client, "show rolegate.identity") })),
  token: () =>
    through(withToken, async (client) => ({
      identity: await first(client, "show rolegate.identity"),
      customers: await count(client, "customers"),
    })),
  read: here(async (client) => ({
    customers: await count(client, "customers"),
    tenants: (await client.query("select distinct tenant_id from customers")).rows.map(
      (row) => row.tenant_id,
    ),
    orders: (await client.query({ text: "select * from orders", rowMode: "array" })).rows.length,
    email: await first(client, "select email from customers where id = $1", [1]),
  })),
  join: here(async (client) =>
    Number(await first(client, "select count(*) from customers c join orders o on o.customer_id = c.id")),
  ),
  hidden: here((client) => codeOf(client.query("select ssn from customers where id = $1", [1]))),
  create: here(async (client) => {
    const { rows, fields } = await client.query(`${insert} returning *`, [1, 1, 5, "made"]);
    await client.query("delete from orders where id = $1", [rows[0].id]);
    assert(!fields.some(({ name }) => name === "margin"));
    return { tenant_id: rows[0].tenant_id, status: rows[0].status, note: rows[0].note };
  }),
  create_other: here((client) => codeOf(client.query(insert, [2, 2, 5, null]))),
  update: here(async (client) => {
    const text = "update orders set note = 'changed' where id = $1";
    return {
      own: await rowCount(client, text, [ownOrder]),
      other: await rowCount(client, text, [othersOrder]),
    };
  }),
  delete: here(async (client) => {
    const id = await first(client, `${insert} returning id`, [1, 1, 5, null]);
    const text = "delete from orders where id = $1";
    return { own: await rowCount(client, text, [id]), other: await rowCount(client, text, [othersOrder]) };
  }),
  transaction: here(async (client) => {
    const saw = {};
    await client.query("begin");
    await client.query(insert, [1, 1, 5, null]);
    saw.inside = await count(client);
    saw.refused = await codeOf(client.query("select * from tenants"));
    saw.next = await codeOf(client.query("select 1"));
    await client.query("rollback");
    saw.after = await count(client);
    await client.query("begin");
    await client.query(insert, [1, 1, 5, null]);
    await client.query("savepoint here");
    assert((await codeOf(client.query(insert, [2, 2, 5, null]))) === "42501");
    await client.query("rollback to savepoint here");
    saw.savepoint = await count(client);
    await client.query("rollback");
    return { ...saw, end: await count(client) };
  }),
  batch: async () => {
    const pool = new Pool({ ...plain, max: 4 });
    const made = await Promise.all(batchRows.map((n) => pool.query(insert, [1, 1, n, "batch"])));
    const { rowCount } = await pool.query("delete from orders where note = 'batch'");
    await pool.end();
    return { made: made.reduce((sum, each) => sum + each.rowCount, 0), deleted: rowCount };
  },
  prepared: here(async (client) => {
    const find = (id) =>
      client.query({ name: "customer", text: "select name from customers where id = $1", values: [id] });
    return (await Promise.all(customerIds.map(find))).filter(({ rows }) => rows.length === 1).length;
  }),
  cursor: here(async (client) => {
    const cursor = client.query(new Cursor("select id from orders where amount >= $1", [0]));
    const sizes = [];
    for (let rows = await cursor.read(50); rows.length > 0; rows = await cursor.read(50))
      sizes.push(rows.length);
    await cursor.close();
    return sizes;
  }),
  stream: here(async (client) => {
    let rows = 0;
    const stream = client.query(new QueryStream("select id from orders", [], { batchSize: 50 }));
    for await (const row of stream) rows += row.id > 0 ? 1 : 0;
    return rows;
  }),
  copy: here(async (client) => {
    let text = "";
    for await (const chunk of client.query(copyTo("copy orders to stdout"))) text += chunk;
    const into = (lines) =>
      new Promise((resolve, reject) => {
        const stream = client.query(
          copyFrom("copy orders (customer_id, tenant_id, amount, note) from stdin"),
        );
        stream.on("error", reject);
        stream.on("finish", () => resolve(stream.rowCount));
        stream.end(lines);
      });
    const made = await into("1\t1\t5\tcopied\n".repeat(3));
    const refused = await codeOf(into("1\t1\t5\tcopied\n1\t2\t5\tcopied\n1\t1\t5\tcopied\n"));
    await client.query("delete from orders where note = 'copied'");
    return { out: text.split("\n").length - 1, in: made, refused, left: await count(client) };
  }),
  error: here((client) => refusalOf(() => client.query("select * from tenants"))),
  cancel: here(async (client) => {
    const asleep = codeOf(client.query("select pg_sleep(30)"));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const { processID, secretKey } = client;
    const other = new Connection({});
    other.connect(plain.port, plain.host);
    other.once("connect", () => other.cancel(processID, secretKey));
    return { code: await asleep, next: await first(client, "select 1") };
  }),
  notify: here(async (client) => {
    const heard = new Promise((resolve) => client.once("notification", resolve));
    await client.query("listen jobs");
    await client.query("select pg_notify($1, $2)", ["jobs", "hello"]);
    const { channel, payload } = await heard;
    return [channel, payload];
  }),
});
