// TypeORM: entities without decorators, query builder, transactions, streams, schema builder (synchronize) and its introspection.
import "reflect-metadata";
import { DataSource, EntitySchema } from "typeorm";
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

// Without ssn and margin, which are hidden: an entity that has them is refused.
const Customer = new EntitySchema({
  name: "Customer",
  tableName: "customers",
  columns: {
    id: { type: Number, primary: true },
    tenant_id: { type: Number },
    name: { type: String },
    email: { type: String },
  },
  relations: { orders: { type: "one-to-many", target: "Order", inverseSide: "customer" } },
});
const Order = new EntitySchema({
  name: "Order",
  tableName: "orders",
  columns: {
    id: { type: Number, primary: true, generated: "increment" },
    tenant_id: { type: Number },
    status: { type: String, default: "draft" },
    amount: { type: "numeric" },
    note: { type: String, nullable: true },
  },
  relations: {
    customer: {
      type: "many-to-one",
      target: "Customer",
      inverseSide: "orders",
      joinColumn: { name: "customer_id" },
    },
  },
});
/** An order whose key the client gives: TypeORM leaves a generated one out of what it inserts. */
const KeyedOrder = new EntitySchema({
  name: "KeyedOrder",
  tableName: "orders",
  columns: {
    id: { type: Number, primary: true },
    customer_id: { type: Number },
    tenant_id: { type: Number },
    amount: { type: "numeric" },
    note: { type: String, nullable: true },
  },
});
const Thing = new EntitySchema({
  name: "Thing",
  tableName: "things",
  columns: {
    id: { type: Number, primary: true, generated: "increment" },
    label: { type: "varchar", length: 20 },
  },
  indices: [{ columns: ["label"] }],
});

const open = ({ user, ...connection }, more = {}) =>
  new DataSource({
    type: "postgres",
    ...connection,
    username: user,
    entities: [Customer, Order, KeyedOrder],
    ...more,
  }).initialize();
const db = await open(plain);

const own = (error) => error.driverError ?? error;
const code = (work) => codeOf(work, own);
const identity = async (of) => (await of.query("show rolegate.identity"))[0]["rolegate.identity"];
const orders = db.getRepository("Order");
const customers = db.getRepository("Customer");
const order = (tenant, more) => ({ customer: { id: tenant }, tenant_id: tenant, amount: 5, ...more });

async function through(connection, work) {
  const other = await open(connection);
  try {
    return await work(other);
  } finally {
    await other.destroy();
  }
}

await take({
  connect: async () => ({
    identity: await identity(db),
    role: (await db.query("select current_user as name"))[0].name,
  }),
  tls: () => through(secured, async (other) => ({ identity: await identity(other) })),
  token: () =>
    through(withToken, async (other) => ({
      identity: await identity(other),
      customers: await other.getRepository("Customer").count(),
    })),
  introspect: async () => {
    const runner = db.createQueryRunner();
    const tables = await runner.getTables(["customers", "orders"]);
    await runner.release();
    assert(tables[1].foreignKeys.length === 2 && tables[1].indices.length === 2);
    return tables[0].columns.map(({ name }) => name).toSorted();
  },
  read: async () => ({
    customers: await customers.count(),
    tenants: (
      await db.createQueryBuilder("Customer", "c").select("c.tenant_id", "tenant").distinct(true).getRawMany()
    ).map((row) => row.tenant),
    orders: (await orders.find()).length,
    email: (await customers.findOneBy({ id: 1 })).email,
  }),
  join: async () => {
    const loaded = await customers.find({ relations: { orders: true } });
    const [, count] = await orders.findAndCount({
      relations: { customer: true },
      take: 10,
      order: { id: "ASC" },
    });
    assert(loaded.reduce((sum, each) => sum + each.orders.length, 0) === count);
    return count;
  },
  hidden: () => code(() => db.query("select ssn from customers where id = $1", [1])),
  create: async () => {
    const made = await orders.save(order(1, { note: "made" }));
    const saw = { tenant_id: made.tenant_id, status: made.status, note: made.note };
    await orders.remove(made);
    return saw;
  },
  create_other: () => code(() => orders.insert(order(2))),
  update: async () => ({
    own: (await orders.update({ id: ownOrder }, { note: "changed" })).affected,
    other: (await orders.update({ id: othersOrder }, { note: "changed" })).affected,
  }),
  delete: async () => {
    const { identifiers } = await orders.insert(order(1));
    return {
      own: (await orders.delete(identifiers[0])).affected,
      other: (await orders.delete({ id: othersOrder })).affected,
    };
  },
  transaction: async () => {
    const saw = {};
    await undone(
      db.transaction(async (manager) => {
        await manager.insert("Order", order(1));
        saw.inside = await manager.count("Order");
        saw.refused = await code(() => manager.query("select * from tenants"));
        saw.next = await code(() => manager.query("select 1"));
        throw new Undo();
      }),
    );
    saw.after = await orders.count();
    await undone(
      db.transaction("REPEATABLE READ", async (manager) => {
        await manager.insert("Order", order(1));
        const refused = await code(manager.transaction((inner) => inner.insert("Order", order(2))));
        assert(refused === "42501");
        saw.savepoint = await manager.count("Order");
        throw new Undo();
      }),
    );
    return { ...saw, end: await orders.count() };
  },
  batch: async () => {
    const made = await orders.save(
      batchRows.map((amount) => ({ ...order(1), amount, note: "batch" })),
      { chunk: 20 },
    );
    return { made: made.length, deleted: (await orders.delete({ note: "batch" })).affected };
  },
  prepared: async () => {
    const found = await Promise.all(customerIds.map((id) => customers.findOneBy({ id })));
    return found.filter((row) => row !== null).length;
  },
  stream: async () => {
    let rows = 0;
    for await (const row of await orders.createQueryBuilder("o").select("o.id", "id").stream())
      rows += row.id > 0 ? 1 : 0;
    return rows;
  },
  upsert: async () => {
    const keyed = db.getRepository("KeyedOrder");
    const put = (id) =>
      keyed.upsert({ id, customer_id: 1, tenant_id: 1, amount: 5, note: "changed" }, ["id"]);
    return [(await put(ownOrder)).identifiers[0].id, await code(() => put(othersOrder))];
  },
  locked: async () => {
    const lock = (manager, id) =>
      manager.findOne("Order", { where: { id }, lock: { mode: "pessimistic_write" } });
    return db.transaction(async (manager) => [
      (await lock(manager, ownOrder)).id,
      await lock(manager, othersOrder),
    ]);
  },
  error: () => refusalOf(() => db.query("select * from tenants"), own),
  define: async () => {
    const app = await open(plain, { schema: "app", entities: [Thing] });
    await app.synchronize();
    await app.synchronize();
    const things = app.getRepository("Thing");
    await things.insert([{ label: "one" }, { label: "two" }]);
    const rows = (await things.find({ order: { id: "ASC" } })).map(({ label }) => label);
    const runner = app.createQueryRunner();
    const columns = (await runner.getTable("app.things")).columns.map(({ name }) => name);
    await runner.dropTable("app.things");
    await runner.release();
    await app.destroy();
    return { rows, columns };
  },
});
await db.destroy();
