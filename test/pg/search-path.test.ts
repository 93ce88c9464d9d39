import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { connectRaw, extended, say } from "./raw-connection.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

let database: TestDatabase;
let proxy: RunningProxy;

// The same name in two schemas; the rule shows all of one and nothing but the first row of the other.
beforeAll(async () => {
  database = await createTestDatabase({
    sql: `create schema other; create table public.t (id int, from_schema text); create table other.t (id int, from_schema text);
      insert into public.t values (1, 'public'), (2, 'public'); insert into other.t values (1, 'other'), (2, 'other')`,
  });
  proxy = await startTestProxy({
    database,
    roles: {
      path_tester: {
        file: { tables: { t: { select: "all" }, "other.t": { select: { rows: "id = 1" } } } },
        grants:
          "grant usage on schema other to path_tester; grant select on public.t, other.t to path_tester",
      },
    },
    users: { alice: {} },
  });
});
afterAll(async () => {
  await proxy?.close();
  await database?.close();
});

const all = ["public", "public"];
const ruled = ["other"];

async function session() {
  const client = await proxy.connect("alice");
  const seen = async (text = "select from_schema from t") =>
    (await client.query<{ from_schema: string }>(text)).rows.map((row) => row.from_schema);
  return { client, seen };
}

describe("statements are judged by the search_path under which the server reads them", () => {
  test("SET, RESET, SET LOCAL, ROLLBACK and savepoints", async () => {
    const { client, seen } = await session();
    expect(await seen()).toEqual(all);
    await client.query("set search_path = other");
    expect(await seen()).toEqual(ruled);
    await client.query("reset search_path");
    expect(await seen()).toEqual(all);
    await client.query("begin");
    await client.query("set local search_path = other");
    expect(await seen()).toEqual(ruled);
    await client.query("rollback");
    expect(await seen()).toEqual(all);
    await client.query("begin");
    await client.query("savepoint s");
    await client.query("set search_path = other");
    await client.query("rollback to s");
    expect(await seen()).toEqual(all);
    await client.query("set search_path = other");
    await client.query("commit");
    expect(await seen()).toEqual(ruled);
    await client.query("discard all");
    expect(await seen()).toEqual(all);
    await client.query('set search_path = "$user", other');
    expect(await seen()).toEqual(ruled);
    await client.query("reset all");
    expect(await seen()).toEqual(all);
  });

  test("a prepared statement does not run under another meaning", async () => {
    const { client, seen } = await session();
    const named = { name: "named", text: "select from_schema from t" };
    expect((await client.query(named)).rows).toHaveLength(2);
    await client.query("prepare p as select from_schema from t");
    await client.query("set search_path = other");
    await expect(seen("execute p")).rejects.toMatchObject({ code: "0A000" });
    await expect(client.query(named)).rejects.toMatchObject({ code: "0A000" });
    expect(await seen()).toEqual(ruled);
    await client.query("set search_path = public");
    expect((await client.query(named)).rows).toHaveLength(2);
  });

  test("in pipelines, in one group and across groups", async () => {
    const raw = await connectRaw(proxy.client("alice"));
    const select = extended("select from_schema from t");
    const rows = async (messages: readonly Buffer[], ready: number) =>
      (await raw.ask(messages, ready)).filter((line) => /^(DataRow|ErrorResponse)/.test(line));
    expect(await rows([...extended("set search_path = other"), ...select, say.sync], 1)).toEqual([
      'DataRow "other"',
    ]);
    expect(await rows([say.query("reset search_path"), ...select, say.sync], 2)).toHaveLength(2);
    // The end of the transaction brings the old path back before the second SELECT.
    const ended = [
      say.query("begin"),
      say.query("set search_path = other"),
      ...extended("rollback"),
      ...select,
      say.sync,
    ];
    const [line, ...more] = await rows(ended, 3);
    expect(line).toContain("25001");
    expect(more).toEqual([]);
    expect(await rows([...select, say.sync], 1)).toHaveLength(2);
    const inText = [
      say.query("begin"),
      say.query("set search_path = other"),
      say.query("rollback; select from_schema from t"),
    ];
    expect((await rows(inText, 3))[0]).toContain("0A000");
    await raw.ask([say.query("rollback")]);
    // A SET LOCAL outside a transaction lasts until the Sync.
    expect(
      await rows([...extended("set local search_path = other"), ...select, say.sync, ...select, say.sync], 2),
    ).toEqual(['DataRow "other"', 'DataRow "public"', 'DataRow "public"']);
    // A SET that an error undoes.
    const undone = [
      ...extended("set search_path = other"),
      ...extended("select 1 / 0"),
      say.sync,
      ...select,
      say.sync,
    ];
    expect((await rows(undone, 2)).slice(1)).toHaveLength(2);
    expect((await rows([say.query("set search_path = other; select from_schema from t")], 1))[0]).toContain(
      "0A000",
    );
    raw.close();
  });

  test("given in the startup packet", async () => {
    const raw = await connectRaw({ ...proxy.client("alice"), options: "-c search_path=other" });
    const lines = await raw.ask([say.query("select from_schema from t")]);
    expect(lines.filter((line) => line.startsWith("DataRow"))).toEqual(['DataRow "other"']);
    raw.close();
  });
});

test("a relation that was made after the catalog was read is found, and one in front of it in the path is noticed", async () => {
  const { client, seen } = await session();
  await database.query("create table other.fresh (id int)");
  await expect(client.query("select * from other.fresh")).rejects.toMatchObject({ code: "42501" });
  await database.query("alter table other.t rename to u");
  await database.query(
    "create table other.t (id int, from_schema text); insert into other.t values (1, 'newer')",
  );
  await database.query("grant select on other.t to path_tester");
  await client.query("set search_path = other");
  expect(await seen()).toEqual(["newer"]);
});
