// Knex: query builder, raw, transactions with savepoints, streams, schema builder.
import knex from "knex";
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

const open = (connection, more = {}) => knex({ client: "pg", connection, ...more });
const db = open(plain);
const app = open(plain, { searchPath: ["app"] });
const shown = async (of, setting) => Object.values((await of.raw(`show ${setting}`)).rows[0])[0];
const number = (row) => Number(Object.values(row)[0]);
const count = async (of, table = "orders") => number(await of(table).count().first());
const order = (tenant, more) => ({ customer_id: tenant, tenant_id: tenant, amount: 5, ...more });

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
    identity: await shown(db, "rolegate.identity"),
    role: (await db.raw("select current_user as name")).rows[0].name,
  }),
  tls: () => through(secured, async (other) => ({ identity: await shown(other, "rolegate.identity") })),
  token: () =>
    through(withToken, async (other) => ({
      identity: await shown(other, "rolegate.identity"),
      customers: await count(other, "customers"),
    })),
  introspect: async () => {
    assert(await db.schema.hasTable("orders"));
    return Object.keys(await db("customers").columnInfo()).toSorted();
  },
  read: async () => ({
    customers: await count(db, "customers"),
    tenants: (await db("customers").distinct("tenant_id")).map((row) => row.tenant_id),
    orders: (await db("orders").select()).length,
    email: (await db("customers").where({ id: 1 }).first()).email,
  }),
  join: async () =>
    number(await db("customers as c").join("orders as o", "o.customer_id", "c.id").count().first()),
  hidden: () => codeOf(db("customers").select("ssn")),
  create: async () => {
    const [made] = await db("orders")
      .insert(order(1, { note: "made" }))
      .returning("*");
    await db("orders").where({ id: made.id }).delete();
    assert(!("margin" in made));
    return { tenant_id: made.tenant_id, status: made.status, note: made.note };
  },
  create_other: () => codeOf(db("orders").insert(order(2))),
  update: async () => ({
    own: await db("orders").where({ id: ownOrder }).update({ note: "changed" }),
    other: await db("orders").where({ id: othersOrder }).update({ note: "changed" }),
  }),
  delete: async () => {
    const [{ id }] = await db("orders").insert(order(1)).returning("id");
    return {
      own: await db("orders").where({ id }).delete(),
      other: await db("orders").where({ id: othersOrder }).delete(),
    };
  },
  transaction: async () => {
    const saw = {};
    await undone(
      db.transaction(async (transaction) => {
        await transaction("orders").insert(order(1));
        saw.inside = await count(transaction);
        saw.refused = await codeOf(transaction("tenants"));
        saw.next = await codeOf(transaction.raw("select 1"));
        throw new Undo();
      }),
    );
    saw.after = await count(db);
    await undone(
      db.transaction(async (transaction) => {
        await transaction("orders").insert(order(1));
        assert(
          (await codeOf(transaction.transaction((inner) => inner("orders").insert(order(2))))) === "42501",
        );
        saw.savepoint = await count(transaction);
        throw new Undo();
      }),
    );
    return { ...saw, end: await count(db) };
  },
  batch: async () => {
    const made = await db
      .batchInsert(
        "orders",
        batchRows.map((amount) => ({ ...order(1), amount, note: "batch" })),
        20,
      )
      .returning("id");
    return { made: made.length, deleted: await db("orders").where({ note: "batch" }).delete() };
  },
  prepared: async () => {
    const found = await Promise.all(customerIds.map((id) => db("customers").where({ id }).first("name")));
    return found.filter((row) => row !== undefined).length;
  },
  stream: async () => {
    let rows = 0;
    for await (const row of db("orders").select("id").stream({ batchSize: 50 })) rows += row.id > 0 ? 1 : 0;
    return rows;
  },
  upsert: async () => {
    const made = order(1, { id: ownOrder, note: "changed" });
    const [{ id }] = await db("orders").insert(made).onConflict("id").merge(["note"]).returning("id");
    const refused = await codeOf(
      db("orders")
        .insert({ ...made, id: othersOrder })
        .onConflict("id")
        .merge(["note"]),
    );
    return [id, refused];
  },
  error: () => refusalOf(() => db("tenants")),
  define: async () => {
    await app.schema.createTable("things", (table) => {
      table.increments("id");
      table.string("label", 20).index();
    });
    await app.schema.alterTable("things", (table) => table.integer("extra").defaultTo(1));
    await app.schema.alterTable("things", (table) => table.dropColumn("extra"));
    await app("things").insert([{ label: "one" }, { label: "two" }]);
    const rows = await app("things").orderBy("id").pluck("label");
    const columns = Object.keys(await app("things").columnInfo());
    await app.schema.dropTable("things");
    return { rows, columns };
  },
  migrate: async () => {
    const migration = {
      up: (schema) => schema.schema.createTable("moved", (table) => table.increments("id")),
      down: (schema) => schema.schema.dropTable("moved"),
    };
    const migrationSource = {
      getMigrations: async () => ["one"],
      getMigrationName: (name) => name,
      getMigration: async () => migration,
    };
    const [, done] = await app.migrate.latest({ migrationSource });
    const [, back] = await app.migrate.rollback({ migrationSource });
    return [done, back];
  },
});
await Promise.all([db.destroy(), app.destroy()]);
