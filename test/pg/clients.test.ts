import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { integer, numeric, pgTable, text } from "drizzle-orm/pg-core";
import { Pool } from "pg";
import Cursor from "pg-cursor";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { startTestProxy, userPassword, type RunningProxy } from "./running-proxy.ts";

let database: TestDatabase;
let proxy: RunningProxy;

beforeAll(async () => {
  database = await createTestDatabase({ template: "shop" });
  proxy = await startTestProxy({
    database,
    roles: {
      client_tester: {
        file: {
          tables: {
            customers: {
              select: { columns: ["id", "tenant_id", "name"], rows: "tenant_id = identity.tenant" },
            },
            orders: {
              select: { rows: "tenant_id = identity.tenant" },
              insert: {
                columns: ["id", "customer_id", "tenant_id", "amount", "note"],
                check: "tenant_id = identity.tenant",
              },
              update: { columns: ["note"], rows: "tenant_id = identity.tenant" },
              delete: { rows: "tenant_id = identity.tenant" },
            },
          },
        },
        grants:
          "grant select, insert, update, delete on all tables in schema public to client_tester; grant usage on all sequences in schema public to client_tester",
      },
    },
    users: { alice: { tenant: 1 } },
  });
});
afterAll(async () => {
  await proxy?.close();
  await database?.close();
});

describe("node-postgres", () => {
  test("callbacks, a pool and prepared statements", async () => {
    const pool = new Pool({ ...proxy.client("alice"), max: 5 });
    const called = await new Promise((resolve, reject) =>
      pool.query("select 1 as one", (error, result) => (error ? reject(error) : resolve(result.rows))),
    );
    expect(called).toEqual([{ one: 1 }]);
    const counts = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        pool.query({
          name: "count",
          text: "select count(*)::int as n, $1::int as m from customers",
          values: [n],
        }),
      ),
    );
    expect(counts.map(({ rows }) => rows[0] as unknown)).toEqual(counts.map((_, m) => ({ n: 20, m })));
    await pool.end();
  });

  test("transactions, errors and the connection afterwards", async () => {
    const client = await proxy.connect("alice");
    await client.query("begin");
    const { rows } = await client.query(
      "insert into orders (customer_id, tenant_id, amount) values (1, 1, 5) returning id, tenant_id",
    );
    expect(rows).toMatchObject([{ tenant_id: 1 }]);
    await expect(
      client.query("insert into orders (customer_id, tenant_id, amount) values (1, 2, 5)"),
    ).rejects.toMatchObject({
      code: "42501",
    });
    await expect(client.query("select 1")).rejects.toMatchObject({ code: "25P02" });
    await client.query("rollback");
    await expect(client.query("delete from customers where id = $1", [1])).rejects.toMatchObject({
      code: "42501",
      detail: expect.any(String) as string,
      hint: expect.any(String) as string,
    });
    expect((await client.query("select count(*)::int as n from orders")).rows).toEqual([{ n: 120 }]);
  });

  test("a cursor reads in parts, and others run between them", async () => {
    const client = await proxy.connect("alice");
    await client.query("begin");
    const cursor = client.query(new Cursor("select id from orders where amount > $1 order by id", [0]));
    let total = 0;
    for (let rows = await cursor.read(50); rows.length > 0; rows = await cursor.read(50)) {
      total += rows.length;
    }
    await cursor.close();
    await client.query("commit");
    expect(total).toBe(120);
    await expect(client.query(new Cursor("select * from tenants")).read(1)).rejects.toMatchObject({
      code: "42501",
    });
    expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  test("a binary result, a large parameter and many of them", async () => {
    const client = await proxy.connect("alice");
    const large = "x".repeat(8_000_000);
    const { rows } = await client.query("select length($1) as n", [large]);
    expect(rows).toEqual([{ n: large.length }]);
    const values = Array.from({ length: 5_000 }, (_, n) => n);
    const sum = values.map((_, n) => `$${n + 1}::int`).join(" + ");
    const many = await client.query(`select cardinality(array[${sum.replaceAll(" + ", ", ")}]) as n`, values);
    expect(many.rows).toEqual([{ n: 5_000 }]);
    const binary = { text: "select name from customers where id = $1", values: [1], binary: true };
    expect((await client.query(binary)).rows).toHaveLength(1);
  });

  test("notices arrive, without what is internal", async () => {
    const client = await proxy.connect("alice");
    const notices: unknown[] = [];
    client.on("notice", (notice) => notices.push(notice));
    await client.query("rollback");
    expect(notices).toMatchObject([
      { code: "25P01", message: "there is no transaction in progress", file: undefined },
    ]);
  });
});

function options() {
  return {
    host: "127.0.0.1",
    port: proxy.port,
    user: "alice",
    password: userPassword,
    database: database.name,
    onnotice: () => {},
  };
}

describe("postgres.js", () => {
  test("pipelines, prepares, and goes on behind a refusal", async () => {
    const sql = postgres({ ...options(), max: 2 });
    const results = await Promise.allSettled([
      ...Array.from({ length: 40 }, (_, n) => sql`select ${n}::int as n, count(*)::int as c from customers`),
      sql`select * from tenants`,
      ...Array.from({ length: 10 }, (_, n) => sql`select name from customers where id = ${n + 1}`),
    ]);
    expect(results.filter(({ status }) => status === "rejected")).toHaveLength(1);
    expect(results[40]).toMatchObject({ reason: { code: "42501" } });
    expect(results[7]).toMatchObject({ value: [{ n: 7, c: 20 }] });
    await sql.end();
  });

  test("transactions, savepoints, cursors and COPY", async () => {
    const sql = postgres({ ...options(), max: 1 });
    await sql.begin(async (transaction) => {
      await transaction`insert into orders (customer_id, tenant_id, amount, note) values (1, 1, 7, 'p')`;
      await transaction.savepoint((inner) => inner`select * from tenants`).catch(() => {});
      const [row] = await transaction`select count(*)::int as n from orders where note = 'p'`;
      expect(row).toEqual({ n: 1 });
    });
    let seen = 0;
    for await (const rows of sql`select id from orders`.cursor(30)) seen += rows.length;
    expect(seen).toBe(121);
    const out = await sql`copy orders (id) to stdout`.readable();
    let lines = 0;
    for await (const chunk of out) lines += String(chunk).split("\n").length - 1;
    expect(lines).toBe(121);
    const into = await sql`copy orders (customer_id, tenant_id, amount, note) from stdin`.writable();
    await new Promise<void>((resolve, reject) => {
      into.on("error", reject);
      into.on("finish", resolve);
      into.end("1\t1\t9\tp\n1\t1\t10\tp\n");
    });
    await sql`delete from orders where note = 'p'`;
    await sql.end();
    expect(
      (await (await proxy.connect("alice")).query("select count(*)::int as n from orders")).rows,
    ).toEqual([{ n: 120 }]);
  });
});

test("Drizzle", async () => {
  const orders = pgTable("orders", {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    customer_id: integer().notNull(),
    tenant_id: integer().notNull(),
    amount: numeric().notNull(),
    note: text(),
  });
  const customers = pgTable("customers", { id: integer().primaryKey(), tenant_id: integer(), name: text() });
  const pool = new Pool(proxy.client("alice"));
  const orm = drizzle(pool);
  const joined = await orm
    .select({ name: customers.name, amount: orders.amount })
    .from(customers)
    .innerJoin(orders, eq(orders.customer_id, customers.id))
    .where(eq(customers.id, 1));
  expect(joined.length).toBeGreaterThan(0);
  await orm.transaction(async (transaction) => {
    const [made] = await transaction
      .insert(orders)
      .values({ customer_id: 1, tenant_id: 1, amount: "3", note: "d" })
      .returning({ id: orders.id });
    await transaction.update(orders).set({ note: "e" }).where(eq(orders.id, made!.id));
    expect(
      await transaction.select({ note: orders.note }).from(orders).where(eq(orders.id, made!.id)),
    ).toEqual([{ note: "e" }]);
    await transaction.delete(orders).where(eq(orders.id, made!.id));
  });
  await pool.end();
});

const psql = async (...commands: string[]) => {
  const run = promisify(execFile);
  const words = commands.flatMap((command) => ["-c", command]);
  const environment = { ...process.env, PGPASSWORD: userPassword, PGCONNECT_TIMEOUT: "10" };
  const { stdout, stderr } = await run(
    "psql",
    ["-XAt", `postgres://alice@127.0.0.1:${proxy.port}/${database.name}`, ...words],
    {
      env: environment,
    },
  ).catch((error: { stdout: string; stderr: string }) => error);
  return { lines: stdout.trimEnd().split("\n"), stderr };
};

describe("psql", () => {
  test("\\d and its family", async () => {
    const { lines, stderr } = await psql(
      "\\dt+",
      "\\d customers",
      "\\dn",
      "\\df",
      "\\du",
      "\\dp",
      "\\conninfo",
    );
    expect(stderr).toBe("");
    expect(lines.join("\n")).toContain("public|customers|table");
  });

  test("a refusal says why and what would be allowed", async () => {
    const { stderr } = await psql("select * from tenants");
    expect(stderr).toMatch(/^ERROR: .*\nDETAIL: .*\nHINT: /);
  });

  test("\\copy and several statements", async () => {
    const { lines, stderr } = await psql(
      "\\copy (select id from customers order by 1 limit 3) to stdout",
      "begin; select 2; commit",
    );
    expect(stderr).toBe("");
    expect(lines.at(-2)).toBe("2");
  });
});
