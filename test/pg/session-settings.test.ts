import type { EventEmitter } from "node:events";
import { Client, type ClientConfig } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, describeServers, type TestDatabase } from "./embedded-database.ts";
import { connectRaw, say } from "./raw-connection.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

const schema = `
  create table births (id int primary key, born timestamptz not null, day date not null, seen timestamp not null);
  insert into births values (1, '2024-12-31 23:30:00+00', '2024-12-31', '2024-12-31 23:30'),
    (2, '2025-01-01 00:30:00+00', '2025-01-01', '2025-01-01 00:30');
  create table plain (id int, seen timestamp); insert into plain values (1, '2025-01-01');
  create function move_zone(text) returns text language sql as $$ select set_config('TimeZone', $1, false) $$;
  create schema app; create table app.things (id int); insert into app.things values (1);
  create schema elsewhere; create table elsewhere.things (id int); insert into elsewhere.things values (666);`;

const roles = {
  // Both rules are about an instant that another time zone would move.
  dated: {
    file: {
      functions: { allow: ["move_zone"] },
      tables: {
        births: {
          select: { rows: "born >= '2025-01-01'", mask: { seen: "date_trunc('year', born)::text" } },
        },
      },
    },
    grants: "grant select on births to dated",
  },
  free: {
    file: {
      tables: { plain: { select: { rows: "id = 1" } }, "app.things": { select: "all" } },
      settings: { allow: ["app.user", "tool.*"] },
    },
    grants:
      "grant select on plain to free; grant usage on schema app to free; grant select on app.things to free",
  },
};

/** The ids that `things` has, whichever table that is. */
async function things(client: Client): Promise<number[]> {
  return (await client.query<{ id: number }>("select id from things")).rows.map(({ id }) => id);
}

describeServers((server) => {
  let database: TestDatabase;
  let proxy: RunningProxy;
  beforeAll(async () => {
    database = await createTestDatabase({ server, sql: schema });
    await database.query(`alter database ${database.name} set timezone = 'Etc/UTC'`);
    proxy = await startTestProxy({
      database,
      roles,
      users: { dated: {}, free: {} },
      access: [
        { role: "free", database: database.name, when: 'identity.name == "free"' },
        { role: "dated", database: database.name, when: "true" },
      ],
    });
  });
  afterAll(async () => {
    await proxy?.close();
    await database?.close();
  });

  const connect = async (role: string, more: ClientConfig = {}) => {
    const client = new Client(proxy.client(role, more));
    const notices: string[] = [];
    client.on("notice", ({ message }) => notices.push(message ?? ""));
    client.on("error", () => {});
    await client.connect();
    const ids = async () =>
      (await client.query<{ id: number }>("select id from births")).rows.map(({ id }) => id);
    const shown = async (setting: string) =>
      (await client.query<Record<string, string>>(`show ${setting}`)).rows[0]![setting.toLowerCase()] ??
      (await client.query<Record<string, string>>(`show ${setting}`)).rows[0]![setting];
    return { client, notices, ids, shown };
  };

  describe("a setting that a rule depends on", () => {
    test.each([
      "set timezone = 'America/New_York'",
      "set time zone 'Asia/Tokyo'",
      "set time zone interval '-05:00' hour to minute",
      "set session timezone to -5",
      "set local timezone = 'America/New_York'",
      "set \"TimeZone\" to 'America/New_York'",
      "select set_config('timezone', 'America/New_York', false)",
      "select set_config('TIMEZONE', 'America/New_York', true)",
      "select set_config('timezone', 'America' || '/New_York', false)",
      "select 1 where set_config('timezone', 'America/New_York', false) is not null",
      "set datestyle = 'SQL, DMY'",
      "prepare p as select set_config('timezone', $1, false)",
      "update pg_settings set setting = 'America/New_York' where name = 'TimeZone'",
    ])("cannot be changed: %s", async (sql) => {
      const { client, ids } = await connect("dated");
      await expect(client.query(sql)).rejects.toMatchObject({ code: "42501" });
      expect(await ids()).toEqual([2]);
      await client.end();
    });

    test("the refusal names the rule", async () => {
      const { client } = await connect("dated");
      await expect(client.query("set timezone = 'America/New_York'")).rejects.toMatchObject({
        message: 'permission denied to set parameter "timezone" to another value',
        detail: expect.stringMatching(
          /^A rule depends on it \(roles\/dated\.yaml:\d+\), so it stays "Etc\/UTC"\.$/,
        ) as string,
      });
      await client.end();
    });

    test.each(["UTC", "etc/utc", "Etc/UTC"])("can be set to what it is: %s", async (zone) => {
      const { client, ids, shown } = await connect("dated");
      await client.query(`set timezone = '${zone}'`);
      expect((await client.query(`select set_config('timezone', '${zone}', false)`)).rows).toEqual([
        { set_config: "Etc/UTC" },
      ]);
      await client.query("set time zone interval '+00:00' hour to minute");
      await client.query("set datestyle = iso");
      await client.query("reset timezone");
      await client.query("set timezone to default");
      await client.query("set time zone local");
      await client.query("reset all");
      expect([await ids(), await shown("TimeZone")]).toEqual([[2], "Etc/UTC"]);
      await client.end();
    });

    test.each<ClientConfig>([
      { options: "-c timezone=America/New_York" },
      { options: "--TimeZone=America/New_York" },
    ])("is not taken from the startup packet: %j", async (more) => {
      const { client, ids, shown, notices } = await connect("dated", more);
      expect(notices).toEqual(['parameter "timezone" stays as the database has it']);
      expect([await ids(), await shown("TimeZone")]).toEqual([[2], "Etc/UTC"]);
      await client.query("discard all");
      expect(await ids()).toEqual([2]);
      await client.end();
    });

    test("is told by ParameterStatus, and without a notice where nothing is lost", async () => {
      const client = new Client({
        ...proxy.client("dated"),
        options: "-c timezone=UTC -c datestyle=ISO -c extra_float_digits=3",
      });
      const told = new Map<string, string>();
      const { connection } = client as unknown as { connection: EventEmitter };
      connection.on("parameterStatus", (message: { parameterName: string; parameterValue: string }) =>
        told.set(message.parameterName, message.parameterValue),
      );
      let notices = 0;
      client.on("notice", () => notices++);
      await client.connect();
      expect([told.get("TimeZone"), told.get("DateStyle"), notices]).toEqual(["Etc/UTC", "ISO, MDY", 0]);
      await client.end();
    });

    test("does not come along to a role whose rules depend on it", async () => {
      const { client, notices, ids, shown } = await connect("free", {
        options: "-c timezone=America/New_York",
      });
      expect(await shown("TimeZone")).toBe("America/New_York");
      await client.query("set timezone = 'Asia/Tokyo'");
      await client.query("set role dated");
      expect(notices).toEqual(['parameter "timezone" stays as the database has it']);
      expect([await ids(), await shown("TimeZone")]).toEqual([[2], "Etc/UTC"]);
      await client.query("set role free");
      expect(await shown("TimeZone")).toBe("Asia/Tokyo");
      await client.query("set role dated");
      await client.query("discard all");
      expect(await shown("TimeZone")).toBe("America/New_York");
      await client.end();
    });

    test("ends the session where a function of the database changes it", async () => {
      const { client, ids } = await connect("dated");
      await client.query("select move_zone('Etc/UTC')");
      expect(await ids()).toEqual([2]);
      await expect(client.query("select move_zone('America/New_York')")).rejects.toThrow(
        'a rule depends on the setting "timezone", which was changed',
      );
      await expect(ids()).rejects.toThrow(/connection|terminated/i);
    });

    test("can be set to what it is in a session that outlives a change of the database, as Sequelize's", async () => {
      const { client, ids } = await connect("dated");
      await client.query("set time zone interval '+00:00' hour to minute");
      await client.query("set datestyle = iso");
      await database.query("create table since_then (id int)");
      // A name that is not known makes the proxy read the catalog anew.
      await expect(client.query("select * from since_then")).rejects.toMatchObject({ code: "42501" });
      expect(await ids()).toEqual([2]);
      await client.end();
    });

    test("the session ends that had changed it before the database made a rule depend on it", async () => {
      const other = await createTestDatabase({
        server,
        sql: "create table t (id int, at timestamp); insert into t values (1, '2025-01-01')",
      });
      const late = await startTestProxy({
        database: other,
        roles: {
          late: {
            file: { tables: { t: { select: { rows: "at >= '2025-01-01'" } } } },
            grants: "grant select on t to late",
          },
        },
        users: { late: {} },
      });
      const moved = new Client(late.client("late"));
      const still = new Client(late.client("late"));
      for (const client of [moved, still]) {
        client.on("error", () => {});
        await client.connect();
      }
      await moved.query("set timezone = 'America/New_York'");
      await other.query("alter table t alter at type timestamptz using at at time zone 'UTC'");
      // A name that is not known makes the proxy read the catalog anew.
      await expect(still.query("select * from none")).rejects.toMatchObject({ code: "42501" });
      expect((await still.query("select id from t")).rows).toEqual([{ id: 1 }]);
      await expect(moved.query("select id from t")).rejects.toThrow(/depends on "timezone"/);
      await expect(still.query("set timezone = 'America/New_York'")).rejects.toMatchObject({ code: "42501" });
      await still.end();
      await late.close();
      await other.close();
    });
  });

  describe("other settings", () => {
    test("of applications are set where the role file lists them", async () => {
      const { client } = await connect("free");
      const set = async (name: string, value: string) =>
        (
          await client.query(
            "select set_config($1, $2, false)".replace("$1", `'${name}'`).replace("$2", "$1"),
            [value],
          )
        ).rows;
      expect(await set("app.user", "ann")).toEqual([{ set_config: "ann" }]);
      expect(await set("tool.of.choice", "x")).toEqual([{ set_config: "x" }]);
      expect((await client.query("select current_setting('app.user') as u")).rows).toEqual([{ u: "ann" }]);
      await expect(set("app.other", "x")).rejects.toMatchObject({ code: "42501" });
      await expect(set("statement_timeout", "0")).resolves.toBeDefined();
      await client.end();
    });
  });

  describe("search_path", () => {
    test("follows set_config, as pg_dump and drivers send it", async () => {
      const { client } = await connect("free");
      expect(
        (await client.query("select pg_catalog.set_config('search_path', 'app, public', false)")).rows,
      ).toEqual([{ set_config: "app, public" }]);
      expect(await things(client)).toEqual([1]);
      await client.query("SELECT pg_catalog.set_config('search_path', '', false);");
      await expect(things(client)).rejects.toMatchObject({ code: "42501" });
      await expect(client.query("select id from plain")).rejects.toMatchObject({ code: "42501" });
      expect((await client.query("select id from public.plain")).rows).toHaveLength(1);
      await client.end();
    });

    test.each([
      "set search_path = elsewhere",
      "set search_path = app, elsewhere, public",
      "set search_path = none_such",
      "set schema 'elsewhere'",
      "select set_config('search_path', 'elsewhere', false)",
      "select set_config('search_path', 'app', false) where false",
      "select set_config('search_path', 'app', false) from plain",
      "select case when false then set_config('search_path', 'app', false) end",
      "select set_config('search_path', 'app', false), set_config('search_path', 'public', false)",
      "select set_config('search_path', 'ap' || 'p', false)",
      "with x as (select set_config('search_path', 'app', false)) select * from x",
      "prepare p as select set_config('search_path', 'app', false)",
    ])("%s is refused", async (sql) => {
      const { client } = await connect("free");
      await expect(client.query(sql)).rejects.toMatchObject({ code: "42501" });
      await client.end();
    });

    test("of the startup packet too", async () => {
      const refused = connect("free", { options: "-c search_path=elsewhere" });
      await expect(refused).rejects.toMatchObject({ code: "42501" });
      const { client } = await connect("free", { options: "-c search_path=app" });
      expect(await things(client)).toEqual([1]);
      await client.end();
    });
  });

  describe("row_security = off, as pg_dump sends it", () => {
    test("makes statements fail that a row rule would shorten, and is never given to the server", async () => {
      const { client } = await connect("dated");
      expect((await client.query("SET row_security = off")).command).toBe("SET");
      expect((await client.query("show row_security")).rows).toEqual([{ row_security: "on" }]);
      for (const sql of [
        "select id from births",
        "copy births to stdout",
        "copy (select id from births) to stdout",
        "explain select id from births",
        "declare c cursor for select id from births",
      ])
        await expect(client.query(sql)).rejects.toMatchObject({
          code: "42501",
          message: 'query would be affected by row-level security policy for table "births"',
        });
      await client.query("SET row_security = on");
      expect((await client.query("select id from births")).rows).toEqual([{ id: 2 }]);
      await client.query("SET row_security = off");
      await client.query("reset all");
      expect((await client.query("select id from births")).rows).toEqual([{ id: 2 }]);
      await client.end();
    });

    test("is changed by a statement of its own alone", async () => {
      const raw = await connectRaw(proxy.client("dated"));
      const said = await raw.ask(
        [
          say.query("begin; set row_security = off"),
          say.query("begin"),
          say.query("set row_security = off"),
          say.query("rollback"),
          say.query("select id from births"),
        ],
        5,
      );
      expect(said.filter((line) => line.startsWith("ErrorResponse"))).toHaveLength(2);
      expect(said).toContain('DataRow "2"');
      raw.close();
    });
  });
});
