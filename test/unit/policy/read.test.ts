import { describe, expect, test } from "vitest";
import { readRoleFile } from "../../../src/policy/read.ts";

const design = `role: analyst
database: shop
description: Reads and edits their own tenant's customers and orders; no PII.
tables:
  customers:                       # schema public where none is named
    select:
      columns: [id, tenant_id, name, email, created_at]
      mask: { email: "regexp_replace(email, '^[^@]+', '***')" }
      rows: tenant_id = identity.tenant
  orders:
    select: { rows: tenant_id = identity.tenant }
    insert: { columns: [customer_id, tenant_id, amount, note], check: tenant_id = identity.tenant and amount < 1000 }
    update: { columns: [status, note], rows: tenant_id = identity.tenant, check: amount < 1000 }
    delete: { rows: "tenant_id = identity.tenant and status = 'draft'" }
  products: { select: all }
  reporting.*: { select: all, delete: all }
  '"Weird Name"':
    select:
      rows: |
        a > 1
        and b
functions: { allow: [order_total, tools.f] }
settings: { allow: [work_mem] }    # beside a safe default list
definitions: { orders: [truncate], reporting.*: [create, drop] }
session: { temporary_tables: true, listen: [jobs, "shop_*"] }
catalogs: { comments: hidden }
limits: { statement_timeout: 30s }
`;

const at = (line: number, sql: string) => ({ sql, file: "roles/analyst.yaml", line });

test("the role file of the design is read as it stands", () => {
  const { roleFile, problems, lines } = readRoleFile(design, "roles/analyst.yaml");
  expect(problems).toEqual([]);
  expect(lines).toEqual({ role: 1, database: 2 });
  const tenant = "tenant_id = identity.tenant";
  const none = { insert: undefined, update: undefined, delete: undefined };
  const all = { columns: "all", mask: new Map(), rows: undefined };
  expect(roleFile).toEqual({
    role: "analyst",
    database: "shop",
    description: "Reads and edits their own tenant's customers and orders; no PII.",
    file: "roles/analyst.yaml",
    functions: ["order_total", "tools.f"],
    settings: ["work_mem"],
    definitions: [
      { schema: "public", name: "orders", line: 24, allowed: ["truncate"] },
      { schema: "reporting", name: "*", line: 24, allowed: ["create", "drop"] },
    ],
    session: {
      temporaryTables: true,
      advisoryLocks: false,
      twoPhase: false,
      listen: ["jobs", "shop_*"],
      notify: [],
    },
    catalogs: { definitions: "shown", comments: "hidden" },
    statementTimeout: 30_000,
    lines: {
      functions: new Map([
        ["order_total", 22],
        ["tools.f", 22],
      ]),
      settings: new Map([["work_mem", 23]]),
    },
    tables: [
      {
        schema: "public",
        name: "customers",
        line: 5,
        ...none,
        select: {
          columns: ["id", "tenant_id", "name", "email", "created_at"],
          mask: new Map([["email", at(8, "regexp_replace(email, '^[^@]+', '***')")]]),
          rows: at(9, tenant),
          line: 6,
        },
      },
      {
        schema: "public",
        name: "orders",
        line: 10,
        select: { ...all, rows: at(11, tenant), line: 11 },
        insert: {
          columns: ["customer_id", "tenant_id", "amount", "note"],
          check: at(12, `${tenant} and amount < 1000`),
          line: 12,
        },
        update: {
          columns: ["status", "note"],
          rows: at(13, tenant),
          check: at(13, "amount < 1000"),
          line: 13,
        },
        delete: { rows: at(14, `${tenant} and status = 'draft'`), line: 14 },
      },
      { schema: "public", name: "products", line: 15, ...none, select: { ...all, line: 15 } },
      {
        schema: "reporting",
        name: "*",
        line: 16,
        ...none,
        select: { ...all, line: 16 },
        delete: { rows: undefined, line: 16 },
      },
      {
        schema: "public",
        name: "Weird Name",
        line: 17,
        ...none,
        select: { ...all, rows: at(20, "a > 1\nand b\n"), line: 18 },
      },
    ],
  });
});

test("insert and update may be all, and columns too", () => {
  const { roleFile, problems } = readRoleFile(
    "role: r\ndatabase: d\ntables:\n  t: { insert: all, update: all }\n  u: { insert: { columns: all }, update: { check: a > 1 } }\n",
    "r.yaml",
  );
  expect(problems).toEqual([]);
  expect(roleFile?.tables).toMatchObject([
    {
      insert: { columns: "all", check: undefined },
      update: { columns: "all", rows: undefined, check: undefined },
    },
    { insert: { columns: "all" }, update: { columns: "all", check: { sql: "a > 1" } } },
  ]);
});

/** `tables:` stands in line 3, so that the first table stands in line 4. */
const tables = (yaml: string) => `role: r\ndatabase: d\ntables:\n${yaml}`;

const refused: readonly [name: string, yaml: string, problems: string[]][] = [
  ["no role and no database", "description: x\n", ["1 role: missing", "1 database: missing"]],
  ["an unknown key", "role: r\ndatabse: d\n", ["1 database: missing", "2 databse: unknown key"]],
  [
    "keys that are still to come",
    "role: r\ndatabase: d\nlimits:\n  rows: 5\n  concurrent: 5\n  rate: 5/s\n",
    [
      "4 limits.rows: not supported yet",
      "5 limits.concurrent: not supported yet",
      "6 limits.rate: not supported yet",
    ],
  ],
  [
    "a bare number as timeout",
    "role: r\ndatabase: d\nlimits: { statement_timeout: 30 }\n",
    ["3 limits.statement_timeout: wrong type"],
  ],
  ["a role that is no text", "role: 5\ndatabase: d\n", ["1 role: wrong type"]],
  ["an empty role", "role: ' '\ndatabase: d\n", ["1 role: wrong value"]],
  ["tables: nothing", "role: r\ndatabase: d\ntables:\n", ["3 tables: wrong value"]],
  ["tables: {}", "role: r\ndatabase: d\ntables: {}\n", ["3 tables: wrong value"]],
  ["a table without rules", tables("  t:\n"), ["4 tables.t: wrong type"]],
  ["a table with an empty mapping", tables("  t: {}\n"), ["4 tables.t: an empty rule"]],
  ["an empty select", tables("  t:\n    select: {}\n"), ["5 tables.t.select: an empty rule"]],
  ["select: nothing", tables("  t:\n    select:\n"), ["5 tables.t.select: wrong value"]],
  ["select: true", tables("  t: { select: true }\n"), ["4 tables.t.select: wrong value"]],
  ["select: none", tables("  t: { select: none }\n"), ["4 tables.t.select: wrong value"]],
  ["select as a list", tables("  t: { select: [a] }\n"), ["4 tables.t.select: wrong value"]],
  [
    "an unknown operation",
    tables("  t:\n    select: all\n    truncate: all\n"),
    ["6 tables.t.truncate: unknown key"],
  ],
  [
    "a check on select",
    tables("  t:\n    select:\n      check: a\n"),
    ["6 tables.t.select.check: unknown key"],
  ],
  ["rows on insert", tables("  t:\n    insert: { rows: a }\n"), ["5 tables.t.insert.rows: unknown key"]],
  [
    "columns on delete",
    tables("  t:\n    delete: { columns: [a] }\n"),
    ["5 tables.t.delete.columns: unknown key"],
  ],
  ["no columns", tables("  t: { select: { columns: [] } }\n"), ["4 tables.t.select.columns: wrong value"]],
  [
    "columns as text",
    tables("  t: { select: { columns: a } }\n"),
    ["4 tables.t.select.columns: wrong value"],
  ],
  [
    "a column twice",
    tables("  t:\n    select:\n      columns:\n        - a\n        - b\n        - a\n"),
    ["9 tables.t.select.columns[2]: the column is listed twice"],
  ],
  [
    "a column in upper case",
    tables("  t: { select: { columns: [Id] } }\n"),
    ["4 tables.t.select.columns[0]: not a usable name"],
  ],
  [
    "a number as column",
    tables("  t: { select: { columns: [1] } }\n"),
    ["4 tables.t.select.columns[0]: wrong type"],
  ],
  [
    "a mask for a column that is not listed",
    tables("  t:\n    select:\n      columns: [a]\n      mask:\n        a: x\n        b: x\n"),
    ["9 tables.t.select.mask.b: a mask for a column that is not listed"],
  ],
  [
    "a mask in upper case",
    tables("  t: { select: { mask: { A: x } } }\n"),
    ["4 tables.t.select.mask.A: not a usable name"],
  ],
  [
    "two masks for one column",
    tables("  t:\n    select:\n      mask:\n        a: x\n        '\"a\"': y\n"),
    ['8 tables.t.select.mask."a": two masks for one column'],
  ],
  ["rows: true", tables("  t: { select: { rows: true } }\n"), ["4 tables.t.select.rows: wrong type"]],
  ["blank rows", tables("  t: { select: { rows: ' ' } }\n"), ["4 tables.t.select.rows: wrong value"]],
  [
    "a NUL in an expression",
    tables('  t: { select: { rows: "a\\0b" } }\n'),
    ["4 tables.t.select.rows: wrong value"],
  ],
  ["an unusable table name", tables("  a b: { select: all }\n"), ["4 tables.a b: not a usable name"]],
  [
    "two entries for one table",
    tables("  t: { select: all }\n  public.t: { select: all }\n"),
    ["5 tables.public.t: two entries for one table"],
  ],
  [
    "two entries for one quoted table",
    tables("  t: { select: all }\n  '\"t\"': { select: all }\n"),
    ['5 tables."t": two entries for one table'],
  ],
  [
    "a system schema",
    tables(
      "  pg_catalog.pg_class: { select: all }\n  information_schema.*: { select: all }\n  pg_temp.t: { select: all }\n",
    ),
    [
      "4 tables.pg_catalog.pg_class: no rules for system schemas",
      "5 tables.information_schema.*: no rules for system schemas",
      "6 tables.pg_temp.t: no rules for system schemas",
    ],
  ],
  ["functions as a list", "role: r\ndatabase: d\nfunctions: [a]\n", ["3 functions: wrong type"]],
  [
    "a function with arguments",
    "role: r\ndatabase: d\nfunctions: { allow: ['f(int)'] }\n",
    ["3 functions.allow[0]: not a usable name"],
  ],
  [
    "a setting in upper case",
    "role: r\ndatabase: d\nsettings: { allow: [Work_Mem] }\n",
    ["3 settings.allow[0]: wrong value"],
  ],
  ["bad YAML", "role: r\ndatabase: d\ntables: [\n", ["4 : bad YAML"]],
  [
    "everything at once",
    tables(
      "  T: { selct: all }\n  t:\n    select: { columns: [a], mask: { b: x } }\n    delete: { row: x }\n",
    ) + "limit: x\n",
    [
      "4 tables.T: not a usable name",
      "4 tables.T.selct: unknown key",
      "7 tables.t.delete.row: unknown key",
      "8 limit: unknown key",
    ],
  ],
];

describe("a role file is refused for", () => {
  test.each(refused)("%s", (_name, yaml, expected) => {
    const { roleFile, problems } = readRoleFile(yaml, "r.yaml");
    expect(roleFile).toBeUndefined();
    expect(problems.map(({ line, setting, message }) => `${line} ${setting}: ${message}`).toSorted()).toEqual(
      expected.toSorted(),
    );
  });
});

test("a typing error is answered with what was probably meant", () => {
  const { problems } = readRoleFile(tables("  t: { selct: all }\n"), "r.yaml");
  expect(problems[0]?.expected).toBe("one of select, insert, update, delete (did you mean select?)");
});

test("problems name the file as the caller sees it, rules as the record does", () => {
  expect(readRoleFile("role: 1\n", "roles/r.yaml", "etc/roles/r.yaml").problems[0]?.file).toBe(
    "etc/roles/r.yaml",
  );
});

test("nothing can stand beside unrestricted that would do nothing", () => {
  const text = "role: r\ndatabase: d\nunrestricted: true\n";
  expect(readRoleFile(`${text}description: migrations\n`, "r.yaml").roleFile?.unrestricted).toBe(3);
  expect(readRoleFile(text.replace("true", "false"), "r.yaml").roleFile?.unrestricted).toBeUndefined();
  for (const rule of [
    "tables: { t: { select: { rows: a = 1 } } }",
    "tables: { t: { select: all } }",
    "definitions: { t: [create] }",
    "functions: { allow: [f] }",
    "settings: { allow: [work_mem] }",
    "session: { listen: [jobs] }",
    "catalogs: { comments: hidden }",
    "limits: { statement_timeout: 1s }",
  ])
    expect(readRoleFile(`${text}${rule}\n`, "r.yaml").problems, rule).toMatchObject([
      { line: 4, message: "a rule of a role without rules" },
    ]);
});

test("what definitions cannot be read is named", () => {
  const { problems } = readRoleFile(
    "role: r\ndatabase: d\ndefinitions:\n  t: [grant]\n  u: []\nsession: { listen: ['a*b'] }\n",
    "r.yaml",
  );
  expect(problems.map(({ line, expected }) => [line, expected])).toEqual([
    [4, "one of create, alter, drop, truncate, comment, index"],
    [5, "at least one of them"],
    [6, "a channel's name; a * at its end matches any rest"],
  ]);
  const system = readRoleFile("role: r\ndatabase: d\ndefinitions:\n  pg_catalog.*: [create]\n", "r.yaml");
  expect(system.problems).toMatchObject([{ line: 4, message: "no rules for system schemas" }]);
});
