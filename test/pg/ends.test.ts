import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { converse } from "./plain-connection.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { connectRaw, say } from "./raw-connection.ts";
import { startTestProxy, userPassword, type RunningProxy } from "./running-proxy.ts";

/** The system's. */
const psql = "psql";

let database: TestDatabase;
let proxy: RunningProxy;

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int)" });
  proxy = await startTestProxy({
    database,
    roles: {
      end_tester: {
        file: { tables: { t: { select: "all", insert: "all" } }, functions: { allow: ["pg_sleep"] } },
        grants: "grant select, insert on t to end_tester",
      },
    },
    users: { alice: {} },
  });
});
afterAll(async () => {
  await proxy?.close();
  await database?.close();
});

/** How many connections of the role the database has. */
async function upstream(): Promise<number> {
  const { rows } = await database.query(
    "select count(*)::int as n from pg_stat_activity where datname = current_database() and usename = 'rolegate_end_tester' and application_name <> 'rolegate catalog'",
  );
  return (rows as { n: number }[])[0]!.n;
}
async function none(): Promise<void> {
  await expect.poll(upstream, { timeout: 10_000 }).toBe(0);
}

describe("cancelling", () => {
  test("a client's cancel request stops its statement, and only that", async () => {
    const [client, other] = [await proxy.connect("alice"), await proxy.connect("alice")];
    const running = client.query("select pg_sleep(30)");
    const others = other.query("select pg_sleep(1), 1 as one");
    await sleep(200);
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    const request = Buffer.alloc(16);
    for (const [at, word] of [16, 80_877_102, processID, secretKey].entries())
      request.writeInt32BE(word, 4 * at);
    const wrong = Buffer.from(request);
    wrong.writeInt32BE(secretKey ^ 1, 12);
    expect(await converse(proxy.port, wrong)).toHaveLength(0);
    expect(await converse(proxy.port, request)).toHaveLength(0);
    await expect(running).rejects.toMatchObject({ code: "57014" });
    expect((await others).rows).toMatchObject([{ one: 1 }]);
    expect((await client.query("select 2 as two")).rows).toEqual([{ two: 2 }]);
    const [line] = (await proxy.statements()).filter((each) => each["sql"] === "select pg_sleep(30)");
    expect(line).toMatchObject({ sqlstate: "57014" });
    await Promise.all([client.end(), other.end()]);
    await none();
  });

  test("Ctrl-C in psql", async () => {
    const url = `postgres://alice@127.0.0.1:${proxy.port}/${database.name}`;
    const child = spawn(psql, ["-Xc", "select pg_sleep(30)", "-c", "select 'alive'", url], {
      env: { ...process.env, PGPASSWORD: userPassword },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => (output += String(chunk)));
    await sleep(1_000);
    child.kill("SIGINT");
    await once(child, "close");
    expect(output).toContain("canceling statement due to user request");
  });
});

/** Keeps everybody from `t` until the function is called. */
async function lockTable(): Promise<[Client, () => Promise<unknown>]> {
  const client = new Client(database.adminUrl);
  await client.connect();
  await client.query("begin; lock t");
  return [client, () => client.query("rollback")];
}

describe("connections that end", () => {
  test("50 clients killed in the middle of a statement leave nothing behind, and nobody else notices", async () => {
    const witness = await proxy.connect("alice");
    const clients = await Promise.all(Array.from({ length: 50 }, () => connectRaw(proxy.client("alice"))));
    for (const client of clients) client.socket.write(say.query("select pg_sleep(60)"));
    await sleep(500);
    expect(await upstream()).toBe(51);
    for (const client of clients) client.socket.resetAndDestroy();
    expect((await witness.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    await expect.poll(upstream, { timeout: 10_000 }).toBe(1);
    await witness.end();
    await none();
  });

  test("a client that sent a message that is none is noticed when it leaves before its answers", async () => {
    const raw = await connectRaw(proxy.client("alice"));
    raw.socket.write(Buffer.concat([say.query("select pg_sleep(60)"), Buffer.from("z\0\0\0\x04", "latin1")]));
    raw.socket.write(Buffer.alloc(200_000, "z"));
    await sleep(300);
    expect(await upstream()).toBe(1);
    raw.socket.resetAndDestroy();
    await none();
  });

  test("a client that leaves while its session waits for the server's word on a COPY", async () => {
    const [lock, unlock] = await lockTable();
    const raw = await connectRaw(proxy.client("alice"));
    raw.socket.write(say.query("copy t from stdin"));
    await sleep(300);
    expect(await upstream()).toBe(1);
    raw.socket.resetAndDestroy();
    await none();
    await unlock();
    await lock.end();
  });

  test("what was sent before a Terminate is done, though all of it waits behind a lock", async () => {
    const [lock, unlock] = await lockTable();
    const raw = await connectRaw(proxy.client("alice"));
    raw.socket.write(say.query("copy t from stdin"));
    await sleep(100);
    raw.socket.end(
      Buffer.concat([
        say.copyData("79\n"),
        say.copyDone,
        say.query("insert into t values (80)"),
        say.terminate,
      ]),
    );
    await sleep(300);
    expect(await upstream()).toBe(1);
    await unlock();
    await none();
    expect((await database.query("select from t where id in (79, 80)")).rowCount).toBe(2);
    await lock.end();
  });

  test("what was sent before a Terminate is done", async () => {
    const raw = await connectRaw(proxy.client("alice"));
    raw.socket.write(Buffer.concat([say.query("insert into t values (77)"), say.terminate]));
    raw.socket.end();
    await none();
    expect((await database.query("select from t where id = 77")).rowCount).toBe(1);
    const line = (await proxy.statements()).find((each) => String(each["sql"]).includes("(77)"));
    expect(line).toMatchObject({ rows: 1 });
  });

  test("a transaction that its client leaves is rolled back", async () => {
    const raw = await connectRaw(proxy.client("alice"));
    await raw.ask([say.query("begin; insert into t values (78)")]);
    raw.close();
    await none();
    expect((await database.query("select count(*)::int as n from t where id = 78")).rows).toEqual([{ n: 0 }]);
  });

  test("the server ends the connection: the client is told the server's reason", async () => {
    const raw = await connectRaw(proxy.client("alice"));
    await raw.ask([say.query("select 1")]);
    const gone = raw.untilClosed([]);
    await database.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = 'rolegate_end_tester' and application_name <> 'rolegate catalog'",
    );
    const lines = await gone;
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("57P01");
  });
});

test("when the proxy stops, busy sessions finish and idle ones are told", async () => {
  const own = await startTestProxy({
    database,
    roles: { end_tester: { file: { tables: { t: { select: "all" } }, functions: { allow: ["pg_sleep"] } } } },
    users: { alice: {} },
  });
  const busy = await own.connect("alice");
  const idle = await connectRaw(own.client("alice"));
  const running = busy.query("select pg_sleep(1), 1 as one");
  await sleep(100);
  const stopped = own.proxy.close(5_000);
  const [line] = await idle.untilClosed([]);
  expect(line).toContain("57P01");
  expect((await running).rows).toMatchObject([{ one: 1 }]);
  await stopped;
  await own.close();
});
