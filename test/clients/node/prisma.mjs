// Prisma without an engine of its own: the client that `prisma generate` wrote, over the driver adapter for node-postgres.
import { PrismaPg } from "@prisma/adapter-pg";
import { Prisma, PrismaClient } from "./generated/client.ts";
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

const open = (connection) => new PrismaClient({ adapter: new PrismaPg(connection) });
const db = open(plain);

/** The database's own error, of which Prisma keeps the SQLSTATE and the message. */
function own(error) {
  const cause = error.meta?.driverAdapterError?.cause ?? error.cause ?? error;
  return { ...cause, code: cause.originalCode ?? cause.code ?? error.code };
}
const code = (work) => codeOf(work, own);
const first = async (of, text) => Object.values((await of.$queryRawUnsafe(text))[0])[0];
const order = (tenant, more) => ({ customerId: tenant, tenantId: tenant, amount: 5, ...more });

async function through(connection, work) {
  const other = open(connection);
  try {
    return await work(other);
  } finally {
    await other.$disconnect();
  }
}

await take({
  connect: async () => {
    await db.$connect();
    return {
      identity: await first(db, "show rolegate.identity"),
      role: await first(db, "select current_user::text"),
    };
  },
  tls: () => through(secured, async (other) => ({ identity: await first(other, "show rolegate.identity") })),
  token: () =>
    through(withToken, async (other) => ({
      identity: await first(other, "show rolegate.identity"),
      customers: await other.customer.count(),
    })),
  read: async () => ({
    customers: await db.customer.count(),
    tenants: (await db.customer.findMany({ distinct: ["tenantId"], select: { tenantId: true } })).map(
      (row) => row.tenantId,
    ),
    orders: (await db.order.findMany()).length,
    email: (await db.customer.findUnique({ where: { id: 1 } })).email,
  }),
  join: async () => {
    const loaded = await db.customer.findMany({ include: { orders: true } });
    const counted = await db.customer.findMany({ include: { _count: { select: { orders: true } } } });
    const sum = (counts) => counts.reduce((total, n) => total + n, 0);
    assert(
      sum(counted.map(({ _count }) => _count.orders)) === sum(loaded.map(({ orders }) => orders.length)),
    );
    return await db.order.count({ where: { customer: { is: { tenantId: { in: [1, 2] } } } } });
  },
  hidden: () => code(() => db.$queryRaw`select ssn from customers where id = ${1}`),
  create: async () => {
    const made = await db.order.create({ data: order(1, { note: "made" }) });
    await db.order.delete({ where: { id: made.id } });
    return { tenant_id: made.tenantId, status: made.status, note: made.note };
  },
  create_other: () => code(() => db.order.create({ data: order(2) })),
  update: async () => {
    const change = (id) => db.order.updateMany({ where: { id }, data: { note: "changed" } });
    await db.order.update({ where: { id: ownOrder }, data: { amount: { increment: 0 } } });
    assert(
      (await codeOf(() => db.order.update({ where: { id: othersOrder }, data: { note: "changed" } }))) ===
        "P2025",
    );
    return { own: (await change(ownOrder)).count, other: (await change(othersOrder)).count };
  },
  delete: async () => {
    const { id } = await db.order.create({ data: order(1) });
    const drop = (which) => db.order.deleteMany({ where: { id: which } });
    return { own: (await drop(id)).count, other: (await drop(othersOrder)).count };
  },
  transaction: async () => {
    const saw = {};
    await undone(
      db.$transaction(async (transaction) => {
        await transaction.order.create({ data: order(1) });
        saw.inside = await transaction.order.count();
        saw.refused = await code(() => transaction.$queryRaw`select * from tenants`);
        saw.next = await code(() => transaction.$queryRaw`select 1`);
        throw new Undo();
      }),
    );
    saw.after = await db.order.count();
    await undone(
      db.$transaction(
        async (transaction) => {
          await transaction.order.create({ data: order(1) });
          // Prisma has no savepoints of its own.
          await transaction.$executeRaw`savepoint here`;
          assert((await code(() => transaction.order.create({ data: order(2) }))) === "42501");
          await transaction.$executeRaw`rollback to savepoint here`;
          saw.savepoint = await transaction.order.count();
          throw new Undo();
        },
        { isolationLevel: Prisma.TransactionIsolationLevel.RepeatableRead },
      ),
    );
    return { ...saw, end: await db.order.count() };
  },
  batch: async () => {
    const data = batchRows.map((amount) => ({ ...order(1), amount, note: "batch" }));
    const [made, deleted] = await db.$transaction([
      db.order.createMany({ data }),
      db.order.deleteMany({ where: { note: "batch" } }),
    ]);
    return { made: made.count, deleted: deleted.count };
  },
  prepared: async () => {
    // Those of one turn of the event loop become one query with IN.
    const found = await Promise.all(customerIds.map((id) => db.customer.findUnique({ where: { id } })));
    const each = [];
    for (const id of customerIds) each.push(await db.customer.findFirst({ where: { id } }));
    assert(each.filter((row) => row !== null).length === 20);
    return found.filter((row) => row !== null).length;
  },
  upsert: async () => {
    const put = (id) =>
      db.order.upsert({ where: { id }, create: order(1, { id }), update: { note: "changed" } });
    return [(await put(ownOrder)).id, await code(() => put(othersOrder))];
  },
  error: () => refusalOf(() => db.$queryRaw`select * from tenants`, own),
  define: async () => {
    // Its migrations need an engine that is downloaded from outside; these are statements of one.
    await db.$executeRaw`create table "app"."things" ("id" serial not null, "label" text not null, constraint "things_pkey" primary key ("id"))`;
    await db.$executeRaw`create index "things_label_idx" on "app"."things" ("label")`;
    await db.$executeRaw`insert into app.things (label) values (${"one"}), (${"two"})`;
    const rows = await db.$queryRaw`select label from app.things order by id`;
    const columns = await db.$queryRaw`select column_name::text as name from information_schema.columns
      where table_schema = 'app' order by ordinal_position`;
    await db.$executeRaw`drop table app.things`;
    return { rows: rows.map(({ label }) => label), columns: columns.map(({ name }) => name) };
  },
});
await db.$disconnect();
