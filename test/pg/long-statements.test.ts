import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { connectRaw, say } from "./raw-connection.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

let database: TestDatabase;
let proxy: RunningProxy;
let client: Client;

beforeAll(async () => {
  database = await createTestDatabase({
    sql: `
      create table items (id int, tenant int default 1, name text);
      insert into items select n, n % 2 + 1, 'item ' || n from generate_series(1, 1000) n;
      create table inbox (id int, tenant int, name text);`,
  });
  proxy = await startTestProxy({
    database,
    roles: {
      long_tester: {
        file: {
          tables: {
            items: { select: { rows: "tenant = identity.tenant" } },
            inbox: { select: "all", insert: { check: "tenant = identity.tenant" } },
          },
        },
        grants: "grant select on items to long_tester; grant select, insert on inbox to long_tester",
      },
    },
    users: { alice: { tenant: 1 }, bob: { tenant: 1 } },
  });
  client = await proxy.connect("alice");
});
afterAll(async () => {
  await proxy.close();
  await database.close();
});

/** Complex to the end: nothing in it can be left out, and every part of it is looked at. */
const complex = (parts: number) =>
  `select count(*) from items where ${Array.from({ length: parts }, (_, n) => `(id + ${n} = ${n} + 2)`).join(" or ")}`;

const slow = complex(30_000);

const megabyte = 1024 * 1024;

describe("long statements are judged", () => {
  test("a bulk insert of twelve megabytes, with a check", async () => {
    const values = Array.from(
      { length: 200_000 },
      (_, n) => `(${n}, 1, 'a name that is somewhat longer, for row ${n}')`,
    ).join(",\n");
    const text = `insert into inbox (id, tenant, name) values ${values}`;
    expect(text.length).toBeGreaterThan(12 * 1000 * 1000);
    expect((await client.query(text)).rowCount).toBe(200_000);
    const wrong = text.replace("(100000, 1,", "(100000, 2,");
    await expect(client.query(wrong)).rejects.toMatchObject({ code: "42501" });
    const { rows } = await client.query("select count(*)::int from inbox");
    expect(rows).toEqual([{ count: 200_000 }]);
    const line = (await proxy.statements()).find(({ kind }) => kind === "INSERT");
    expect(line).toMatchObject({ verdict: "run", rows: 200_000, sqlTruncated: Buffer.byteLength(text) });
    expect(line!["sentSha256"]).toMatch(/^[0-9a-f]{64}$/);
  });

  test("a literal of thirty megabytes, plain and in an INSERT", async () => {
    const long = "it''s é ".repeat(4_000_000);
    const { rows } = await client.query(`select length('${long}') from items where id = 2`);
    expect(rows).toEqual([{ length: 28_000_000 }]);
    await client.query(`insert into inbox values (-1, 1, '${long}')`);
    const found = await client.query("select length(name) from inbox where id = -1");
    expect(found.rows).toEqual([{ length: 28_000_000 }]);
  });

  test("a hundred thousand items in IN, under a row rule, prepared too", async () => {
    const items = Array.from({ length: 100_000 }, (_, n) => String(n)).join(", ");
    const text = `select count(*)::int from items where id in (${items})`;
    expect((await client.query(text)).rows).toEqual([{ count: 500 }]);
    const named = { name: "long", text: `${text} and tenant = $1` };
    expect((await client.query({ ...named, values: [1] })).rows).toEqual([{ count: 500 }]);
    expect((await client.query({ ...named, values: [2] })).rows).toEqual([{ count: 0 }]);
  });

  test("what cannot be shortened, in another thread", async () => {
    expect((await client.query(complex(10_000))).rows).toEqual([{ count: "1" }]);
    await expect(
      client.query(complex(10_000).replace("from items", "from items, secrets")),
    ).rejects.toMatchObject({ code: "42501" });
  });

  test("in their order, between short ones of one pipeline", async () => {
    const raw = await connectRaw(proxy.client("alice"));
    const messages = [
      say.query("select 2"),
      say.query(complex(3000)),
      say.parse("", complex(2000).replace("count(*)", "count(*) + 2")),
      say.bind("", ""),
      say.execute(""),
      say.query("select 4"),
    ];
    const answers = await raw.ask(messages, 3);
    expect(answers.filter((answer) => /DataRow|Error/.test(answer))).toEqual([
      'DataRow "2"',
      'DataRow "1"',
      'DataRow "3"',
      'DataRow "4"',
    ]);
    raw.close();
  });
});

describe("what is too much is refused, and the session goes on", () => {
  test.each([
    ["more words than are judged", () => complex(120_000), "54001", /more than 400000 words/],
    [
      "more bytes than are judged",
      () => `select ${"a".repeat(5 * megabyte)}`,
      "54001",
      /longer than 4194304/,
    ],
    ["more bytes than are read", () => `select '${"x".repeat(64 * megabyte)}'`, "54001", /limit is 67108864/],
    ["brackets", () => `select ${"(".repeat(5000)}1${")".repeat(5000)}`, "54001", /nested too deeply/],
    ["sub-selects", () => `${"select (".repeat(20_000)}1${")".repeat(20_000)}`, "54001", /nested too deeply/],
    ["operators", () => `select 1 ${"+-".repeat(50_000)} 1`, "54001", /operators in a row|nested/],
    ["comments", () => `select 1 ${"/*".repeat(50_000)}`, "54001", /comments in one another/],
    [
      "a repeated assignment",
      () => {
        let source = "select 1,2";
        for (let n = 0; n < 30; n++)
          source = `with x as (update items set (a,b)=(${source}) returning 1) select 1,2`;
        return source;
      },
      "54001",
      /more than 400000 words/,
    ],
    ["an error behind it all", () => `${complex(5000)} order order`, "42601", /syntax error/],
  ])("%s", async (_, text, code, message) => {
    await expect(client.query(text())).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });
});

describe("while a statement is judged", () => {
  test("other sessions are served", async () => {
    const other = await proxy.connect("bob");
    await other.query("select 1");
    const progress = { done: false, served: 0 };
    const long = client.query(slow).finally(() => (progress.done = true));
    while (!progress.done) {
      await other.query("select id from items where id = 4");
      progress.served += 1;
    }
    await long;
    // How long each of them takes is measured by the benchmark of stalls.
    expect(progress.served).toBeGreaterThan(10);
  });

  test("it can be cancelled", async () => {
    const other = await proxy.connect("alice");
    const cancel = async () => {
      await sleep(100);
      const { processID, secretKey } = other as unknown as { processID: number; secretKey: number };
      const raw = await connectRaw(proxy.client("bob"));
      raw.close();
      const { connect } = await import("node:net");
      const packet = Buffer.alloc(16);
      for (const [at, word] of [16, 80_877_102, processID, secretKey].entries())
        packet.writeInt32BE(word, 4 * at);
      connect(proxy.port, "127.0.0.1").end(packet);
    };
    const begun = performance.now();
    const [outcome] = await Promise.allSettled([other.query(slow), cancel()]);
    expect(outcome).toMatchObject({ status: "rejected", reason: { code: "57014" } });
    expect(performance.now() - begun).toBeLessThan(1000);
    expect((await other.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });

  test("its client may go away, and nobody waits for it", async () => {
    const gone = await connectRaw(proxy.client("alice"));
    gone.socket.write(say.query(slow));
    await sleep(100);
    gone.socket.destroy();
    const begun = performance.now();
    expect((await client.query(complex(1000))).rows).toHaveLength(1);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});
