import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { integer, pgTable, serial, text } from "drizzle-orm/pg-core";
import { Client, Pool } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sequenceName } from "../../src/rewrite/defining/temporary-names.ts";
import { createTestDatabase, describeServers, type TestDatabase } from "./embedded-database.ts";
import { connectRaw, extended, say } from "./raw-connection.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

const everything = { select: "all", insert: "all", update: "all", delete: "all" };
const tenant = "tenant_id = identity.tenant";

const schema = `
  create type level as enum ('low', 'high');
  create table orders (id integer primary key, tenant_id integer, note text);
  insert into orders select n, 1 + n % 2, case n % 2 when 0 then 'own' else 'CANARY' end from generate_series(1, 10) n;`;

const rowsOf = async (client: Client, text: string): Promise<unknown[]> =>
  (await client.query({ text, rowMode: "array" })).rows;

const steps = (table: string): string[] => [
  "begin",
  `create table app.${table} (id serial primary key, name text not null)`,
  `create index ${table}_name on app.${table} (name)`,
  `alter table app.${table} add column age integer default 3`,
  `insert into app.${table} (name) values ('a'), ('b')`,
  `alter table app.${table} rename column age to years`,
  `update app.${table} set years = years + 1 where name = 'b'`,
  "commit",
];

describeServers((server) => {
  let database: TestDatabase;
  let proxy: RunningProxy;

  beforeAll(async () => {
    database = await createTestDatabase({ sql: schema, server });
    proxy = await startTestProxy({
      database,
      roles: {
        definer: {
          file: {
            tables: {
              "app.*": everything,
              "drizzle.*": everything,
              orders: { select: { rows: tenant }, insert: "all" },
              "app.watched": { select: "all" },
            },
            definitions: {
              "app.watched": ["comment"],
              "app.*": ["create", "alter", "drop", "truncate", "comment", "index"],
              "drizzle.*": ["create", "alter"],
            },
            session: { temporary_tables: true },
          },
          grants: `grant create, temporary on database ${database.name} to definer; create schema app authorization definer;
            create table app.watched (id integer, note text); insert into app.watched values (1, 'as it was');
            alter table app.watched owner to definer; grant select, insert on orders to definer`,
        },
        reader: {
          file: { tables: { "app.*": { select: "all" } } },
          grants: "grant usage on schema app to reader",
        },
      },
      users: { alice: { tenant: 1 }, bob: { tenant: 2 } },
      access: [
        { role: "definer", database: database.name, when: "true" },
        { role: "reader", database: database.name, when: "true" },
      ],
    });
  });
  afterAll(async () => {
    await proxy?.close();
    await database?.close();
  });

  describe("a migration", () => {
    const seen = [
      ["a", 3],
      ["b", 4],
    ];

    test("in one transaction by the simple protocol", async () => {
      const client = await proxy.connect("alice");
      for (const step of steps("simple")) await client.query(step);
      expect(await rowsOf(client, "select name, years from app.simple order by 1")).toEqual(seen);
    });

    test("in one transaction by the extended protocol, bytes in one piece", async () => {
      const raw = await connectRaw(proxy.client("alice"));
      const texts = [...steps("extended"), "select name, years from app.extended order by 1"];
      const lines = await raw.ask(
        texts.flatMap((step) => [...extended(step), say.sync]),
        texts.length,
      );
      expect(lines.filter((line) => line.startsWith("Error"))).toEqual([]);
      expect(lines.filter((line) => line.startsWith("DataRow"))).toEqual([
        'DataRow "a" "3"',
        'DataRow "b" "4"',
      ]);
      raw.close();
    });

    test("in one text", async () => {
      const client = await proxy.connect("alice");
      await client.query(steps("one").join(";"));
      expect(await rowsOf(client, "select name, years from app.one order by 1")).toEqual(seen);
    });

    test("without a transaction, and quickly: nobody waits for the catalog", async () => {
      const client = await proxy.connect("alice");
      const began = performance.now();
      for (let n = 0; n < 20; n++) {
        await client.query(`create table app.quick_${n} (id integer primary key, note text)`);
        await client.query(`create index on app.quick_${n} (note)`);
        await client.query(`insert into app.quick_${n} values (${n}, 'x')`);
      }
      expect(performance.now() - began).toBeLessThan(5_000);
      expect(await rowsOf(client, "select id from app.quick_7")).toEqual([[7]]);
    });

    test("is seen at once by sessions of other roles", async () => {
      const client = await proxy.connect("alice");
      await client.query("create table app.shared (id integer); insert into app.shared values (1)");
      await database.query("grant select on app.shared to reader");
      const other = await proxy.connect("bob");
      await other.query("set role reader");
      expect(await rowsOf(other, "select id from app.shared")).toEqual([[1]]);
      await expect(other.query("drop table app.shared")).rejects.toMatchObject({ code: "42501" });
    });

    test("by Drizzle", async () => {
      const folder = mkdtempSync(join(tmpdir(), "rolegate-drizzle-"));
      mkdirSync(join(folder, "meta"));
      const entries = ["0000_first", "0001_second"].map((tag, idx) => ({
        idx,
        version: "7",
        when: 1_700_000_000_000 + idx,
        tag,
        breakpoints: true,
      }));
      writeFileSync(
        join(folder, "meta", "_journal.json"),
        JSON.stringify({ version: "7", dialect: "postgresql", entries }),
      );
      writeFileSync(
        join(folder, "0000_first.sql"),
        `CREATE TYPE "app"."mood" AS ENUM('sad', 'happy');--> statement-breakpoint
CREATE TABLE "app"."people" ("id" serial PRIMARY KEY NOT NULL, "name" text NOT NULL, "mood" "app"."mood" DEFAULT 'happy' NOT NULL, CONSTRAINT "people_name_unique" UNIQUE("name"));--> statement-breakpoint
CREATE TABLE "app"."pets" ("id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "app"."pets_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1), "owner" integer);--> statement-breakpoint
ALTER TABLE "app"."pets" ADD CONSTRAINT "pets_owner_people_id_fk" FOREIGN KEY ("owner") REFERENCES "app"."people"("id") ON DELETE cascade ON UPDATE no action;`,
      );
      writeFileSync(
        join(folder, "0001_second.sql"),
        `ALTER TABLE "app"."people" ADD COLUMN "age" integer;--> statement-breakpoint
CREATE INDEX "people_age" ON "app"."people" USING btree ("age");`,
      );
      const pool = new Pool({ ...proxy.client("alice"), max: 1 });
      const db = drizzle(pool);
      await migrate(db, { migrationsFolder: folder });
      await migrate(db, { migrationsFolder: folder });
      const people = pgTable("people", { id: serial(), name: text(), age: integer() });
      await db.execute(sql`set search_path = app`);
      await db.insert(people).values({ name: "Una", age: 30 });
      expect(await db.select().from(people)).toEqual([{ id: 1, name: "Una", age: 30 }]);
      await pool.end();
      rmSync(folder, { recursive: true });
    });
  });

  test("a name without a schema is made in the first one of the search path, and hides no type behind it", async () => {
    const client = await proxy.connect("alice");
    await client.query("set search_path = app, public");
    await client.query("create table bare (id integer); create view bare_ids as select id from bare");
    expect(await rowsOf(client, "select schemaname from pg_tables where tablename = 'bare'")).toEqual([
      ["app"],
    ]);
    await expect(client.query("create table level (id integer)")).rejects.toMatchObject({ code: "42P07" });
    await expect(client.query("create type level as enum ('x')")).rejects.toMatchObject({ code: "42P07" });
    await client.query("drop view bare_ids; drop table bare");
    await client.query("set search_path = public, app");
    await expect(client.query("create table bare (id integer)")).rejects.toMatchObject({ code: "42501" });
  });

  describe("what a transaction defined", () => {
    test("is gone with it", async () => {
      const client = await proxy.connect("alice");
      await client.query("begin");
      await client.query("create table app.undone (id integer)");
      await client.query("rollback");
      await expect(client.query("select * from app.undone")).rejects.toMatchObject({
        code: expect.stringMatching(/^42(P01|501)$/) as string,
      });
    });

    test("makes no condition safe that is not", async () => {
      const client = await proxy.connect("alice");
      await client.query("begin");
      await client.query("create table app.probe (id text); insert into app.probe values ('1')");
      const notes = await rowsOf(
        client,
        "select o.note from orders o, app.probe p where o.note::int > p.id::int",
      ).catch((error: Error) => error.message);
      expect(JSON.stringify(notes)).not.toContain("CANARY");
      await client.query("rollback");
    });
  });

  describe("temporary tables", () => {
    test("are the session's own", async () => {
      const [one, two] = [await proxy.connect("alice"), await proxy.connect("alice")];
      await one.query("create temp table scratch (id integer, note text)");
      await one.query({ text: "insert into scratch values ($1, $2)", values: [1, "one"] });
      expect(await rowsOf(one, "select * from scratch")).toEqual([[1, "one"]]);
      await expect(two.query("select * from scratch")).rejects.toMatchObject({ code: "42501" });
      await expect(two.query("select * from pg_temp.scratch")).rejects.toMatchObject({ code: "42501" });
      await two.query("create temp table scratch (id integer)");
      expect(await rowsOf(two, "select * from scratch")).toEqual([]);
    });

    test("follow the transaction and its savepoints", async () => {
      const client = await proxy.connect("alice");
      const there = async (name: string): Promise<boolean> => {
        await client.query("savepoint look");
        try {
          await client.query(`select * from ${name}`);
          return true;
        } catch {
          await client.query("rollback to look");
          return false;
        }
      };
      await client.query("create temp table kept (id integer)");
      await client.query("begin");
      await client.query("savepoint a");
      await client.query("create temp table first_one (id integer)");
      await client.query("savepoint b");
      await client.query("create temp table second_one (id integer); drop table kept");
      expect(await there("second_one")).toBe(true);
      expect(await there("kept")).toBe(false);
      await client.query("rollback to b");
      expect([await there("first_one"), await there("second_one"), await there("kept")]).toEqual([
        true,
        false,
        true,
      ]);
      await client.query("rollback to a");
      expect([await there("first_one"), await there("kept")]).toEqual([false, true]);
      await client.query("create temp table third_one (id integer)");
      await client.query("rollback");
      await client.query("begin");
      expect([await there("third_one"), await there("kept")]).toEqual([false, true]);
      await client.query("create temp table third_one (id integer) on commit drop");
      expect(await there("third_one")).toBe(true);
      await client.query("commit");
      await client.query("begin");
      expect([await there("third_one"), await there("kept")]).toEqual([false, true]);
      await client.query("commit");
      await expect(
        client.query("create temp table fourth_one (id integer); select 1 / 0"),
      ).rejects.toMatchObject({ code: "22012" });
      await expect(client.query("select * from fourth_one")).rejects.toMatchObject({ code: "42501" });
      await client.query("create temp table fourth_one (id integer)");
      expect(await rowsOf(client, "select * from fourth_one")).toEqual([]);
    });

    test("have sequences that are called as the server calls them", async () => {
      const long = "x".repeat(63);
      const pairs = [
        ["short", "id"],
        [long, "id"],
        ["t", long],
        [long, long],
        ["ä".repeat(31), "ö".repeat(30)],
        ["t".repeat(30), "ö".repeat(31)],
      ] as const;
      for (const [table, column] of pairs) {
        await database.query(`create temp table "${table}" ("${column}" serial)`);
        const { rows } = await database.query(
          "select relname from pg_class where relkind = 'S' and relnamespace = pg_my_temp_schema()",
        );
        expect(rows).toEqual([{ relname: sequenceName(table, column) }]);
        await database.query(`drop table "${table}"`);
      }
    });

    test("go with DISCARD and with the role", async () => {
      const client = await proxy.connect("alice");
      for (const end of ["discard temp", "discard all", "set role reader"]) {
        await client.query("create temp table going (id integer)");
        expect(await rowsOf(client, "select * from going")).toEqual([]);
        await client.query(end);
        await expect(client.query("select * from going")).rejects.toMatchObject({ code: "42501" });
      }
      await client.query("set role definer");
      await client.query("create temp table going (id integer)");
      expect(await rowsOf(client, "select * from going")).toEqual([]);
    });

    test("never stand for a table that somebody makes later under the name", async () => {
      const client = await proxy.connect("alice");
      await client.query("create temp table later (id integer); insert into later values (1)");
      await database.query("create table public.later (id integer); insert into public.later values (2)");
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      expect(await rowsOf(client, "select id from later")).toEqual([[1]]);
      await expect(client.query("select id from public.later")).rejects.toMatchObject({ code: "42501" });
      await client.query("drop table later");
      await expect(client.query("select id from later")).rejects.toMatchObject({ code: "42501" });
      await expect(client.query("create temp table later (id integer)")).rejects.toMatchObject({
        code: "42P07",
      });
      await database.query("drop table public.later");
    });

    test("that are views write nothing, whatever a client sends behind the end of a transaction", async () => {
      const raw = await connectRaw(proxy.client("alice"));
      const texts = [
        "create temp view peek as select id, note from app.watched",
        "begin",
        "drop view peek",
        "create temp table peek (id integer, note text)",
        "rollback",
        "update peek set note = 'CHANGED'",
        "begin",
        "drop view peek",
        "discard temp",
        "create temp table peek (id integer, note text)",
        "rollback",
        "update peek set note = 'CHANGED'",
      ];
      const lines = await raw.ask(
        texts.map((text) => say.query(text)),
        texts.length,
      );
      expect(lines.filter((line) => line.includes("42P07"))).toHaveLength(2);
      raw.close();
      const { rows } = await database.query("select note from app.watched");
      expect(rows).toEqual([{ note: "as it was" }]);
    });

    test("hold the rows that the role sees, and take them back under its rules", async () => {
      const client = await proxy.connect("alice");
      await client.query("create temp table mine as select * from orders");
      expect(await rowsOf(client, "select distinct note from mine")).toEqual([["own"]]);
      const { rows } = await client.query(
        "select count(*)::int as n from orders where id in (select id from mine)",
      );
      expect(rows).toEqual([{ n: 5 }]);
      const named = { name: "joined", text: "select count(*)::int as n from orders o join mine using (id)" };
      expect((await client.query(named)).rows).toEqual([{ n: 5 }]);
      await client.query("alter table mine add column more text");
      expect((await client.query(named)).rows).toEqual([{ n: 5 }]);
    });
  });

  test("what was locked and defined stands on record with its rule", async () => {
    const client = await proxy.connect("alice");
    await client.query("create table app.recorded (id integer)");
    await client.query("lock table app.recorded in access share mode").catch(() => {});
    await client.query("drop table app.recorded");
    const statements = await proxy.statements();
    const own = statements.filter((line) => (line["relations"] as string[]).includes("app.recorded"));
    expect(own.map((line) => line["kind"])).toEqual(["CREATE TABLE", "LOCK TABLE", "DROP TABLE"]);
    expect(own[0]!["rules"]).toEqual([
      expect.stringMatching(/^roles\/definer\.yaml:\d+ definitions app\.\*$/),
    ]);
  });
});
