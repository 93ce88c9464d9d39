import { existsSync } from "node:fs";
import { Client } from "pg";
import { describe, expect, test } from "vitest";
import { EmbeddedPostgres } from "../../src/embedded/embedded-postgres.ts";
import { loginPassword } from "./embedded-database.ts";
import { connectRaw, extended, kinds, say } from "./raw-connection.ts";
import { startTestProxy } from "./running-proxy.ts";

// Servers before 18 do not report search_path, so the session has to follow it by itself.
const majors = [15, 16, 17].map((major) => ({ major, installation: `/usr/lib/postgresql/${major}` }));
const role = "older_tester";

describe.each(majors)("PostgreSQL $major", ({ installation }) => {
  test.skipIf(!existsSync(`${installation}/bin/initdb`))(
    "serves a session and follows search_path",
    async () => {
      await using server = await EmbeddedPostgres.start({ installation });
      const admin = new Client({ connectionString: server.url("postgres") });
      await admin.connect();
      await admin.query(`create schema other; create table t (s text); create table other.t (s text);
      insert into t values ('public'); insert into other.t values ('other');
      create role ${role}; create role rolegate_${role} login noinherit password '${loginPassword}';
      grant ${role} to rolegate_${role}; grant usage on schema other to ${role};
      grant select on t, other.t to ${role};
      alter role rolegate_${role} set search_path = other`);
      const proxy = await startTestProxy({
        database: { host: server.host, port: server.port, name: "postgres", addRole: async () => {} },
        roles: {
          [role]: {
            file: { tables: { t: { select: "all" }, "other.t": { select: "all" }, held: { insert: "all" } } },
          },
        },
        users: { alice: {} },
      });
      const client = await proxy.connect("alice");
      const seen = async () => (await client.query<{ s: string }>("select s from t")).rows.map(({ s }) => s);
      expect(await seen()).toEqual(["other"]);
      await client.query("set search_path = public");
      expect(await seen()).toEqual(["public"]);
      await client.query("reset search_path");
      expect(await seen()).toEqual(["other"]);
      await client.query("set local search_path = public");
      expect(await seen()).toEqual(["other"]);
      // In transactions it goes with them.
      const steps = async (...texts: string[]) => {
        for (const text of texts) await client.query(text).catch(() => {});
        return (await seen())[0];
      };
      const open = ["begin", "set search_path = public"];
      expect(await steps(...open)).toBe("public");
      expect(await steps("rollback")).toBe("other");
      expect(await steps(...open, "commit")).toBe("public");
      expect(await steps("reset search_path")).toBe("other");
      expect(await steps("begin", "set local search_path = public")).toBe("public");
      expect(await steps("commit")).toBe("other");
      expect(await steps("begin; set local search_path = public")).toBe("public");
      expect(await steps("rollback")).toBe("other");
      expect(await steps(...open, "savepoint a", "set search_path = other", "rollback to a")).toBe("public");
      expect(await steps("set local search_path = other", "release a")).toBe("other");
      expect(await steps("commit")).toBe("public");
      expect(await steps("begin", "savepoint b", "reset search_path", "rollback to b")).toBe("public");
      expect(await steps("set search_path = other", "select 1 / 0", "rollback to b")).toBe("public");
      expect(await steps("set search_path = other", "select 1 / 0", "commit")).toBe("public");
      expect(await steps("begin", "set search_path = other", "commit and chain")).toBe("other");
      expect(await steps("set search_path = public", "rollback and chain")).toBe("other");
      expect(await steps("commit")).toBe("other");
      await admin.query("create table held (id int primary key deferrable initially deferred)");
      await admin.query(`grant insert on held to ${role}`);
      expect(await steps(...open, "insert into held values (1), (1)", "commit")).toBe("other");
      expect(await steps("begin", "select set_config('search_path', 'public', true)")).toBe("public");
      expect(await steps("commit")).toBe("other");
      // What pools send between their users, in one text.
      await client.query("set search_path = public");
      await client.query("select pg_advisory_unlock_all(); close all; unlisten *; reset all");
      expect(await seen()).toEqual(["other"]);
      await expect(client.query("set search_path = public; select 1")).rejects.toMatchObject({
        code: "0A000",
      });
      await expect(client.query("select 1 / 0; set search_path = public")).rejects.toThrow(
        "division by zero",
      );
      expect(await seen()).toEqual(["other"]);
      await client.query("set search_path = public");
      await client.query("discard all");
      expect(await seen()).toEqual(["other"]);

      const raw = await connectRaw(proxy.client("alice"));
      const beside = [...extended("set search_path = public"), ...extended("select s from t"), say.sync];
      const lines = await raw.ask([...beside, ...extended("select s from t"), say.sync], 2);
      expect(kinds(lines)).not.toContain("ErrorResponse");
      expect(lines.filter((line) => line.startsWith("DataRow"))).toEqual([
        'DataRow "public"',
        'DataRow "public"',
      ]);
      const undone = [
        ...extended("set search_path = other"),
        ...extended("select 1 / 0"),
        say.sync,
        ...extended("select s from t"),
        say.sync,
        ...extended("set local search_path = other"),
        ...extended("select s from t"),
        say.sync,
        ...extended("select s from t"),
        say.sync,
        ...extended("reset search_path"),
        say.sync,
      ];
      expect((await raw.ask(undone, 5)).filter((line) => line.startsWith("DataRow"))).toEqual([
        'DataRow "public"',
        'DataRow "other"',
        'DataRow "public"',
      ]);
      const alone = [
        ...extended("set search_path = public"),
        say.sync,
        ...extended("select s from t"),
        say.sync,
      ];
      expect((await raw.ask(alone, 2)).filter((line) => line.startsWith("DataRow"))).toEqual([
        'DataRow "public"',
      ]);
      raw.close();
      await admin.end();
      await proxy.close();
    },
  );
});
