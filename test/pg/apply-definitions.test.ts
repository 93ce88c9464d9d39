import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { applyTo } from "../../src/apply/apply-to.ts";
import type { ApplyResult } from "../../src/apply/apply-roles.ts";
import { readRoleFile } from "../../src/policy/read.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";

// Roles are the whole server's: names that no other test file uses.
const role = "apply_migrator";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({
    sql: `create schema app; create table app.theirs (id integer primary key); create type app.mood as enum ('sad');
      revoke temporary on database postgres from public; revoke usage on schema app from public`,
  });
  await database.query(`revoke temporary on database ${database.name} from public`);
});
afterAll(() => database.close());

async function apply(definitions: string): Promise<ApplyResult> {
  const text = `role: ${role}\ndatabase: shop\ntables: { app.*: { select: all, insert: all }, app.later: { select: all } }
definitions: ${definitions}\nsession: { temporary_tables: true }\n`;
  const { roleFile, problems } = readRoleFile(text, "roles/migrator.yaml");
  if (roleFile === undefined) throw new Error(JSON.stringify(problems));
  return applyTo(
    database.adminUrl,
    {
      name: "shop",
      upstream: { host: database.host, port: database.port, database: database.name, tls: undefined },
      login: { userTemplate: "rolegate_{role}", password: () => async () => "a password" },
      roles: new Map([[role, roleFile]]),
    },
    {},
  );
}

async function granted(definitions: string): Promise<{ statements: string[]; notes: string[] }> {
  const result = await apply(definitions);
  if (result.kind === "refused") throw new Error(result.problems.join("\n"));
  return {
    statements: result.statements.filter((sql) => /^(GRANT|REVOKE) .* (TO|FROM) apply_migrator$/.test(sql)),
    notes: result.notes.filter((note) => note.includes(role)),
  };
}

async function asRole(sql: string): Promise<unknown> {
  const { host, port, name } = database;
  const user = `rolegate_${role}`;
  const client = new Client({
    host,
    port,
    database: name,
    user,
    password: "a password",
    options: `-c role=${role}`,
  });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: "array" })).rows;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await client.end();
  }
}

const everything = "[create, alter, drop, truncate, comment, index]";

test("definitions are granted as far as privileges go, and what takes ownership is told", async () => {
  const { statements, notes } = await granted(`{ app.*: ${everything}, made.*: [create] }`);
  expect(statements).toEqual([
    "GRANT SELECT, INSERT, TRUNCATE ON TABLE app.theirs TO apply_migrator",
    "GRANT USAGE, CREATE ON SCHEMA app TO apply_migrator",
    `GRANT TEMPORARY, CREATE ON DATABASE ${database.name} TO apply_migrator`,
  ]);
  expect(notes).toEqual([
    "role apply_migrator does not own app.theirs: to alter, drop, index or comment on them it has to, and ownership cannot be granted",
  ]);
  expect(
    await asRole(
      "create table app.later (id integer); alter table app.later add a text; drop table app.later",
    ),
  ).toBeUndefined();
  expect(await asRole("create schema made; create temp table t (id integer)")).toBeUndefined();
  expect(await asRole("alter table app.theirs add a text")).toBe("42501");
  expect(await asRole("truncate app.theirs")).toEqual([]);
});

test("what the role has made is its own, and applying once more changes nothing", async () => {
  await asRole("create table app.later (id serial); create table made.t (id integer)");
  const definitions = `{ app.*: ${everything}, made.*: [create] }`;
  expect((await granted(definitions)).statements).toEqual([]);
  expect(await asRole("insert into app.later default values returning id")).toEqual([[1]]);
});

test("what is no longer allowed is revoked", async () => {
  const { statements } = await granted("{ app.*: [drop], made.*: [drop] }");
  expect(statements).toEqual([
    `REVOKE CREATE ON DATABASE ${database.name} FROM apply_migrator`,
    "REVOKE CREATE ON SCHEMA app FROM apply_migrator",
    "REVOKE TRUNCATE ON TABLE app.theirs FROM apply_migrator",
  ]);
});

test("what the role owns and may no longer define has to go to somebody else", async () => {
  expect(await apply("{ made.*: [drop], app.theirs: [comment] }")).toMatchObject({
    kind: "refused",
    problems: [
      "role apply_migrator owns sequence app.later_id_seq, table app.later: give that to another role first",
    ],
  });
});

test("an entry about nothing is refused", async () => {
  for (const definitions of [
    "{ nowhere.*: [drop] }",
    "{ app.nothing: [truncate] }",
    "{ nowhere.t: [create] }",
  ])
    expect(await apply(definitions)).toMatchObject({
      kind: "refused",
      problems: [expect.stringContaining("what is there, or create among what is allowed")],
    });
});
