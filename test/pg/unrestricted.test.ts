import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Client } from "pg";
import { createTestDatabase, describeServers, type TestDatabase } from "./embedded-database.ts";
import { connectRaw, kinds, say } from "./raw-connection.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

let database: TestDatabase;
let proxy: RunningProxy;

const free = { unrestricted: true };
const ruled = { tables: { orders: { select: { rows: "tenant = 1" } } }, settings: { allow: ["app.tenant"] } };

/** The answer to each statement in turn: rows as arrays, or the SQLSTATE and message of its error. */
async function answers(client: Client, ...statements: readonly string[]): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const text of statements)
    try {
      found.push((await client.query({ text, rowMode: "array" })).rows);
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      found.push(`${code ?? ""} ${message}`);
    }
  return found;
}

/** Waits until the session is over. */
async function ended(client: Client): Promise<void> {
  await new Promise<void>((resolve) => client.once("end", resolve));
}

describeServers((server) => {
  beforeAll(async () => {
    database = await createTestDatabase({
      server,
      sql: "create table orders (id int, tenant int); insert into orders values (1, 1), (2, 2)",
    });
    proxy = await startTestProxy({
      database,
      roles: {
        free_one: {
          file: free,
          grants: "grant all on schema public to free_one; grant all on orders to free_one with grant option",
        },
        free_ruled: { file: ruled, grants: "grant select on orders to free_ruled" },
        free_other: { file: free, grants: "grant select on orders to free_other" },
        free_super: {
          file: free,
          grants: "alter role free_super superuser; alter role rolegate_free_super superuser",
        },
        free_not: { file: ruled, grants: "alter role free_not superuser" },
      },
      users: { admin: { admin: true }, user: {}, root: {}, rooted: {} },
      access: [
        ["free_one", "identity.name == 'admin'"],
        ["free_ruled", "identity.name == 'admin' || identity.name == 'user'"],
        ["free_other", "identity.name == 'nobody'"],
        ["free_super", "identity.name == 'root'"],
        ["free_not", "identity.name == 'rooted'"],
      ].map(([role, when]) => ({ role, database: database.name, when })),
    });
  });
  afterAll(async () => {
    await proxy.close();
    await database.query(
      "alter role free_super nosuperuser; alter role rolegate_free_super nosuperuser; alter role free_not nosuperuser",
    );
    await database.close();
  });

  test("a role without rules does what its database role may, and no more, on record", async () => {
    const client = await proxy.connect("admin");
    const make = "create function fired() returns trigger language plpgsql as 'begin return new; end'";
    expect(
      await answers(
        client,
        make,
        "create table made (id int primary key)",
        "create trigger t before insert on made for each row execute function fired()",
        "do $$ begin execute 'insert into made values (1)'; end $$",
        "grant select on made to public",
        "create domain small as int check (value < 10)",
        "with m as (select * from made) select * from m, orders where tenant = 2",
        "prepare p as select count(*)::int from made",
        "execute p",
        "set work_mem = '8MB'",
        "show work_mem",
        "set row_security = off",
        "select setting from pg_settings where name = 'row_security'",
        "select no_such_column from orders",
      ),
    ).toEqual([
      [],
      [],
      [],
      [],
      [],
      [],
      [[1, 2, 2]],
      [],
      [[1]],
      [],
      [["8MB"]],
      [],
      [["off"]],
      '42703 column "no_such_column" does not exist',
    ]);
    expect(await answers(client, "create role another", "alter system set work_mem = 1")).toEqual([
      expect.stringMatching(/^42501 permission denied/),
      expect.stringMatching(/^42501 /),
    ]);
    const lines = (await proxy.statements()).filter((line) => line["role"] === "free_one");
    const line = (start: string) => lines.find(({ sql }) => String(sql).startsWith(start));
    expect(line("create function")).toMatchObject({ kind: "CREATE FUNCTION", verdict: "run", sql: make });
    expect(line("do")).toMatchObject({ kind: "DO", rules: ["roles/free_one.yaml:3 unrestricted"] });
    expect(line("with")).toMatchObject({ kind: "SELECT", relations: ["made", "orders"] });
    expect(line("execute")).toMatchObject({ kind: "EXECUTE", relations: ["made"] });
  });

  test("positions and details of the database's errors are whole", async () => {
    const client = await proxy.connect("admin");
    await answers(client, "create table keyed (id int primary key)", "insert into keyed values (1)");
    await expect(client.query("insert into keyed values (1)")).rejects.toMatchObject({
      code: "23505",
      detail: "Key (id)=(1) already exists.",
    });
    await expect(client.query("select 1 +  nothing")).rejects.toMatchObject({ position: "13" });
  });

  test("leaving the role leads to nothing", async () => {
    const client = await proxy.connect("admin");
    const seen = "select count(*)::int from orders";
    expect(await answers(client, "set role free_other", "set session authorization free_other")).toEqual([
      expect.stringMatching(/^42501 permission denied to set role/),
      expect.stringMatching(/^42501 permission denied to set session authorization/),
    ]);
    expect(await answers(client, "do $$ begin set role free_other; end $$")).toEqual([
      expect.stringMatching(/^42501 /),
    ]);
    const denied = expect.stringMatching(/^42501 permission denied for /);
    expect(await answers(client, "set role none", seen, "reset role", seen)).toEqual([[], denied, [], [[2]]]);
    const left = "do $$ begin perform set_config('role', 'none', false); end $$";
    expect(await answers(client, left, seen, "set role free_one", seen)).toEqual([[], denied, [], [[2]]]);
    const local = ["begin", "set local role none", seen, "rollback", seen];
    expect(await answers(client, ...local)).toEqual([[], [], denied, [], [[2]]]);
    expect(await answers(client, "set rolegate.identity = 'user'", "set rolegate.role = 'x'")).toEqual([
      expect.stringMatching(/^42501 /),
      expect.stringMatching(/^42501 /),
    ]);
  });

  test.each([
    "do $$ begin perform set_config('standard_conforming_strings', 'off', false); end $$",
    "select set_config('client_encoding', 'latin1', false)",
  ])("what changes how texts are read is refused, or ends the session: %s", async (text) => {
    const client = await proxy.connect("admin");
    expect(
      await answers(
        client,
        "set standard_conforming_strings = off",
        "set client_encoding = latin1",
        "set names 'sjis'",
        "set client_encoding = 'utf8'",
      ),
    ).toEqual([...Array.from({ length: 3 }, () => expect.stringMatching(/^42501 /) as unknown), []]);
    const over = ended(client);
    await expect(client.query(text)).rejects.toMatchObject({
      code: "57P01",
      message: expect.stringMatching(/was changed/) as unknown,
    });
    await over;
  });

  test("what changes how texts are read is refused at the start, too", async () => {
    await expect(proxy.connect("admin", { options: "-c standard_conforming_strings=off" })).rejects.toThrow(
      'permission denied to set parameter "standard_conforming_strings" to this value',
    );
    await expect(proxy.connect("admin", { options: "-c role=free_other" })).rejects.toThrow(
      'the startup parameter "role" is not allowed',
    );
    const client = await proxy.connect("admin", { options: "-c enable_sort=off -c search_path=nowhere" });
    expect(await answers(client, "show enable_sort", "show search_path")).toEqual([[["off"]], [["nowhere"]]]);
  });

  test("nothing of it reaches another session, nor the next role of its own", async () => {
    const other = await proxy.connect("user");
    const client = await proxy.connect("admin");
    const seen = "select id from orders";
    const poison = [
      "create temporary table orders as select 99 as id, 1 as tenant",
      "set row_security = off",
      "set app.tenant = 'root'",
      "do $$ begin perform set_config('rolegate.identity', 'user', false); end $$",
      "prepare q as select id from public.orders",
      "set search_path = pg_temp, public",
    ];
    await answers(client, ...poison);
    expect(await answers(client, seen)).toEqual([[[99]]]);
    expect(await answers(other, seen, "show rolegate.identity")).toEqual([[[1]], [["user"]]]);
    await client.query("set role free_ruled");
    expect(await answers(client, seen, "show rolegate.identity", "show app.tenant")).toEqual([
      [[1]],
      [["admin"]],
      expect.stringMatching(/^42704 unrecognized/),
    ]);
    expect(await answers(client, "execute q", "do $$ begin end $$", "create table x (a int)")).toEqual([
      expect.stringMatching(/^26000 /),
      expect.stringMatching(/^42501 DO is not allowed/),
      expect.stringMatching(/^42501 /),
    ]);
    await client.query("reset role");
    expect(await answers(client, "do $$ begin end $$", seen)).toEqual([[], [[1], [2]]]);
  });

  test("what it defines is soon known to other sessions", async () => {
    const client = await proxy.connect("admin");
    const other = await proxy.connect("user");
    await answers(client, "alter table orders rename to elsewhere").then(([answer]) =>
      expect(answer).toMatch(/^42501 must be owner/),
    );
    await client.query("do $$ begin execute 'create view orders_view as select * from orders'; end $$");
    // Known, so refused for want of a rule and not as a name that is nowhere.
    expect(await answers(other, "select * from orders_view")).toEqual([
      expect.stringMatching(/^42501 permission denied for relation orders_view/),
    ]);
  });

  test("calls functions by FunctionCall, on record", async () => {
    const raw = await connectRaw(proxy.client("admin"));
    // pg_backend_pid, then no function.
    const lines = await raw.ask([say.functionCall(2026), say.functionCall(1), say.functionCall(2026)], 3);
    expect(kinds(lines)).toEqual([
      "FunctionCallResponse",
      "ReadyForQuery I",
      "ErrorResponse",
      "ReadyForQuery I",
      "FunctionCallResponse",
      "ReadyForQuery I",
    ]);
    raw.close();
    const calls = (await proxy.statements()).filter((line) => line["kind"] === "FUNCTION CALL");
    expect(calls.map(({ sql, sqlstate }) => [sql, sqlstate])).toEqual([
      ["(FunctionCall 2026)", undefined],
      ["(FunctionCall 1)", "42883"],
      ["(FunctionCall 2026)", undefined],
    ]);
  });

  describe("a superuser", () => {
    test("is taken by a role without rules alone", async () => {
      const client = await proxy.connect("root");
      expect(
        await answers(
          client,
          "select rolsuper from pg_roles where rolname = current_user",
          "set role free_other",
          "select current_user::text",
          "reset role",
          "set session authorization free_other",
          "select current_user::text",
          "reset session authorization",
          "select current_user::text",
        ),
      ).toEqual([[[true]], [], [["free_other"]], [], [], [["free_other"]], [], [["free_super"]]]);
      await expect(proxy.connect("rooted")).rejects.toThrow("the database is not available");
    });
  });
});
