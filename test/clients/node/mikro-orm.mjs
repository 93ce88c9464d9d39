// MikroORM: unit of work, identity map, populate, transactions, upsert, schema generator and its introspection.
import { defineEntity, MikroORM, p } from "@mikro-orm/postgresql";
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
const Customer = defineEntity({
  name: "Customer",
  tableName: "customers",
  properties: {
    id: p.integer().primary(),
    tenantId: p.integer(),
    name: p.text(),
    email: p.text(),
    orders: () => p.oneToMany(Order).mappedBy("customer"),
  },
});
const Order = defineEntity({
  name: "Order",
  tableName: "orders",
  properties: {
    id: p.integer().primary().autoincrement(),
    tenantId: p.integer(),
    status: p.text().default("draft"),
    amount: p.decimal(),
    note: p.text().nullable(),
    customer: () => p.manyToOne(Customer).fieldName("customer_id"),
  },
});
const Thing = defineEntity({
  name: "Thing",
  tableName: "things",
  schema: "app",
  properties: { id: p.integer().primary().autoincrement(), label: p.string().length(20).index() },
});

const open = ({ database, ssl, ...connection }, entities = [Customer, Order]) =>
  MikroORM.init({
    ...connection,
    dbName: database,
    entities,
    ...(ssl === undefined ? {} : { driverOptions: { ssl } }),
    ensureDatabase: false,
  });
const db = await open(plain);
const fresh = () => db.em.fork();

const own = (error) => error.cause ?? error;
const code = (work) => codeOf(work, own);
const first = async (of, text) => Object.values((await of.execute(text))[0])[0];
const order = (tenant, more) => ({ customer: tenant, tenantId: tenant, amount: "5", ...more });

async function through(connection, work) {
  const other = await open(connection);
  try {
    return await work(other.em.fork());
  } finally {
    await other.close();
  }
}

await take({
  connect: async () => ({
    identity: await first(fresh(), "show rolegate.identity"),
    role: await first(fresh(), "select current_user"),
  }),
  tls: () => through(secured, async (em) => ({ identity: await first(em, "show rolegate.identity") })),
  token: () =>
    through(withToken, async (em) => ({
      identity: await first(em, "show rolegate.identity"),
      customers: await em.count(Customer),
    })),
  introspect: async () => {
    // What it would change to have the tables as the entities say: it reads the catalogs, and nothing is run.
    const { up } = await db.schema.getUpdateSchemaMigrationSQL({ schema: "public" });
    const hidden = up.match(/alter table "customers" drop column .*/)[0].match(/(?<=drop column )"\w+"/g);
    const entity = ["email", "id", "name", "tenant_id"];
    // It would make another id, too.
    return [...new Set([...entity, ...hidden.map((name) => String(JSON.parse(name)))])].toSorted();
  },
  read: async () => {
    const em = fresh();
    return {
      customers: await em.count(Customer),
      tenants: (await em.createQueryBuilder(Customer).select("tenantId", true).execute("all")).map(
        (row) => row.tenantId,
      ),
      orders: (await em.find(Order, {})).length,
      email: (await em.findOne(Customer, 1)).email,
    };
  },
  join: async () => {
    const loaded = await fresh().find(Customer, {}, { populate: ["orders"] });
    const [, count] = await fresh().findAndCount(
      Order,
      { customer: { tenantId: { $in: [1, 2] } } },
      { populate: ["customer"], limit: 10 },
    );
    assert(loaded.reduce((sum, each) => sum + each.orders.length, 0) === count);
    return count;
  },
  hidden: () => code(() => fresh().execute("select ssn from customers where id = ?", [1])),
  create: async () => {
    const em = fresh();
    const made = em.create(Order, order(1, { note: "made" }));
    await em.flush();
    const saw = { tenant_id: made.tenantId, status: made.status, note: made.note };
    await em.remove(made).flush();
    return saw;
  },
  create_other: () => code(() => fresh().insert(Order, order(2))),
  update: async () => {
    const em = fresh();
    (await em.findOne(Order, ownOrder)).note = "changed";
    await em.flush();
    const own = await fresh().count(Order, { id: ownOrder, note: "changed" });
    return { own, other: await em.nativeUpdate(Order, { id: othersOrder }, { note: "changed" }) };
  },
  delete: async () => {
    const em = fresh();
    const id = await em.insert(Order, order(1));
    return {
      own: await em.nativeDelete(Order, { id }),
      other: await em.nativeDelete(Order, { id: othersOrder }),
    };
  },
  transaction: async () => {
    const saw = {};
    await undone(
      fresh().transactional(async (em) => {
        await em.insert(Order, order(1));
        saw.inside = await em.count(Order);
        saw.refused = await code(() => em.execute("select * from tenants"));
        saw.next = await code(() => em.execute("select 1"));
        throw new Undo();
      }),
    );
    saw.after = await fresh().count(Order);
    await undone(
      fresh().transactional(async (em) => {
        await em.insert(Order, order(1));
        assert((await code(em.transactional((inner) => inner.insert(Order, order(2))))) === "42501");
        saw.savepoint = await em.count(Order);
        throw new Undo();
      }),
    );
    return { ...saw, end: await fresh().count(Order) };
  },
  batch: async () => {
    const em = fresh();
    for (const n of batchRows) em.create(Order, order(1, { amount: String(n), note: "batch" }));
    await em.flush();
    const made = await fresh().count(Order, { note: "batch" });
    // One UPDATE with a CASE for each column.
    for (const each of em.getUnitOfWork().getIdentityMap().values()) each.amount = "1";
    await em.flush();
    assert((await fresh().count(Order, { note: "batch", amount: "1" })) === made);
    return { made, deleted: await em.nativeDelete(Order, { note: "batch" }) };
  },
  prepared: async () => {
    const found = await Promise.all(customerIds.map((id) => fresh().findOne(Customer, id)));
    return found.filter((row) => row !== null).length;
  },
  upsert: async () => {
    const made = await fresh().upsert(Order, order(1, { id: ownOrder, note: "changed" }));
    const refused = await code(() => fresh().upsert(Order, order(1, { id: othersOrder, note: "changed" })));
    return [made.id, refused];
  },
  locked: () =>
    fresh().transactional(async (em) => {
      const lock = (id) => em.findOne(Order, id, { lockMode: 4 });
      return [(await lock(ownOrder)).id, await lock(othersOrder)];
    }),
  error: () => refusalOf(() => fresh().execute("select * from tenants"), own),
  define: async () => {
    const app = await open(plain, [Thing]);
    await app.schema.update({ schema: "app" });
    await app.schema.update({ schema: "app" });
    const em = app.em.fork();
    await em.insertMany(Thing, [{ label: "one" }, { label: "two" }]);
    const rows = (await em.find(Thing, {}, { orderBy: { id: "asc" } })).map(({ label }) => label);
    const columns = await em.execute(
      "select column_name as name from information_schema.columns where table_schema = 'app' order by ordinal_position",
    );
    await app.schema.drop({ schema: "app" });
    await app.close();
    return { rows, columns: columns.map(({ name }) => name) };
  },
});
await db.close();
