// Drizzle over node-postgres: relations (one statement of lateral joins and json), transactions, prepared statements, upsert.
import { and, count, eq, inArray, relations, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { integer, numeric, pgSchema, pgTable, serial, text, varchar } from "drizzle-orm/pg-core";
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

// Without ssn and margin, which are hidden: a table that has them is refused.
const customers = pgTable("customers", {
  id: integer().primaryKey(),
  tenantId: integer("tenant_id"),
  name: text(),
  email: text(),
});
const orders = pgTable("orders", {
  id: integer().primaryKey().generatedByDefaultAsIdentity(),
  tenantId: integer("tenant_id").notNull(),
  customerId: integer("customer_id").notNull(),
  status: text().default("draft"),
  amount: numeric({ mode: "number" }).notNull(),
  note: text(),
});
const schema = {
  customers,
  orders,
  customerRelations: relations(customers, ({ many }) => ({ orders: many(orders) })),
  orderRelations: relations(orders, ({ one }) => ({
    customer: one(customers, { fields: [orders.customerId], references: [customers.id] }),
  })),
};
const things = pgSchema("app").table("things", {
  id: serial().primaryKey(),
  label: varchar({ length: 20 }),
});

const open = (connection) => drizzle({ connection, schema });
const db = open(plain);
const own = (error) => error.cause ?? error;
const code = (work) => codeOf(work, own);
const first = async (of, query) => Object.values((await of.execute(query)).rows[0])[0];
const order = (tenant, more) => ({ customerId: tenant, tenantId: tenant, amount: 5, ...more });
const gone = { id: orders.id };

async function through(connection, work) {
  const other = open(connection);
  try {
    return await work(other);
  } finally {
    await other.$client.end();
  }
}

await take({
  connect: async () => ({
    identity: await first(db, sql`show rolegate.identity`),
    role: await first(db, sql`select current_user`),
  }),
  tls: () =>
    through(secured, async (other) => ({ identity: await first(other, sql`show rolegate.identity`) })),
  token: () =>
    through(withToken, async (other) => ({
      identity: await first(other, sql`show rolegate.identity`),
      customers: await other.$count(customers),
    })),
  read: async () => ({
    customers: await db.$count(customers),
    tenants: (await db.selectDistinct({ tenant: customers.tenantId }).from(customers)).map(
      (row) => row.tenant,
    ),
    orders: (await db.select().from(orders)).length,
    email: (await db.query.customers.findFirst({ where: eq(customers.id, 1) })).email,
  }),
  join: async () => {
    const loaded = await db.query.customers.findMany({ with: { orders: { with: { customer: true } } } });
    const joined = await db
      .select({ n: count() })
      .from(customers)
      .innerJoin(orders, eq(orders.customerId, customers.id))
      .where(inArray(customers.tenantId, [1, 2]));
    assert(loaded.reduce((sum, each) => sum + each.orders.length, 0) === joined[0].n);
    return joined[0].n;
  },
  hidden: () => code(() => db.execute(sql`select ssn from customers where id = ${1}`)),
  create: async () => {
    const [made] = await db
      .insert(orders)
      .values(order(1, { note: "made" }))
      .returning();
    await db.delete(orders).where(eq(orders.id, made.id));
    return { tenant_id: made.tenantId, status: made.status, note: made.note };
  },
  create_other: () => code(() => db.insert(orders).values(order(2))),
  update: async () => {
    const change = async (id) =>
      (await db.update(orders).set({ note: "changed" }).where(eq(orders.id, id))).rowCount;
    return { own: await change(ownOrder), other: await change(othersOrder) };
  },
  delete: async () => {
    const [{ id }] = await db.insert(orders).values(order(1)).returning(gone);
    const drop = async (which) =>
      (await db.delete(orders).where(eq(orders.id, which)).returning(gone)).length;
    return { own: await drop(id), other: await drop(othersOrder) };
  },
  transaction: async () => {
    const saw = {};
    await undone(
      db.transaction(async (transaction) => {
        await transaction.insert(orders).values(order(1));
        saw.inside = await transaction.$count(orders);
        saw.refused = await code(() => transaction.execute(sql`select * from tenants`));
        saw.next = await code(() => transaction.execute(sql`select 1`));
        throw new Undo();
      }),
    );
    saw.after = await db.$count(orders);
    await undone(
      db.transaction(
        async (transaction) => {
          await transaction.insert(orders).values(order(1));
          const refused = await code(() =>
            transaction.transaction((inner) => inner.insert(orders).values(order(2))),
          );
          assert(refused === "42501");
          saw.savepoint = await transaction.$count(orders);
          throw new Undo();
        },
        { isolationLevel: "repeatable read" },
      ),
    );
    return { ...saw, end: await db.$count(orders) };
  },
  batch: async () => {
    const rows = batchRows.map((amount) => ({ ...order(1), amount, note: "batch" }));
    const made = await db.insert(orders).values(rows).returning(gone);
    const { rowCount } = await db.delete(orders).where(and(eq(orders.note, "batch"), eq(orders.tenantId, 1)));
    return { made: made.length, deleted: rowCount };
  },
  prepared: async () => {
    const find = db
      .select({ name: customers.name })
      .from(customers)
      .where(eq(customers.id, sql.placeholder("id")))
      .prepare("customer");
    const found = await Promise.all(customerIds.map((id) => find.execute({ id })));
    return found.filter((rows) => rows.length === 1).length;
  },
  upsert: async () => {
    const put = (id) =>
      db
        .insert(orders)
        .values(order(1, { id, note: "changed" }))
        .onConflictDoUpdate({ target: orders.id, set: { note: sql`excluded.note` } })
        .returning(gone);
    return [(await put(ownOrder))[0].id, await code(() => put(othersOrder))];
  },
  error: () => refusalOf(() => db.execute(sql`select * from tenants`), own),
  define: async () => {
    // What drizzle-kit writes into a migration.
    await db.execute(
      sql`CREATE TABLE "app"."things" ("id" serial PRIMARY KEY NOT NULL, "label" varchar(20))`,
    );
    await db.execute(sql`CREATE INDEX "things_label" ON "app"."things" USING btree ("label")`);
    await db.insert(things).values([{ label: "one" }, { label: "two" }]);
    const made = await db.select().from(things).orderBy(things.id);
    await db.execute(sql`DROP TABLE "app"."things" CASCADE`);
    return { rows: made.map(({ label }) => label), columns: Object.keys(made[0]) };
  },
});
await db.$client.end();
