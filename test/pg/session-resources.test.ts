import { Client, type Notification } from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, describeServers, type TestDatabase } from "./embedded-database.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

const role = "resourceful";

/** The prepared transactions that a client sees. */
async function left(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ gid: string }>("select gid from pg_prepared_xacts order by gid");
  return rows.map(({ gid }) => gid);
}

describeServers((server) => {
  let database: TestDatabase;
  let proxy: RunningProxy;
  beforeAll(async () => {
    database = await createTestDatabase({
      server,
      sql: "create table t (id int); insert into t values (1), (2); create table u (id int)",
    });
    proxy = await startTestProxy({
      database,
      roles: {
        [role]: {
          file: {
            tables: { t: { select: { rows: "id = 1" } }, u: { select: "all", insert: "all" } },
            session: {
              two_phase: true,
              advisory_locks: true,
              listen: ["jobs", "tenant/*"],
              notify: ["jobs", "tenant/one"],
            },
          },
          grants: `grant select on t to ${role}; grant select, insert on u to ${role}`,
        },
      },
      users: { ann: {}, "ann:x": {}, ben: {} },
    });
  });
  afterAll(async () => {
    await proxy?.close();
    await database?.close();
  });

  describe("channels", () => {
    test("carry notifications between identities, and from outside", async () => {
      const [ann, ben] = [await proxy.connect("ann"), await proxy.connect("ben")];
      const heard: Notification[] = [];
      ann.on("notification", (notification) => heard.push(notification));
      await ann.query('listen JOBS; listen "tenant/one"');
      expect((await ann.query("select pg_listening_channels() as c")).rows).toEqual([
        { c: "jobs" },
        { c: "tenant/one" },
      ]);
      await ben.query("notify jobs, 'one'");
      await ben.query("select pg_notify('tenant/one', 'two')");
      await ben.query("select pg_notify($1, $2)", ["jobs", "three"]);
      await database.query("select pg_notify('jobs', 'four'), pg_notify('tenant/two', 'five')");
      await ann.query("select 1");
      await expect
        .poll(() => heard.map(({ channel, payload }) => `${channel} ${payload}`))
        .toEqual(["jobs one", "tenant/one two", "jobs three", "jobs four"]);
      await ann.query("unlisten *");
      expect((await ann.query("select pg_listening_channels()")).rows).toEqual([]);
    });

    test.each([
      "listen secrets",
      'listen "JOBS"',
      'listen "tenant"',
      "notify secrets",
      'notify "tenant/two"',
      "select pg_notify('secrets', '')",
      "select pg_notify(chr(115) || 'ecrets', '')",
      "select pg_notify(id::text, '') from t",
      "with x as (select 'secrets' as c) select pg_notify(c, '') from x",
    ])("others are refused: %s", async (sql) => {
      const client = await proxy.connect("ann");
      await expect(client.query(sql)).rejects.toMatchObject({ code: "42501" });
    });

    test("a parameter is no way around", async () => {
      const client = await proxy.connect("ann");
      const hint = expect.stringContaining("lists the channels: jobs, tenant/one") as string;
      await expect(client.query("select pg_notify($1, 'x')", ["secrets"])).rejects.toMatchObject({
        code: "22023",
        hint,
      });
      await expect(client.query("select pg_notify($1, 'x')", ["tenant/two"])).rejects.toMatchObject({ hint });
    });

    test("postgres.js listens and notifies", async () => {
      const { host, port, user, password, database: name } = proxy.client("ann");
      const sql = postgres({ host, port, user, password, database: name, max: 1 } as postgres.Options<{}>);
      const heard: string[] = [];
      await sql.listen("jobs", (payload) => heard.push(payload));
      await sql.notify("jobs", "hello");
      await expect.poll(() => heard).toEqual(["hello"]);
      await sql.end();
    });
  });

  describe("prepared transactions", () => {
    test("belong to the identity that prepared them", async () => {
      const [ann, annX, ben] = [
        await proxy.connect("ann"),
        await proxy.connect("ann:x"),
        await proxy.connect("ben"),
      ];
      await ann.query("begin; insert into u values (7); prepare transaction 'x:one'");
      await annX.query("begin; prepare transaction 'one'");
      expect([await left(ann), await left(annX), await left(ben)]).toEqual([["x:one"], ["one"], []]);
      for (const gid of ["x:one", "one", "rolegate:ann:x:one", "rolegate:ann%3Ax:one"])
        for (const how of ["commit", "rollback"])
          await expect(ben.query(`${how} prepared '${gid}'`)).rejects.toMatchObject({ code: "42704" });
      // `ann:x` and `one` do not make what `ann` and `x:one` do.
      await expect(ann.query("commit prepared 'one'")).rejects.toMatchObject({ code: "42704" });
      await ann.query("commit prepared 'x:one'");
      await annX.query("rollback prepared E'\\x6fne'");
      expect((await ben.query("select id from u")).rows).toEqual([{ id: 7 }]);
      expect([await left(ann), await left(annX)]).toEqual([[], []]);
    });

    test("a failed one goes as it would without rolegate", async () => {
      const ann = await proxy.connect("ann");
      await ann.query("begin");
      await expect(ann.query("select 1 / 0")).rejects.toThrow("division");
      expect((await ann.query("prepare transaction 'y'")).command).toBe("ROLLBACK");
      await expect(ann.query("select 1")).resolves.toBeDefined();
    });
  });

  test("advisory locks are everybody's: the keys mean what the applications agree on", async () => {
    const [ann, ben] = [await proxy.connect("ann"), await proxy.connect("ben")];
    await ann.query("select pg_advisory_lock(42)");
    expect((await ben.query("select pg_try_advisory_lock(42) as got")).rows).toEqual([{ got: false }]);
    await ann.query("select pg_advisory_unlock(42)");
    expect((await ben.query("select pg_try_advisory_lock(42) as got")).rows).toEqual([{ got: true }]);
  });

  describe("what was prepared before row_security was changed", () => {
    const affected = { code: "42501", message: expect.stringContaining("row-level security") as string };

    test("is judged anew by EXECUTE", async () => {
      const ann = await proxy.connect("ann");
      await ann.query("prepare p as select id from t");
      expect((await ann.query("execute p")).rows).toEqual([{ id: 1 }]);
      expect((await ann.query("explain execute p")).rows.length).toBeGreaterThan(0);
      await ann.query("set row_security = off");
      await expect(ann.query("execute p")).rejects.toMatchObject(affected);
      await expect(ann.query("explain execute p")).rejects.toMatchObject(affected);
      await ann.query("set row_security = on");
      expect((await ann.query("execute p")).rows).toEqual([{ id: 1 }]);
    });

    test("and by Bind", async () => {
      const ann = await proxy.connect("ann");
      const named = { name: "n", text: "select id from t" };
      expect((await ann.query(named)).rows).toEqual([{ id: 1 }]);
      await ann.query("set row_security = off");
      await expect(ann.query(named)).rejects.toMatchObject(affected);
      await ann.query("discard all");
      expect((await ann.query({ ...named, name: "m" })).rows).toEqual([{ id: 1 }]);
    });
  });

  test("nothing tells the login's name", async () => {
    const ann = await proxy.connect("ann");
    const { rows } = await ann.query(
      `select session_user as a, current_setting('session_authorization') as b, session_user || '' as c,
        pg_catalog."session_user"() as d, (select session_user) as e`,
    );
    expect(rows).toEqual([{ a: role, b: role, c: role, d: null, e: role }]);
    expect((await ann.query("show session_authorization")).rows).toEqual([{ role }]);
    expect((await ann.query("select session_user")).rows).toEqual([{ session_user: role }]);
  });

  test("SHOW ALL gives what SHOW gives", async () => {
    const ann = await proxy.connect("ann");
    const { rows, fields } = await ann.query<{ name: string; setting: string }>("show all");
    expect(fields.map(({ name }) => name)).toEqual(["name", "setting", "description"]);
    const shown = new Map(rows.map(({ name, setting }) => [name, setting]));
    expect([shown.get("work_mem"), shown.has("archive_command"), shown.has("restore_command")]).toEqual([
      "4MB",
      false,
      false,
    ]);
  });
});
