import { spawn } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, loginPassword, type TestDatabase } from "./embedded-database.ts";
import { writeProxyFiles } from "./running-proxy.ts";

let database: TestDatabase;
let directory: string;

beforeAll(async () => {
  database = await createTestDatabase({ template: "shop", sql: "create schema app" });
  const mine = "tenant_id = identity.tenant";
  directory = await writeProxyFiles({
    database,
    roles: {
      explain_clerk: {
        file: {
          tables: {
            customers: {
              select: {
                columns: ["id", "tenant_id", "name", "email"],
                mask: { email: "left(email, 1)" },
                rows: mine,
              },
            },
            orders: {
              select: { rows: mine },
              insert: { columns: ["tenant_id", "customer_id", "amount"], check: mine },
            },
          },
        },
        grants: "grant select, insert on customers, orders to explain_clerk",
      },
      explain_owner: { file: { tables: { "public.*": { select: "all" } } } },
      explain_boss: { file: { tables: { orders: { select: { rows: "amount > identity.least" } } } } },
    },
    users: { alice: { tenant: 1 }, carol: {}, dave: { tenant: 7, least: 10 } },
    access: [
      { role: "explain_clerk", database: database.name, when: "has(identity.tenant)" },
      {
        role: "explain_owner",
        database: database.name,
        when: "connection.tls || connection.application_name == 'office'",
      },
      {
        role: "explain_boss",
        database: database.name,
        when: "identity.name == 'carol' || identity.tenant == 7",
      },
    ],
  });
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await database.close();
});

/** Runs the command as a user does. */
async function explain(
  args: readonly string[],
  input = "",
): Promise<{ code: number | null; out: string; err: string }> {
  const main = join(import.meta.dirname, "../../src/cli/main.ts");
  const child = spawn(process.execPath, [
    main,
    "explain",
    "--config",
    join(directory, "rolegate.yaml"),
    ...args,
  ]);
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, out, err };
}

const asAlice = ["--as", "alice"];

describe("rolegate explain", () => {
  test("shows who, by which rules, and what is sent", async () => {
    const sql = "select o.id, c.email from orders o join customers c on c.id = o.customer_id";
    const { code, out, err } = await explain([...asAlice, sql]);
    expect([code, err]).toEqual([0, ""]);
    expect(out.replace(database.name, "shop")).toBe(`alice, by password: tenant 1
role explain_clerk of database shop, by rolegate.yaml:28
taken: from 127.0.0.1 without TLS, application_name "", search_path explain_clerk, public

RUNS

SELECT on public.customers, public.orders
  rules  roles/explain_clerk.yaml:12  customers.select.mask.email  left(email, 1)
         roles/explain_clerk.yaml:13  customers.select.rows        tenant_id = identity.tenant
         roles/explain_clerk.yaml:16  orders.select.rows           tenant_id = identity.tenant
  sent   select o.id, c.email from (SELECT * FROM public.orders WHERE (orders.tenant_id = '1')) o join (SELECT id, tenant_id, name, (pg_catalog.left(customers.email, 1)) AS email FROM public.customers WHERE (customers.tenant_id = '1')) c on c.id = o.customer_id
  note   Of the database's errors the client gets what quotes no hidden row or column.
`);
  });

  test("shows which statement of a text is refused, and what the client is told", async () => {
    const { code, out } = await explain([...asAlice, "-"], "select 1;\nselect * from salaries; select 2");
    expect(code).toBe(1);
    expect(out.slice(out.indexOf("REFUSED"))).toBe(`REFUSED  as a whole: none of the statements runs
  ERROR:  permission denied for relation salaries  (42501)
  DETAIL: Role "explain_clerk" has no select rule for a relation of this name (roles/explain_clerk.yaml).
  HINT:   Role "explain_clerk" may read: customers, orders.

1. SELECT
  sql    select 1
  sent   as it is

2. SELECT may not run
  sql    select * from salaries

3. not looked at any more
  sql    select 2
`);
  });

  test("prints it as JSON, from a file", async () => {
    const file = join(directory, "statement.sql");
    writeFileSync(file, "insert into orders (tenant_id, customer_id, amount) values (1, 1, 2)\n");
    const { code, out } = await explain([...asAlice, "--json", "--file", file]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      identity: { name: "alice", method: "password", attributes: { tenant: 1 } },
      role: "explain_clerk",
      roles: ["explain_clerk"],
      verdict: "run",
      statements: [
        {
          kind: "INSERT",
          relations: ["public.orders"],
          rules: [
            { place: "roles/explain_clerk.yaml:14", key: "orders" },
            { key: "orders.insert.check", text: "tenant_id = identity.tenant" },
          ],
          sent: expect.stringContaining("RETURNING"),
        },
      ],
    });
    expect(await database.query("select count(*)::int as count from orders where amount = 2")).toMatchObject({
      rows: [{ count: 0 }],
    });
  });

  test("takes the role and the connection that it is told of", async () => {
    const office = await explain([
      ...asAlice,
      "--application-name",
      "office",
      "--role",
      "explain_owner",
      "select 1",
    ]);
    expect(office).toMatchObject({ code: 0, out: expect.stringContaining("may also take explain_clerk\n") });
    const nobody = await explain([...asAlice, "--role", "explain_owner", "select 1"]);
    expect(nobody.code).toBe(1);
    expect(nobody.out).toContain('ERROR:  "alice" may not take the role "explain_owner"  (28000)');
    expect(nobody.out).toContain('HINT:   Connect as "alice", or as one of: explain_clerk.');
  });

  test("shows that a login would be refused for an attribute, and a condition that fails", async () => {
    const { code, out } = await explain(["--as", "carol", "--role", "explain_boss", "select 1"]);
    expect(code).toBe(1);
    expect(out).toContain('DETAIL: The rules of role "explain_boss" use identity.least.');
    const failing = await explain([...asAlice, "--role", "explain_boss", "select 1"]);
    expect(failing.code).toBe(1);
  });

  test.each([
    [["--as", "alcie", "select 1"], /--as: found alcie, expected .*did you mean alice\?/],
    [["--as", "alice"], /no statement/],
    [["--as", "alice", "--attribute", "tenant=2", "select 1"], /no token issuer is configured/],
    [["--as", "alice", "--database", "nope", "select 1"], /--database: found nope/],
    [["select 1"], /required option '--as <name>'/],
  ])("%s could not be told", async (args, expected) => {
    const { code, out, err } = await explain(args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(expected);
  });

  test("says so where the database cannot be asked, without the password", async () => {
    const file = join(directory, "rolegate.yaml");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(`:${database.port}/`, ":1/"));
    try {
      const { code, err } = await explain([...asAlice, "select 1"]);
      expect(code).toBe(2);
      expect(err).toContain("rolegate: the database is not available: connect ECONNREFUSED 127.0.0.1:1; ");
      expect(err).not.toContain(loginPassword);
    } finally {
      writeFileSync(file, text);
    }
  });
});
