import { once } from "node:events";
import { rmSync } from "node:fs";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { connectRaw, extended, say } from "./raw-connection.ts";
import {
  readRecord,
  startTestProxy,
  userPassword,
  writeProxyFiles,
  type ProxyOptions,
  type RunningProxy,
} from "./running-proxy.ts";
import { serve } from "./served-proxy.ts";

let database: TestDatabase;
let proxy: RunningProxy;
let options: ProxyOptions;

beforeAll(async () => {
  database = await createTestDatabase({ template: "shop" });
  options = {
    database,
    roles: {
      record_tester: {
        file: {
          tables: {
            customers: {
              select: { columns: ["id", "tenant_id", "name"], rows: "tenant_id = identity.tenant" },
            },
            orders: {
              select: "all",
              insert: { columns: ["customer_id", "tenant_id", "amount"], check: "amount < 1000" },
              delete: { rows: "tenant_id = identity.tenant" },
            },
          },
        },
        grants:
          "grant select, insert, update, delete on all tables in schema public to record_tester; grant usage on all sequences in schema public to record_tester",
      },
    },
    users: { alice: { tenant: 1 } },
  };
  proxy = await startTestProxy(options);
});
afterAll(async () => {
  await proxy?.close();
  await database?.close();
});

/** The statements whose SQL has the mark in it, as [kind, verdict, rows, sqlstate, skipped]. */
async function marked(mark: string) {
  const found = (await proxy.statements()).filter((line) => String(line["sql"]).includes(mark));
  return found.map((line) => [
    line["kind"],
    line["verdict"],
    line["rows"],
    line["sqlstate"],
    line["skipped"],
  ]);
}

describe("each statement has one record, with what became of it", () => {
  test("a Query of several statements", async () => {
    const raw = await connectRaw(proxy.client("alice"));
    await raw.ask([
      say.query("select 1 as m1; select id /* m1 */ from customers; select 1 / 0 as m1; select 4 as m1"),
    ]);
    expect(await marked("m1")).toEqual([
      ["SELECT", "run", 1, undefined, undefined],
      ["SELECT", "run", 20, undefined, undefined],
      ["SELECT", "run", undefined, "22012", undefined],
      ["SELECT", "run", undefined, undefined, true],
    ]);
    const [, second] = (await proxy.statements()).filter((line) => String(line["sql"]).includes("m1"));
    expect(second).toMatchObject({
      sql: "select id /* m1 */ from customers",
      relations: ["public.customers"],
      role: "record_tester",
      identity: "alice",
      database: database.name,
      rules: [expect.stringContaining("customers.select.rows")],
    });
    expect(String(second!["sent"])).toContain("tenant_id");
    raw.close();
  });

  test("a pipeline with an error in the middle", async () => {
    const raw = await connectRaw(proxy.client("alice"));
    await raw.ask([
      ...extended("select 1 as m2"),
      ...extended("select 1 / 0 as m2"),
      ...extended("select 3 as m2"),
      say.sync,
    ]);
    expect(await marked("m2")).toEqual([
      ["SELECT", "run", 1, undefined, undefined],
      ["SELECT", "run", undefined, "22012", undefined],
      ["SELECT", "run", undefined, undefined, true],
    ]);
    raw.close();
  });

  test("a portal that is fetched in parts", async () => {
    const raw = await connectRaw(proxy.client("alice"));
    const parts = [say.execute("", 15), say.execute("", 15)];
    await raw.ask([say.parse("", "select id as m3 from customers"), say.bind("", ""), ...parts, say.sync]);
    expect(await marked("m3")).toEqual([
      ["SELECT", "run", 15, undefined, undefined],
      ["SELECT", "run", 5, undefined, undefined],
    ]);
    raw.close();
  });

  test("writes, checks, refusals, cursors and prepared statements", async () => {
    const client = await proxy.connect("alice");
    await client.query("insert into orders (customer_id, tenant_id, amount) values (1, 1, 1) -- m4");
    await expect(
      client.query("insert into orders (customer_id, tenant_id, amount) values (1, 1, 9999) -- m4"),
    ).rejects.toMatchObject({ code: "42501", message: expect.stringContaining("check of rule") as string });
    await expect(client.query("select ssn as m4 from customers")).rejects.toThrow("ssn");
    await expect(client.query("selec m4")).rejects.toMatchObject({ code: "42601" });
    await client.query("prepare m4 as select id from customers where id < $1");
    await client.query("execute m4(3)");
    await client.query("begin");
    await client.query("declare m4 cursor for select id from customers");
    await client.query("fetch 7 from m4");
    await client.query("commit");
    expect(await marked("m4")).toEqual([
      ["INSERT", "run", 1, undefined, undefined],
      ["INSERT", "run", undefined, expect.any(String), undefined],
      ["SELECT", "run", undefined, "42703", undefined],
      ["UNKNOWN", "refuse", undefined, undefined, "open"],
      ["PREPARE", "run", undefined, undefined, undefined],
      ["EXECUTE", "run", 1, undefined, undefined],
      ["DECLARE", "run", undefined, undefined, undefined],
      ["FETCH", "run", 7, undefined, undefined],
    ]);
    const execute = (await proxy.statements()).find((line) => line["sql"] === "execute m4(3)");
    expect(execute).toMatchObject({ relations: ["public.customers"] });
  });

  test("sessions begin and end, and failed logins say why to the auditor alone", async () => {
    const client = await proxy.connect("alice", { application_name: "m5" });
    await client.end();
    const wrong = new Client({ ...proxy.client("alice"), password: "wrong" });
    await expect(wrong.connect()).rejects.toMatchObject({ code: "28P01" });
    const nobody = new Client({ ...proxy.client("nobody") });
    await expect(nobody.connect()).rejects.toMatchObject({
      code: "28P01",
      message: 'password authentication failed for user "nobody"',
    });
    const lines = await proxy.record();
    const [start] = lines.filter(
      (line) => line.event === "session start" && line["applicationName"] === "m5",
    );
    expect(start).toMatchObject({ identity: "alice", role: "record_tester", method: "password", tls: false });
    const end = lines.find((line) => line.event === "session end" && line["session"] === start!["session"]);
    expect(end).toMatchObject({ reason: expect.stringContaining("client") as string, statements: 0 });
    const failed = lines.filter((line) => line.event === "login failed");
    expect(failed.map((line) => [line["user"], line["sqlstate"]])).toEqual([
      ["alice", "28P01"],
      ["nobody", "28P01"],
    ]);
  });
});

test("rows that only a check needs reach nobody, in either protocol", async () => {
  const raw = await connectRaw(proxy.client("alice"));
  const insert = "insert into orders (customer_id, tenant_id, amount) values (1, 1, 1)";
  const simple = await raw.ask([say.query(insert)]);
  expect(simple).toEqual(['CommandComplete "INSERT 0 1"', "ReadyForQuery I"]);
  const extended = await raw.ask([
    say.parse("s", insert),
    say.describe("S", "s"),
    say.bind("", "s"),
    say.describe("P", ""),
    say.execute("", 1),
    say.sync,
  ]);
  expect(extended).toEqual([
    "ParseComplete",
    expect.stringContaining("ParameterDescription"),
    "NoData",
    "BindComplete",
    "NoData",
    'CommandComplete "INSERT 0 1"',
    "ReadyForQuery I",
  ]);
  await raw.ask([say.query(`prepare q as ${insert}`)]);
  expect(await raw.ask([say.query("execute q")])).toEqual([
    'CommandComplete "INSERT 0 1"',
    "ReadyForQuery I",
  ]);
  expect(await raw.ask([say.query(`${insert}; select 1; ${insert} returning amount`)])).toEqual([
    'CommandComplete "INSERT 0 1"',
    expect.stringContaining("RowDescription"),
    'DataRow "1"',
    'CommandComplete "SELECT 1"',
    expect.stringContaining("RowDescription"),
    'DataRow "1.00"',
    'CommandComplete "INSERT 0 1"',
    "ReadyForQuery I",
  ]);
  raw.close();
});

test("what the client saw happen is on record even if the proxy is killed right then", async () => {
  const directory = await writeProxyFiles(options);
  const { process: child, port } = await serve(directory);
  const client = new Client({
    host: "127.0.0.1",
    port,
    user: "alice",
    password: userPassword,
    database: database.name,
  });
  client.on("error", () => {});
  await client.connect();
  for (let n = 0; n < 20; n++) await client.query(`select ${n} as seen`);
  child.kill("SIGKILL");
  await once(child, "exit");
  const texts = readRecord(directory).map((each) => each["sql"]);
  for (let n = 0; n < 20; n++) expect(texts).toContain(`select ${n} as seen`);
  rmSync(directory, { recursive: true });
});
