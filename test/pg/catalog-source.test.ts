import { afterAll, beforeAll, expect, test } from "vitest";
import { relationKey } from "../../src/catalog/catalog.ts";
import { createLogger } from "../../src/log.ts";
import { openCatalogSource, type CatalogSource } from "../../src/upstream/catalog-source.ts";
import { createTestDatabase, loginPassword, type TestDatabase } from "./embedded-database.ts";

let database: TestDatabase;
let source: CatalogSource;
beforeAll(async () => {
  database = await createTestDatabase({
    template: "shop",
    sql: `
      create type mood as enum ('fine');
      create domain "Odd name" as text;
      create table kinds (a mood, b "Odd name", c char(3), d varchar(9)[], e int generated always as (1) stored,
        f numeric(10, 2) default 1);
      alter table kinds drop column d;
      create table kept (a int, b int, c int, primary key (b, a));
      create table deferred (a int primary key deferrable);
      create table parent (a int primary key);
      create table child () inherits (parent);
      create table parts (a int primary key) partition by range (a);
      create table part partition of parts for values from (0) to (9);
      create function nothing() returns trigger language plpgsql as 'begin return new; end';
      create trigger own before update on kept for each row execute function nothing();
      create trigger after after insert on kept for each row execute function nothing();
      create trigger off before insert on kept for each row execute function nothing();
      alter table kept disable trigger off;
      create trigger below before insert on child for each row execute function nothing();
      create trigger below before insert on part for each row execute function nothing();
      create rule elsewhere as on delete to deferred do instead nothing;
      create rule beside as on insert to deferred do also select 1;
      create operator === (leftarg = int, rightarg = int, function = int4eq);
      create extension pg_trgm`,
  });
  await database.addRole("catalog_reader");
  const { host, port, name } = database;
  const login = { user: "rolegate_catalog_reader", password: loginPassword };
  const target = { host, port, database: name, tls: undefined };
  source = await openCatalogSource(target, login, "catalog_reader", createLogger("silent"));
});
afterAll(async () => {
  await source.close();
  await database.close();
});

test("columns have types that can be written as they are, whatever the search path", () => {
  const { relations } = source.current();
  expect(relations.get(relationKey("public", "kinds"))).toMatchObject({
    kind: "table",
    columns: [
      { name: "a", type: "public.mood", typeKind: "e", generated: false },
      { name: "b", type: 'public."Odd name"', typeKind: "d" },
      // `character` would mean character(1).
      { name: "c", type: "bpchar", typeKind: "b" },
      { name: "e", type: "integer", generated: true, filled: false },
      { name: "f", type: "numeric", declared: "numeric(10,2)", generated: false, filled: true },
    ],
  });
  expect(relations.get(relationKey("pg_catalog", "pg_class"))?.columns[0]).toEqual({
    name: "oid",
    type: "oid",
    typeKind: "b",
    declared: "oid",
    notNull: true,
    generated: false,
    virtual: false,
    collation: 0,
    filled: false,
  });
  expect(relations.get(relationKey("reporting", "product_sales"))?.kind).toBe("view");
});

test("relations know their keys, and what happens to a row that is written", () => {
  const { relations } = source.current();
  const facts = (name: string) => {
    const { primaryKey, rowTriggers, insteadRules } = relations.get(relationKey("public", name))!;
    return { primaryKey, events: [...rowTriggers].toSorted(), rules: [...insteadRules] };
  };
  expect(facts("kept")).toEqual({ primaryKey: ["a", "b"], events: ["update"], rules: [] });
  expect(facts("deferred")).toEqual({ primaryKey: [], events: [], rules: ["delete"] });
  expect(facts("parent")).toEqual({ primaryKey: [], events: ["insert"], rules: [] });
  // A row that an update moves into the partition is inserted there.
  expect(facts("parts")).toEqual({ primaryKey: ["a"], events: ["insert", "update"], rules: [] });
});

test("functions, operators and types say where they come from", () => {
  const { functions, operators, types, schemas, serverMajor } = source.current();
  expect(functions.get("order_total")).toEqual([
    {
      schema: "public",
      name: "order_total",
      kind: "f",
      volatility: "i",
      leakproof: false,
      securityDefiner: false,
      extension: undefined,
      own: false,
      takes: { least: 2, most: 2 },
      gives: [],
      result: "numeric",
      reads: false,
      settings: [],
    },
  ]);
  expect(functions.get("make_date")).toMatchObject([{ result: "date", reads: false }]);
  expect(functions.get("isfinite")?.every(({ reads, result }) => reads && result === "boolean")).toBe(true);
  expect(functions.get("similarity")?.[0]?.extension).toBe("pg_trgm");
  expect(functions.get("now")?.[0]).toMatchObject({ schema: "pg_catalog", own: true });
  expect(operators.get("===")).toMatchObject([{ schema: "public", extension: undefined, common: true }]);
  expect(operators.get("%")).toMatchObject([{ schema: "public", extension: "pg_trgm" }]);
  expect(types.get("mood")).toMatchObject([{ schema: "public", kind: "e", makes: [], compares: [] }]);
  expect(schemas.has("reporting")).toBe(true);
  expect(serverMajor).toBe(18);
});

test("the version grows with a change, and only with one", async () => {
  const before = source.current();
  expect(await source.refresh()).toBe(before);
  await database.query("create table added (id int)");
  const after = await source.refresh();
  expect(after.version).toBe(before.version + 1);
  expect(after.relations.has(relationKey("public", "added"))).toBe(true);
  expect(source.current()).toBe(after);
});

test("calls share a reading that begins after them", async () => {
  const first = source.refresh();
  expect(source.refresh()).toBe(first);
  await database.query("create table before_the_reading (id int)");
  expect((await first).relations.has(relationKey("public", "before_the_reading"))).toBe(true);
});

test("a connection that the server ended is replaced", async () => {
  await database.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'rolegate catalog' and datname = current_database()",
  );
  // The first one may find the broken connection.
  await source.refresh().catch(() => {});
  await expect(source.refresh()).resolves.toBeDefined();
});
