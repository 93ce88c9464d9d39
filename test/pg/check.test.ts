import { spawn } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createTestDatabase,
  describeServers,
  loginPassword,
  type TestDatabase,
} from "./embedded-database.ts";
import { writeProxyFiles } from "./running-proxy.ts";

let database: TestDatabase;
let directory: string;
const directories: string[] = [];

/** Runs the command as a user does; the files' directory is left out of what it prints. */
async function check(args: readonly string[] = []): Promise<{ code: number | null; out: string }> {
  const main = join(import.meta.dirname, "../../src/cli/main.ts");
  const child = spawn(process.execPath, [
    main,
    "check",
    "--config",
    join(directory, "rolegate.yaml"),
    ...args,
  ]);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  expect(err).toBe("");
  return { code, out: out.replaceAll(`${directory}/`, "").replaceAll(database.name, "shop") };
}

describeServers((server, major) => {
  beforeAll(async () => {
    database = await createTestDatabase({
      server,
      sql: `
      create table orders (id int primary key, tenant uuid not null, placed timestamptz, amount numeric, note text);
      create table events (id int, tenant uuid, at date) partition by range (at);
      create table events_2025 partition of events for values from ('2025-01-01') to ('2026-01-01');
      create view order_notes as select id, note from orders;
      create view more_notes as select * from order_notes;
      create schema audited;
      create table audited.log (id int, what text);
      create function total(int) returns numeric language sql security definer as 'select 1.0';
      create function noted() returns trigger language plpgsql security definer as 'begin return new; end';
      create trigger noted before insert on orders for each row execute function noted();
      create rule copied as on insert to audited.log do also notify logged;
      insert into orders values (1, '00000000-0000-0000-0000-000000000001', now(), 1, 'CANARY');`,
    });
  });
  afterAll(async () => {
    for (const made of directories.splice(0)) rmSync(made, { recursive: true });
    await database.close();
  });

  async function filesFor(
    tables: object | undefined,
    more: object = {},
    users: object = { alice: { tenant: uuid } },
  ) {
    const made = await writeProxyFiles({
      database,
      roles: {
        checked: {
          file: { ...(tables && { tables }), ...more },
          grants: "grant usage on schema audited to checked",
        },
      },
      users: users as never,
    });
    directories.push(made);
    return made;
  }
  const uuid = "00000000-0000-0000-0000-000000000001";

  describe("rolegate check, with the database", () => {
    test("says which role has no rules", async () => {
      directory = await filesFor(undefined, { unrestricted: true });
      const { code, out } = await check();
      expect(code).toBe(0);
      expect(out).toContain(
        "note: roles/checked.yaml:3: unrestricted: no rule keeps anything from this role: found checked, expected an administrator",
      );
    });

    test("finds every rule that the server does not take, by its line, and runs none", async () => {
      directory = await filesFor(
        {
          orders: {
            select: {
              mask: { note: "lower(id)", amount: "'***'", placed: "placed + interval '1 day'" },
              rows: "tenant = identity.tenant and amount > note",
            },
            update: { rows: "placed", check: "audited.missing(note)" },
            delete: { rows: "tenant = identity.name" },
          },
          nowhere: { select: "all" },
          "gone.*": { select: "all" },
          events: { select: { columns: ["id", "where"], rows: "whose = identity.name" } },
        },
        { functions: { allow: ["missing_one"] } },
      );
      const { code, out } = await check();
      expect(code).toBe(1);
      expect(out.split("\n").slice(0, -1)).toEqual([
        "roles/checked.yaml:7: public.orders select.mask.note: the server does not take the rule: found function pg_catalog.lower(integer) does not exist, expected an expression over public.orders",
        "roles/checked.yaml:10: public.orders select.rows: the server does not take the rule: found operator does not exist: numeric > text, expected a condition over public.orders",
        "roles/checked.yaml:12: public.orders update.rows: the server does not take the rule: found argument of WHERE must be type boolean, not type timestamp with time zone, expected a condition over public.orders",
        "roles/checked.yaml:13: public.orders update.check: the server does not take the rule: found function audited.missing(text) does not exist, expected a condition over public.orders",
        'roles/checked.yaml:15: public.orders delete.rows: the server does not take the rule with the attributes of alice: found invalid input syntax for type uuid: "alice", expected a condition over public.orders',
        "roles/checked.yaml:16: the database does not have this: found public.nowhere, expected a relation that the database has",
        "roles/checked.yaml:18: the database does not have this: found gone.*, expected a schema that the database has",
        "roles/checked.yaml:21: the database does not have this: found where, expected a column of public.events",
        "roles/checked.yaml:25: the database does not have this: found whose, expected a column of public.events",
        "roles/checked.yaml:28: the database does not have this: found functions.allow: missing_one, expected a function that the database has",
        "note: roles/checked.yaml:4: tables.public.orders: a write sets off what is not judged: found trigger noted, which runs noted(), expected what may run with its owner's rights, whoever writes",
        ...(major < 16
          ? []
          : [
              "note: roles/checked.yaml:8: public.orders select.mask.amount: the mask changes the column's type: found text, expected numeric",
            ]),
        "note: roles/checked.yaml:9: sessions keep timezone as the database has them: found the operator +, expected an expression in which no setting has a part, if clients are to choose it",
        expect.stringMatching(/^note: roles\/checked\.yaml:13: sessions keep .*found audited\.missing\(…\)/),
        "10 problems",
      ]);
    });

    test("notes what the file opens beside its rules", async () => {
      directory = await filesFor(
        {
          orders: { select: { rows: "tenant = identity.tenant" }, insert: "all" },
          events: { select: { rows: "tenant = identity.tenant" } },
          "public.*": { select: "all" },
          "audited.*": { insert: "all" },
        },
        { functions: { allow: ["total"] } },
      );
      const { code, out } = await check();
      expect(code).toBe(0);
      const rest = "past the rule on line";
      expect(out.split("\n").slice(0, -1)).toEqual([
        "note: roles/checked.yaml:4: tables.public.orders: a write sets off what is not judged: found trigger noted, which runs noted(), expected what may run with its owner's rights, whoever writes",
        `note: roles/checked.yaml:11: tables: shows public.orders ${rest} 4: found public.order_notes, a view of it, expected a view whose rows and columns the role may all see`,
        `note: roles/checked.yaml:11: tables: shows public.orders ${rest} 4: found public.more_notes, a view of it, expected a view whose rows and columns the role may all see`,
        `note: roles/checked.yaml:11: tables: shows public.events ${rest} 8: found public.events_2025, a partition or child of it, expected rules of its own like those of public.events (select.rows), or no entry that covers it`,
        "note: roles/checked.yaml:13: tables.audited.log: a write sets off what is not judged: found rule copied, expected what may run with its owner's rights, whoever writes",
        "note: roles/checked.yaml:17: functions.allow: runs with its owner's rights, and past the rules of the role: found public.total, a SECURITY DEFINER function, expected a function that may see and do all that its owner may",
        "rolegate.yaml: fine: 1 database, 1 role, 1 access entry, 1 password user, 0 token issuers",
      ]);
      const json = await check(["--json"]);
      expect(JSON.parse(json.out)).toMatchObject({ problems: [], unasked: [], notes: { length: 6 } });
    });

    test("says of a database that it could not ask why, and leaves it out when told to", async () => {
      const file = join(directory, "rolegate.yaml");
      writeFileSync(file, readFileSync(file, "utf8").replace(`:${database.port}/`, ":1/"));
      const { code, out } = await check();
      expect(code).toBe(2);
      expect(out).toBe(
        "database shop: not asked about role checked: connect ECONNREFUSED 127.0.0.1:1 (--offline leaves it out)\n0 problems\n",
      );
      expect(out).not.toContain(loginPassword);
      expect((await check(["--offline"])).code).toBe(0);
    });

    test("says of a login that no session could use why", async () => {
      directory = await filesFor({ orders: { select: "all" } });
      await database.query("alter role rolegate_checked createdb");
      const { code, out } = await check();
      await database.query("alter role rolegate_checked nocreatedb");
      expect(code).toBe(2);
      expect(out).toContain("login rolegate_checked has SUPERUSER, CREATEROLE, CREATEDB");
    });
  });
});
