import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCatalog } from "../../src/catalog/load.ts";
import type { ErrorCode, Problem } from "../../src/errors.ts";
import { bindGrants, compileRole } from "../../src/policy/grants.ts";
import { readRoleFile } from "../../src/policy/read.ts";
import { judge, type JudgeContext } from "../../src/rewrite/judge.ts";
import { loadParser } from "../../src/sql/parser.ts";
import { createTestDatabase, type TestDatabase } from "../pg/embedded-database.ts";
import { caseRoles, readCases, readFixture } from "./case.ts";

let database: TestDatabase;
const contexts = new Map<string, JudgeContext>();

beforeAll(async () => {
  database = await createTestDatabase({ sql: readFixture("schema.sql") });
  const { adminUrl } = database;
  const client = new Client({ connectionString: adminUrl, options: "-c search_path=pg_catalog,pg_temp" });
  await client.connect();
  const { catalog } = await readCatalog(
    async (text) => (await client.query<string[]>({ text, rowMode: "array" })).rows[0]!,
  );
  await client.end();
  const parser = await loadParser(catalog.serverMajor);
  const identity = {
    name: "alice",
    method: "password",
    attributes: { tenant: 1 },
    credential: { kind: "password" },
    signedInAt: 0,
    mfa: false,
    expiresAt: undefined,
  } as const;
  for (const role of caseRoles) {
    const { roleFile } = readRoleFile(readFixture(`roles/${role}.yaml`), `roles/${role}.yaml`);
    const compiled = compileRole(roleFile!, parser);
    if (compiled.kind === "refused") throw new Error(JSON.stringify(compiled.problems));
    const grants = bindGrants(compiled.role, identity);
    contexts.set(role, { grants, catalog, parser, searchPath: ["public"], roles: new Set(caseRoles) });
  }
});
afterAll(() => database.close());

function refusal(sql: string, role = "analyst"): Problem {
  const verdict = judge(sql, contexts.get(role)!);
  if (verdict.kind === "run") throw new Error(`it runs: ${verdict.text}`);
  return verdict.problem;
}

const mayRead = 'Role "analyst" may read: ';

describe("a refusal says which rule stands against it, and what may be done instead", () => {
  test.each<readonly [sql: string, message: string, detail: string | RegExp, hint: string | RegExp]>([
    [
      "SELECT * FROM salaries",
      "permission denied for relation salaries",
      'Role "analyst" has no select rule for a relation of this name (roles/analyst.yaml).',
      new RegExp(`^${mayRead}customer_names, customers, events, .*orders, products, reporting\\.\\*`),
    ],
    [
      "DELETE FROM products",
      "permission denied for relation products",
      'Role "analyst" has no delete rule for it (roles/analyst.yaml:21 products).',
      'Role "analyst" may delete from: orders.',
    ],
    [
      "SELECT 1 FROM shop.public.orders",
      'cross-database references are not allowed: "shop"',
      "A statement reads the database that the client connected to.",
      "Name the relation by schema and name alone.",
    ],
    [
      "SELECT * FROM pg_authid",
      "permission denied for relation pg_authid",
      "Catalogs that show rows, statistics, secrets, other sessions or their statements cannot be read, and none can be written.",
      "Names, types and definitions can be read: pg_class, pg_attribute, pg_type, information_schema.columns, …",
    ],
    [
      "UPDATE orders SET id = 1",
      'permission denied to update column "id" of public.orders',
      'Role "analyst" has no update rule for this column (roles/analyst.yaml:11 orders).',
      "It may update: status, note, amount, tenant_id.",
    ],
    [
      "UPDATE customers SET name = email",
      'column "email" is masked and cannot be used to compute what is written',
      "The masked value would be stored in place of the real one (roles/analyst.yaml:8 customers.select.mask.email).",
      "Write a value that stands in the statement, or leave the column out.",
    ],
    [
      "SELECT peek(1)",
      "permission denied for function peek",
      "public.peek is not one of the server's own functions, and roles/analyst.yaml does not allow it by name.",
      'Role "analyst" may use the server\'s own functions that only compute values, and shout.',
    ],
    [
      "SET maintenance_work_mem = '1GB'",
      'permission denied to set parameter "maintenance_work_mem"',
      'Role "analyst" may not change this setting (roles/analyst.yaml).',
      "It can be allowed under settings.allow in roles/analyst.yaml.",
    ],
    [
      "SET client_encoding = 'SJIS'",
      'permission denied to set parameter "client_encoding" to this value',
      /^With other values rolegate and the server could read texts differently/,
      "It takes: utf8, unicode, sqlascii.",
    ],
    [
      "SET LOCAL ROLE admin",
      "SET LOCAL ROLE is not allowed",
      "A role comes with rules and a login of its own, and lasts until it is changed again.",
      "Use SET ROLE, outside a transaction.",
    ],
    [
      "MERGE INTO orders o USING products p ON o.id = p.id WHEN NOT MATCHED BY SOURCE THEN UPDATE SET id = 1",
      'permission denied to update column "id" of public.orders',
      'Role "analyst" has no update rule for this column (roles/analyst.yaml:11 orders).',
      "It may update: status, note, amount, tenant_id.",
    ],
    [
      "INSERT INTO orders VALUES (1)",
      "INSERT into orders needs a column list",
      'Role "analyst" may not insert into every column of it (roles/analyst.yaml:11 orders).',
      "Name the columns: (id, customer_id, tenant_id, status, amount, note).",
    ],
    [
      "UPDATE customers SET name = 'x' WHERE ssn = ''",
      'column "ssn" does not exist',
      "The role sees no such column of public.customers (roles/analyst.yaml:5 customers).",
      "It sees: id, tenant_id, name, email, created_at.",
    ],
    [
      "SELECT id FROM products FOR UPDATE",
      "permission denied to lock rows of public.products",
      'Role "analyst" has no update or delete rule for it (roles/analyst.yaml:21 products).',
      "Leave out FOR UPDATE or FOR SHARE.",
    ],
    [
      "EXPLAIN ANALYZE SELECT * FROM orders",
      "EXPLAIN ANALYZE is not allowed under a row rule",
      "Its counts would include rows that the role must not see (roles/analyst.yaml:12 orders.select.rows).",
      "Use EXPLAIN without it.",
    ],
    [
      "COPY orders TO PROGRAM 'x'",
      "COPY … PROGRAM is not allowed",
      "It runs a program on the database's machine.",
      "Use COPY … TO STDOUT or FROM STDIN, or psql's \\copy.",
    ],
    [
      "CREATE TABLE t (id int)",
      "permission denied to create t",
      'Role "analyst" has no entry under definitions with create for an object of this name (roles/analyst.yaml).',
      'Role "analyst" may create nothing.',
    ],
    [
      "TRUNCATE orders",
      "permission denied to truncate orders",
      'Role "analyst" has no entry under definitions with truncate for an object of this name (roles/analyst.yaml).',
      'Role "analyst" may truncate nothing.',
    ],
    [
      "CREATE TEMP TABLE t (id int)",
      "temporary relations are not allowed",
      'Role "analyst" may make none (roles/analyst.yaml).',
      "It can be allowed by session.temporary_tables.",
    ],
    [
      "SET ROLE nobody",
      'permission denied to set role "nobody"',
      "No access entry lets this identity take the role.",
      /^It may take: admin, analyst, .*\.$/,
    ],
    [
      "GRANT SELECT ON orders TO x",
      "GRANT is not allowed",
      /\.$/,
      "What changes the database's objects, roles or passwords is done on a connection of the database's own.",
    ],
  ])("%s", (sql, message, detail, hint) => {
    const problem = refusal(sql);
    expect(problem.message).toBe(message);
    expect(problem.detail).toEqual(typeof detail === "string" ? detail : expect.stringMatching(detail));
    expect(problem.hint).toEqual(typeof hint === "string" ? hint : expect.stringMatching(hint));
  });
});

/** Their message says it all: what the grammar says, and limits. */
const plain: ReadonlySet<ErrorCode> = new Set([
  "statement_unparsable",
  "statement_too_complex",
  "encoding_invalid",
  "setting_invalid",
]);

const refused = readCases().flatMap(([file, cases]) =>
  cases
    .filter((one) => one.refused !== undefined && one.since === undefined && one.until === undefined)
    .map((one) => ({ ...one, file })),
);

test.each(refused)("$file: $name: DETAIL and HINT are there", ({ sql, role }) => {
  const verdict = judge(sql, contexts.get(role ?? "analyst")!);
  // That it is refused at all is the business of cases.test.ts.
  if (verdict.kind === "run" || plain.has(verdict.problem.code)) return;
  const { detail, hint, message } = verdict.problem;
  expect({ message, detail, hint }).toEqual({
    message,
    detail: expect.stringMatching(/\.$/),
    hint: expect.stringMatching(/[.…]$/),
  });
});
