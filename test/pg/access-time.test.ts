import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { connectRaw, say } from "./raw-connection.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

let database: TestDatabase;
let proxy: RunningProxy;

const role = (name: string) => ({
  file: { tables: { t: { select: "all" } }, functions: { allow: ["pg_sleep"] } },
  grants: `grant select on t to ${name}`,
});
const roles = ["time_brief", "time_later", "time_both", "time_lasting"];

/** Roles by how long ago the sign-in was, which for a password is the login. */
const access = [
  { role: "time_brief", when: 'identity.brief && identity.age < duration("2s")' },
  { role: "time_later", when: 'identity.age > duration("2s")' },
  { role: "time_both", when: 'identity.both && identity.age < duration("2s")' },
  { role: "time_both", when: "identity.both" },
  { role: "time_lasting", when: "true" },
];

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int); insert into t values (1)" });
  proxy = await startTestProxy({
    database,
    roles: Object.fromEntries(roles.map((name) => [name, role(name)])),
    users: { brief: { brief: true }, both: { brief: false, both: true } },
    access: access.map((entry) => ({ ...entry, database: database.name })),
  });
});
afterAll(async () => {
  await proxy?.close();
  await database?.close();
});

const connected = async (user: string) => connectRaw(proxy.client(user));
const current = say.query("select current_user");
const ended =
  /^ErrorResponse S="FATAL" V="FATAL" C="57P01" M="\\"brief\\" may not have the role \\"time_brief\\" any more"/;

describe("a role that time takes away", () => {
  test("ends an idle session within a second or two, says why, and keeps where it stands for the record", async () => {
    const session = await connected("brief");
    expect(await session.ask([current])).toContain('DataRow "time_brief"');
    const began = Date.now();
    const said = await session.untilClosed([]);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(ended);
    expect(said[0]).not.toContain("rolegate.yaml");
    expect(Date.now() - began).toBeGreaterThan(1_000);
    expect(Date.now() - began).toBeLessThan(4_500);
    const end = (await proxy.record()).findLast((line) => line.event === "session end");
    expect(end?.["reason"]).toMatch(
      /^"brief" may not have the role "time_brief" any more: rolegate\.yaml:\d+$/,
    );
  });

  test("lets a statement finish, and nothing behind it", async () => {
    const session = await connected("brief");
    const said = await session.untilClosed([say.query("select pg_sleep(5), 'done' as x")]);
    expect(said.slice(1, -1)).toEqual(['DataRow "" "done"', 'CommandComplete "SELECT 1"', "ReadyForQuery I"]);
    expect(said.at(-1)).toMatch(ended);
  });

  test("ends nobody who has taken another role, and cannot be taken again", async () => {
    const client = await proxy.connect("brief");
    await client.query("set role time_lasting");
    await sleep(4_000);
    const kept = async () => (await client.query("select current_user as u")).rows as unknown;
    expect(await kept()).toEqual([{ u: "time_lasting" }]);
    for (const text of [
      "set role time_brief",
      "select set_config('role', 'time_brief', false)",
      "reset role",
      "discard all",
    ])
      await expect(client.query(text), text).rejects.toMatchObject({ code: "42501" });
    expect(await kept()).toEqual([{ u: "time_lasting" }]);
  });

  test("cannot be taken by a statement that was prepared while it could", async () => {
    const session = await connected("brief");
    await session.ask([say.query("set role time_lasting")]);
    await session.ask([say.parse("back", "set role time_brief"), say.sync]);
    await sleep(2_500);
    const said = await session.ask([say.bind("", "back"), say.execute(""), say.sync]);
    expect(said.join("\n")).toContain('C="42501" M="permission denied to set role \\"time_brief\\""');
  });

  test("ends nobody to whom another entry gives it", async () => {
    const client = await proxy.connect("both");
    await sleep(4_000);
    expect((await client.query("select current_user as u")).rows).toEqual([{ u: "time_both" }]);
  });
});

test("a role that time gives can be taken in a session that began before", async () => {
  const client = await proxy.connect("both");
  await expect(client.query("set role time_later")).rejects.toMatchObject({
    code: "42501",
    hint: "It may take: time_both, time_lasting.",
  });
  await sleep(2_500);
  await client.query("set role time_later");
  expect((await client.query("select current_user as u")).rows).toEqual([{ u: "time_later" }]);
});
