// Sequelize: models, showAllTables and describeTable, managed transactions, bulkCreate, upsert, sync.
import { DataTypes, Sequelize, Transaction } from "sequelize";
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

const open = ({ host, port, database, user, password, ssl }) =>
  new Sequelize(database, user, password, {
    host,
    port,
    dialect: "postgres",
    logging: false,
    dialectOptions: ssl === undefined ? {} : { ssl },
  });
const db = open(plain);

// Without ssn and margin, which are hidden: a model that has them is refused.
const options = { timestamps: false, underscored: true };
const Customer = db.define(
  "Customer",
  { tenantId: DataTypes.INTEGER, name: DataTypes.TEXT, email: DataTypes.TEXT },
  { ...options, tableName: "customers" },
);
const Order = db.define(
  "Order",
  {
    tenantId: DataTypes.INTEGER,
    status: { type: DataTypes.TEXT, defaultValue: "draft" },
    amount: DataTypes.DECIMAL,
    note: DataTypes.TEXT,
  },
  { ...options, tableName: "orders" },
);
Customer.hasMany(Order, { foreignKey: "customerId", as: "orders" });
Order.belongsTo(Customer, { foreignKey: "customerId", as: "customer" });

const own = (error) => error.original ?? error;
const code = (work) => codeOf(work, own);
const shown = async (of, text) => Object.values((await of.query(text))[0][0])[0];
const order = (tenant, more) => ({ customerId: tenant, tenantId: tenant, amount: 5, ...more });

async function through(connection, work) {
  const other = open(connection);
  try {
    return await work(other);
  } finally {
    await other.close();
  }
}

await take({
  connect: async () => {
    await db.authenticate();
    return {
      identity: await shown(db, "select current_setting('rolegate.identity')"),
      role: await shown(db, "select current_user"),
    };
  },
  tls: () =>
    through(secured, async (other) => ({
      identity: await shown(other, "select current_setting('rolegate.identity')"),
    })),
  token: () =>
    through(withToken, async (other) => ({
      identity: await shown(other, "select current_setting('rolegate.identity')"),
      customers: Number(await shown(other, "select count(*) from customers")),
    })),
  introspect: async () => {
    const tables = await db.getQueryInterface().showAllTables();
    assert(tables.includes("orders") || tables.some(({ tableName }) => tableName === "orders"), tables);
    await db.getQueryInterface().showIndex("orders");
    await db.getQueryInterface().getForeignKeyReferencesForTable("orders");
    return Object.keys(await db.getQueryInterface().describeTable("customers")).toSorted();
  },
  read: async () => ({
    customers: await Customer.count(),
    tenants: (
      await Customer.findAll({
        attributes: [[db.fn("DISTINCT", db.col("tenant_id")), "tenantId"]],
        raw: true,
      })
    ).map((row) => row.tenantId),
    orders: (await Order.findAll()).length,
    email: (await Customer.findByPk(1)).email,
  }),
  join: async () => {
    const loaded = await Customer.findAll({ include: { model: Order, as: "orders" } });
    const { count } = await Order.findAndCountAll({
      include: { model: Customer, as: "customer", required: true },
      limit: 10,
    });
    assert(loaded.reduce((sum, each) => sum + each.orders.length, 0) === count);
    return count;
  },
  hidden: () => code(() => Customer.findAll({ attributes: ["id", "ssn"] })),
  create: async () => {
    const made = await Order.create(order(1, { note: "made" }), { returning: ["id", "status"] });
    await made.destroy();
    return { tenant_id: made.tenantId, status: made.status, note: made.note };
  },
  create_other: () => code(() => Order.create(order(2))),
  update: async () => {
    const [own] = await Order.update({ note: "changed" }, { where: { id: ownOrder } });
    const [other] = await Order.update({ note: "changed" }, { where: { id: othersOrder } });
    return { own, other };
  },
  delete: async () => {
    const { id } = await Order.create(order(1));
    return {
      own: await Order.destroy({ where: { id } }),
      other: await Order.destroy({ where: { id: othersOrder } }),
    };
  },
  transaction: async () => {
    const saw = {};
    await undone(
      db.transaction(async (transaction) => {
        await Order.create(order(1), { transaction });
        saw.inside = await Order.count({ transaction });
        saw.refused = await code(() => db.query("select * from tenants", { transaction }));
        saw.next = await code(() => db.query("select 1", { transaction }));
        throw new Undo();
      }),
    );
    saw.after = await Order.count();
    const isolationLevel = Transaction.ISOLATION_LEVELS.REPEATABLE_READ;
    await undone(
      db.transaction({ isolationLevel }, async (transaction) => {
        await Order.create(order(1), { transaction });
        const refused = db.transaction({ transaction }, (inner) =>
          Order.create(order(2), { transaction: inner }),
        );
        assert((await code(refused)) === "42501");
        saw.savepoint = await Order.count({ transaction });
        throw new Undo();
      }),
    );
    return { ...saw, end: await Order.count() };
  },
  batch: async () => {
    const rows = batchRows.map((amount) => ({ ...order(1), amount, note: "batch" }));
    const made = await Order.bulkCreate(rows);
    return { made: made.length, deleted: await Order.destroy({ where: { note: "batch" } }) };
  },
  prepared: async () => {
    const find = (id) => db.query("select name from customers where id = $1", { bind: [id], type: "SELECT" });
    return (await Promise.all(customerIds.map(find))).filter((rows) => rows.length === 1).length;
  },
  upsert: async () => {
    const [made] = await Order.upsert(order(1, { id: ownOrder, note: "changed" }), {
      returning: ["id", "note"],
    });
    const refused = await code(() => Order.upsert(order(1, { id: othersOrder, note: "changed" })));
    return [made.id, refused];
  },
  error: () => refusalOf(() => db.query("select * from tenants"), own),
  define: async () => {
    const Thing = db.define(
      "Thing",
      { label: DataTypes.STRING(20) },
      { timestamps: false, schema: "app", tableName: "things", indexes: [{ fields: ["label"] }] },
    );
    await Thing.sync();
    await Thing.sync({ alter: true });
    await Thing.bulkCreate([{ label: "one" }, { label: "two" }]);
    const rows = (await Thing.findAll({ order: ["id"] })).map(({ label }) => label);
    const columns = Object.keys(
      await db.getQueryInterface().describeTable({ tableName: "things", schema: "app" }),
    );
    await Thing.drop();
    return { rows, columns };
  },
});
await db.close();
