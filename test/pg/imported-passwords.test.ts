import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { startTestProxy } from "./running-proxy.ts";

const root = path.resolve(import.meta.dirname, "../..");
const roles = [
  "imported_ann",
  "imported_bob",
  "imported_old",
  "imported_md5",
  "imported_none",
  "imported_group",
];

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase({
    sql: `${roles.map((role) => `drop role if exists ${role};`).join(" ")}
      create table t (id int); insert into t values (1);
      create role imported_ann login password 'pass of ann';
      create role imported_bob login password 'pass of bob' valid until '2126-01-31 12:00+02';
      create role imported_old login password 'pass of old' valid until '2020-01-01';
      set password_encryption = md5; create role imported_md5 login password 'x'; reset password_encryption;
      create role imported_none login;
      create role imported_group password 'x';`,
  });
});
afterAll(async () => {
  await database?.query(roles.map((role) => `drop role ${role};`).join(" "));
  await database?.close();
});

const run = (...args: string[]) =>
  promisify(execFile)(
    process.execPath,
    ["src/cli/main.ts", "password", "--from-postgres", database.adminUrl, ...args],
    {
      cwd: root,
    },
  ).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );

test("people go on with the passwords that the server keeps", async () => {
  const { code, stdout } = await run("--user", "imported_ann", "imported_bob");
  expect(code).toBe(0);
  const { users } = parse(stdout) as { users: Record<string, { validUntil?: string }> };
  expect(Object.keys(users)).toEqual(["imported_ann", "imported_bob"]);
  expect(users["imported_bob"]).toMatchObject({ validUntil: "2126-01-31T10:00:00Z" });
  const proxy = await startTestProxy({
    database,
    roles: { import_tester: { file: { tables: { t: { select: "all" } } } } },
    users: {},
    more: { identities: [{ type: "password", users }] },
  });
  try {
    for (const name of ["ann", "bob"])
      await proxy.connect(`imported_${name}`, { password: `pass of ${name}` });
    const wrong = new Client(proxy.client("imported_ann", { password: "pass of bob" }));
    await expect(wrong.connect()).rejects.toMatchObject({ code: "28P01" });
  } finally {
    await proxy.close();
  }
});

test("who cannot log in by SCRAM is left out, and named", async () => {
  const { code, stdout, stderr } = await run(
    "--user",
    "imported_old",
    "imported_md5",
    "imported_none",
    "imported_ann",
  );
  expect(code).toBe(1);
  expect(Object.keys((parse(stdout) as { users: object }).users)).toEqual(["imported_ann"]);
  expect(stderr.split("\n").filter((line) => line !== "")).toEqual([
    "left out: imported_md5: its password is an MD5 hash: set it anew with password_encryption = scram-sha-256",
    "left out: imported_none: it has no password",
    "left out: imported_old: its password has ended",
  ]);
});

test("a role that cannot log in is no user", async () => {
  expect(await run("--user", "imported_group")).toMatchObject({
    code: 2,
    stderr: "rolegate: --user: imported_group is no role of the server that can log in\n",
  });
});

test("objects of somebody else's do not see what is compared", async () => {
  await database.query(`create schema evil; create table evil.seen (what text);
    create function evil.spy(name, name) returns boolean language plpgsql as
      $$begin insert into evil.seen values ($1); return true; end$$;
    create operator evil.= (leftarg = name, rightarg = name, function = evil.spy);
    create table evil.pg_authid (rolname name);
    do $$begin execute format('alter database %I set search_path = evil, pg_catalog', current_database()); end$$`);
  const { code } = await run("--user", "imported_ann");
  expect(code).toBe(0);
  expect((await database.query("select from evil.seen")).rowCount).toBe(0);
});

test("a password that has ended is refused as a wrong one, and ends its session", async () => {
  const { stdout } = await run("--user", "imported_ann");
  const { users } = parse(stdout) as { users: Record<string, object> };
  const entry = users["imported_ann"];
  const soon = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_000).toISOString();
  const proxy = await startTestProxy({
    database,
    roles: { import_tester: { file: { tables: { t: { select: "all" } } } } },
    users: {},
    more: {
      identities: [
        {
          type: "password",
          users: {
            imported_ann: { ...entry, validUntil: "2020-01-01T00:00:00Z" },
            soon: { ...entry, validUntil: soon },
          },
        },
      ],
    },
  });
  try {
    const password = "pass of ann";
    const session = await proxy.connect("soon", { password });
    const ended = new Promise<unknown>((resolve) => session.on("error", resolve));
    const late = new Client(proxy.client("imported_ann", { password }));
    await expect(late.connect()).rejects.toMatchObject({
      code: "28P01",
      message: 'password authentication failed for user "imported_ann"',
    });
    const failed = (await proxy.record()).find((line) => line.event === "login failed");
    expect(failed).toMatchObject({ reason: "the password has ended (validUntil)" });
    expect(await ended).toMatchObject({ code: "57P01" });
  } finally {
    await proxy.close();
  }
});
