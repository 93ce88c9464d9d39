// Kysely over node-postgres: introspection, query builder, transactions, streams through a cursor, schema builder.
import { CamelCasePlugin, Kysely, PostgresDialect, sql } from "kysely";
import { Pool } from "pg";
import Cursor from "pg-cursor";
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

const open = (connection, plugins = []) =>
  new Kysely({ dialect: new PostgresDialect({ pool: new Pool(connection), cursor: Cursor }), plugins });
const db = open(plain);
const camel = open(plain, [new CamelCasePlugin()]);
const identity = async (of) => (await sql`show rolegate.identity`.execute(of)).rows[0]["rolegate.identity"];
const count = async (of, table = "orders") =>
  (
    await of
      .selectFrom(table)
      .select((e) => e.fn.countAll().as("n"))
      .executeTakeFirst()
  ).n * 1;
const order = (tenant, more) => ({ customer_id: tenant, tenant_id: tenant, amount: 5, ...more });
const changed = (result) => Number(result.numUpdatedRows ?? result.numDeletedRows);

async function through(connection, work) {
  const other = open(connection);
  try {
    return await work(other);
  } finally {
    await other.destroy();
  }
}

await take({
  connect: async () => ({
    identity: await identity(db),
    role: (await sql`select current_user as name`.execute(db)).rows[0].name,
  }),
  tls: () => through(secured, async (other) => ({ identity: await identity(other) })),
  token: () =>
    through(withToken, async (other) => ({
      identity: await identity(other),
      customers: await count(other, "customers"),
    })),
  introspect: async () => {
    const tables = await db.introspection.getTables();
    assert(tables.some(({ schema, name }) => schema === "public" && name === "orders"));
    const { columns } = tables.find(({ name }) => name === "customers");
    return columns.map(({ name }) => name).toSorted();
  },
  read: async () => ({
    customers: await count(db, "customers"),
    tenants: (await db.selectFrom("customers").select("tenant_id").distinct().execute()).map(
      (row) => row.tenant_id,
    ),
    orders: (await camel.selectFrom("orders").selectAll().where("tenantId", "in", [1, 2]).execute()).length,
    email: (await db.selectFrom("customers").select("email").where("id", "=", 1).executeTakeFirst()).email,
  }),
  join: async () => {
    const joined = db.selectFrom("customers as c").innerJoin("orders as o", "o.customer_id", "c.id");
    return Number((await joined.select((e) => e.fn.count("o.id").as("n")).executeTakeFirst()).n);
  },
  hidden: () => codeOf(db.selectFrom("customers").select("ssn").execute()),
  create: async () => {
    const made = await db
      .insertInto("orders")
      .values(order(1, { note: "made" }))
      .returningAll()
      .executeTakeFirstOrThrow();
    await db.deleteFrom("orders").where("id", "=", made.id).execute();
    assert(!("margin" in made));
    return { tenant_id: made.tenant_id, status: made.status, note: made.note };
  },
  create_other: () => codeOf(db.insertInto("orders").values(order(2)).execute()),
  update: async () => {
    const change = (id) =>
      db.updateTable("orders").set({ note: "changed" }).where("id", "=", id).executeTakeFirst();
    return { own: changed(await change(ownOrder)), other: changed(await change(othersOrder)) };
  },
  delete: async () => {
    const { id } = await db.insertInto("orders").values(order(1)).returning("id").executeTakeFirst();
    const drop = (which) => db.deleteFrom("orders").where("id", "=", which).executeTakeFirst();
    return { own: changed(await drop(id)), other: changed(await drop(othersOrder)) };
  },
  transaction: async () => {
    const saw = {};
    await undone(
      db.transaction().execute(async (transaction) => {
        await transaction.insertInto("orders").values(order(1)).execute();
        saw.inside = await count(transaction);
        saw.refused = await codeOf(transaction.selectFrom("tenants").selectAll().execute());
        saw.next = await codeOf(sql`select 1`.execute(transaction));
        throw new Undo();
      }),
    );
    saw.after = await count(db);
    const transaction = await db.startTransaction().execute();
    await transaction.insertInto("orders").values(order(1)).execute();
    const inner = await transaction.savepoint("inner").execute();
    assert((await codeOf(inner.insertInto("orders").values(order(2)).execute())) === "42501");
    await inner.rollbackToSavepoint("inner").execute();
    saw.savepoint = await count(transaction);
    await transaction.rollback().execute();
    return { ...saw, end: await count(db) };
  },
  batch: async () => {
    const rows = batchRows.map((amount) => ({ ...order(1), amount, note: "batch" }));
    const made = await db.insertInto("orders").values(rows).executeTakeFirst();
    const gone = await db.deleteFrom("orders").where("note", "=", "batch").executeTakeFirst();
    return { made: Number(made.numInsertedOrUpdatedRows), deleted: changed(gone) };
  },
  prepared: async () => {
    const find = (id) => db.selectFrom("customers").select("name").where("id", "=", id).executeTakeFirst();
    return (await Promise.all(customerIds.map(find))).filter((row) => row !== undefined).length;
  },
  stream: async () => {
    let rows = 0;
    for await (const row of db.selectFrom("orders").select("id").stream(50)) rows += row.id > 0 ? 1 : 0;
    return rows;
  },
  upsert: async () => {
    const put = (id) =>
      db
        .insertInto("orders")
        .values(order(1, { id, note: "changed" }))
        .onConflict((conflict) => conflict.column("id").doUpdateSet({ note: (e) => e.ref("excluded.note") }))
        .returning("id")
        .executeTakeFirst();
    return [(await put(ownOrder)).id, await codeOf(() => put(othersOrder))];
  },
  error: () => refusalOf(() => db.selectFrom("tenants").selectAll().execute()),
  define: async () => {
    const { schema } = db.withSchema("app");
    await schema
      .createTable("things")
      .addColumn("id", "integer", (column) => column.primaryKey().generatedAlwaysAsIdentity())
      .addColumn("label", "varchar(20)")
      .execute();
    await schema.createIndex("things_label").on("things").column("label").execute();
    const app = db.withSchema("app");
    await app
      .insertInto("things")
      .values([{ label: "one" }, { label: "two" }])
      .execute();
    const rows = await app.selectFrom("things").select("label").orderBy("id").execute();
    const made = (await db.introspection.getTables()).find(({ name }) => name === "things");
    await schema.dropTable("things").execute();
    return { rows: rows.map(({ label }) => label), columns: made.columns.map(({ name }) => name) };
  },
});
await Promise.all([db.destroy(), camel.destroy()]);
