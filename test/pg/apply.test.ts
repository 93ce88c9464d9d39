import { readFileSync } from "node:fs";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApplyResult } from "../../src/apply/apply-roles.ts";
import { applyTo } from "../../src/apply/apply-to.ts";
import type { DatabaseConfig } from "../../src/config/config.ts";
import { readRoleFile } from "../../src/policy/read.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";

// Roles are the whole server's: names that no other test file uses.
const role = "apply_analyst";
const login = `rolegate_${role}`;
const analyst = readFileSync(new URL("../../roles/analyst.yaml", import.meta.url), "utf8").replace(
  "role: analyst",
  `role: ${role}`,
);

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({
    template: "shop",
    sql: `
      create table public.tickets (id serial primary key, tenant_id int, secret text);
      create schema kinds; create domain kinds.subject as text;
      alter table tickets add subject kinds.subject;
      revoke execute on function order_total from public;
      revoke usage on schema public from public`,
  });
});
afterAll(async () => {
  await database.close();
});

function apply(
  text: string,
  options: { url?: string; password?: string; dryRun?: boolean; adopt?: boolean } = {},
): Promise<ApplyResult> {
  const { roleFile, problems } = readRoleFile(text, "roles/analyst.yaml");
  if (roleFile === undefined) throw new Error(JSON.stringify(problems));
  const config: DatabaseConfig = {
    name: "shop",
    upstream: { host: database.host, port: database.port, database: database.name, tls: undefined },
    login: {
      userTemplate: "rolegate_{role}",
      password: () => async () => options.password ?? "first password",
    },
    roles: new Map([[role, roleFile]]),
  };
  return applyTo(options.url ?? database.adminUrl, config, options);
}

async function statements(...values: Parameters<typeof apply>): Promise<readonly string[]> {
  const result = await apply(...values);
  if (result.kind === "refused") throw new Error(result.problems.join("\n"));
  return result.statements;
}

/** Runs SQL as the login with the role in force; the rows, or the error's SQLSTATE. */
async function asRole(sql: string, password = "first password"): Promise<unknown> {
  const { host, port, name } = database;
  const client = new Client({
    host,
    port,
    database: name,
    user: login,
    password,
    options: `-c role=${role}`,
  });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await client.end();
  }
}

test("a dry run says what it would do, and does nothing", async () => {
  const planned = await statements(analyst, { dryRun: true });
  expect(planned).toContain(`CREATE ROLE ${role} NOLOGIN`);
  expect(planned).toContainEqual(
    expect.stringMatching(/^GRANT SELECT \(.*email.*\) ON TABLE public\.customers TO/),
  );
  expect(await database.query("select from pg_roles where rolname = $1", [role])).toHaveProperty(
    "rowCount",
    0,
  );
});

test("a role without rules is the administrator's", async () => {
  const result = await apply(`role: ${role}\ndatabase: shop\nunrestricted: true\n`);
  expect(result).toMatchObject({
    kind: "applied",
    statements: [],
    notes: expect.arrayContaining([expect.stringMatching(/^role apply_analyst is unrestricted/)]) as unknown,
  });
});

test("the role can do what the rules need, and nothing beside", async () => {
  expect(await statements(analyst)).not.toEqual([]);
  expect(await asRole("select name, email from customers limit 1")).toHaveLength(1);
  expect(await asRole("select ssn from customers")).toBe("42501");
  expect(await asRole("insert into orders (customer_id, tenant_id, amount) values (1, 1, 5)")).toEqual([]);
  expect(await asRole("insert into orders (customer_id, tenant_id, status) values (1, 1, 'paid')")).toBe(
    "42501",
  );
  expect(await asRole("update orders set note = 'x' where id = 1")).toEqual([]);
  expect(await asRole("update orders set amount = 1 where id = 1")).toBe("42501");
  expect(await asRole("delete from orders where id = -1")).toEqual([]);
  expect(await asRole("delete from products")).toBe("42501");
  expect(await asRole("select * from reporting.product_sales limit 1")).toHaveLength(1);
  expect(await asRole("select order_total(10, 2)")).toEqual([{ order_total: "19.00" }]);
  expect(await asRole("select from tenants")).toBe("42501");
});

test("the login is worth nothing without the role", async () => {
  expect(await asRole("reset role; set role none; select id from public.customers")).toBe("42501");
  const { rows } = await database.query("select pg_has_role($1, $2, 'usage') as may", [login, role]);
  expect(rows).toEqual([{ may: false }]);
});

test("applying again changes nothing, not even the password", async () => {
  expect(await statements(analyst)).toEqual([]);
});

test("what the file no longer says is revoked, and what somebody granted beside it", async () => {
  await database.query(`grant select on tenants to ${role}; grant update (email) on customers to ${login};
    grant pg_read_all_data to ${login}; alter role ${login} set search_path = evil; alter role ${login} inherit`);
  const less = analyst
    .replace(/ {4}delete: .*\n/, "")
    .replace("created_at]", "tenant_id]")
    .replace(", tenant_id]", "]");
  const done = await statements(less);
  expect(done).toContain(`REVOKE pg_read_all_data FROM ${login}`);
  expect(done).toContain(`ALTER ROLE ${login} NOINHERIT`);
  expect(done).toContain(`ALTER ROLE ${login} RESET ALL`);
  expect(done).toContain(`REVOKE SELECT ON TABLE public.tenants FROM ${role}`);
  expect(done).toContain(`REVOKE UPDATE (email) ON TABLE public.customers FROM ${login}`);
  expect(await asRole("delete from orders where id = -1")).toBe("42501");
  expect(await asRole("select created_at from customers")).toBe("42501");
  expect(await asRole("select id from customers limit 1")).toHaveLength(1);
});

test("columns instead of the whole table: the table's privilege goes, theirs stay", async () => {
  await statements(
    analyst.replace("products: { select: all }", "products: { select: { columns: [id, name] } }"),
  );
  expect(await asRole("select id, name from products limit 1")).toHaveLength(1);
  expect(await asRole("select price from products")).toBe("42501");
  await statements(analyst);
  expect(await asRole("select price from products limit 1")).toHaveLength(1);
});

test("an insert may use the sequences and types of the columns that it does not name", async () => {
  await statements(analyst.replace("tables:", "tables:\n  tickets: { insert: { columns: [subject] } }"));
  expect(await asRole("insert into tickets (subject) values ('x'::kinds.subject)")).toEqual([]);
  expect(await asRole("select setval('tickets_id_seq', 1)")).toBe("42501");
});

test("another password is set", async () => {
  expect(await statements(analyst, { password: "second password" })).toContainEqual(
    expect.stringMatching(`^ALTER ROLE ${login} PASSWORD 'SCRAM-SHA-256\\$`),
  );
  expect(await asRole("select 1 as one", "second password")).toEqual([{ one: 1 }]);
});

test("relations, columns and functions that the database lacks are reported with their place, and nothing is changed", async () => {
  const wrong = analyst
    .replace("products: {", "prodcts: {")
    .replace("[id, tenant_id, name,", "[id, tenant_id, nam,")
    .replace("[order_total]", "[order_total, ordertotal, public.order_total, pg_sleep]");
  expect(await apply(wrong)).toEqual({
    kind: "refused",
    problems: [
      expect.stringMatching(
        /^roles\/analyst\.yaml:\d+: the database has no such column: found public\.customers\.nam,/,
      ),
      expect.stringMatching(
        /^roles\/analyst\.yaml:\d+: the database has no such relation: found public\.prodcts,/,
      ),
      expect.stringMatching(/functions\.allow: the database has no such function: found ordertotal,/),
    ],
  });
});

test("an administrator who cannot connect is told whom and where was tried", async () => {
  const url = "postgres://boss@127.0.0.1:1/shop";
  await expect(apply(analyst, { url })).rejects.toThrow(
    "the administrator's connection (boss at 127.0.0.1:1): connect ECONNREFUSED 127.0.0.1:1",
  );
});

test("roles that it did not make are left alone, superusers always", async () => {
  await database.query(`comment on role ${role} is null`);
  expect(await apply(analyst)).toMatchObject({
    problems: [expect.stringContaining("was not made by rolegate apply")],
  });
  expect(await statements(analyst, { adopt: true })).not.toEqual([]);
  await database.query(`comment on role ${role} is null; alter role ${role} superuser`);
  expect(await apply(analyst, { adopt: true })).toMatchObject({
    problems: [expect.stringContaining("SUPERUSER")],
  });
  await database.query(`alter role ${role} nosuperuser`);
});

test("a grant that another role made is reported, because only they can revoke it", async () => {
  await database.query(`create role apply_granter; grant select on tenants to apply_granter with grant option;
    grant usage on schema public to apply_granter;
    set role apply_granter; grant select on tenants to ${role}; reset role`);
  expect(await apply(analyst, { adopt: true })).toMatchObject({
    problems: [`role ${role} still has SELECT on TABLE public.tenants: only who granted it can revoke it`],
  });
});

test("an administrator who may not grant changes nothing", async () => {
  await database.query(
    "drop role if exists apply_admin; create role apply_admin login createrole password 'admin'",
  );
  const admin = (more: string) => database.query(`grant ${more} to apply_admin`);
  const url = database.adminUrl.replace(/\/\/[^@]+@/, "//apply_admin:admin@");
  const text = analyst.replace(role, "apply_other");
  await expect(apply(text, { url })).rejects.toThrow("permission denied");
  // With a right of some kind on each object, the server only warns of what it does not grant.
  await admin("usage on schema public, reporting");
  await admin("select on all tables in schema public, reporting");
  await admin("execute on all functions in schema public");
  expect(await apply(text, { url })).toMatchObject({
    problems: expect.arrayContaining([
      "role apply_other lacks DELETE on TABLE public.orders: only the owner can grant it",
    ]),
  });
  expect(await database.query("select from pg_roles where rolname = 'apply_other'")).toHaveProperty(
    "rowCount",
    0,
  );
});
