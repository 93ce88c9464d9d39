import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { converse } from "./plain-connection.ts";
import { connectRaw, say } from "./raw-connection.ts";
import { startTestProxy, userPassword, type RunningProxy } from "./running-proxy.ts";

let database: TestDatabase;
let proxy: RunningProxy;

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int)" });
  proxy = await startTestProxy({
    database,
    roles: { login_tester: { file: { tables: { t: { select: "all" } } } } },
    users: { alice: {} },
    more: { limits: { authenticationTimeout: "2s" } },
  });
});
afterAll(async () => {
  await proxy?.close();
  await database?.close();
});

const startup = (user: string) => {
  const body = Buffer.from(`\0\x03\0\0user\0${user}\0database\0${database.name}\0\0`, "latin1");
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4, 0);
  return Buffer.concat([length, body]);
};

const request = (code: number) => {
  const packet = Buffer.alloc(8);
  packet.writeInt32BE(8, 0);
  packet.writeInt32BE(code, 4);
  return packet;
};

const failing = async (more: object) => {
  const client = new Client({ ...proxy.client("alice"), ...more });
  client.on("error", () => {});
  return client.connect().then(
    () => client.end(),
    (error: unknown) => error,
  );
};

describe("clients that never log in", () => {
  test("one that sends a byte now and then is cut off at the deadline, and others log in meanwhile", async () => {
    const began = Date.now();
    const slow = Array.from({ length: 20 }, () => converse(proxy.port, startup("alice"), 1_000));
    const client = await proxy.connect("alice");
    expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    await Promise.all(slow);
    expect(Date.now() - began).toBeLessThan(4_000);
  });

  test("one that stops after its startup packet is told why", async () => {
    const answer = await converse(proxy.port, startup("alice"));
    expect(answer.toString("latin1")).toContain("08006");
  });

  test.for([
    [
      "a second startup packet in place of a password",
      () => Buffer.concat([startup("alice"), startup("alice")]),
    ],
    ["a Query in place of a password", () => Buffer.concat([startup("alice"), say.query("select 1")])],
    [
      "a SASL response of 2 GB",
      () => Buffer.concat([startup("alice"), Buffer.from("p\x7f\xff\xff\xff", "latin1")]),
    ],
  ] as const)("%s: FATAL", async ([, bytes]) => {
    const answer = (await converse(proxy.port, bytes())).toString("latin1");
    expect(answer).toContain("FATAL");
    expect(answer).toContain("08P01");
  });

  test("rubbish is closed without a word", async () => {
    expect(await converse(proxy.port, Buffer.from("GET / HTTP/1.1\r\n\r\n"))).toHaveLength(0);
    expect(await converse(proxy.port, Buffer.from("\x16\x03\x01\x02\0", "latin1"))).toHaveLength(0);
  });

  test("SSL and GSS encryption are declined once each", async () => {
    const [ssl, gss] = [request(80_877_103), request(80_877_104)];
    const answer = (await converse(proxy.port, Buffer.concat([ssl, gss, startup("alice")]))).toString(
      "latin1",
    );
    expect(answer).toMatch(/^NNR/);
    const twice = (await converse(proxy.port, Buffer.concat([ssl, ssl]))).toString("latin1");
    expect(twice).toMatch(/^NE.*08P01/s);
  });
});

describe("start-up", () => {
  test("what would change who the session is, is refused in every spelling", async () => {
    expect(await failing({ options: "-c role=postgres" })).toMatchObject({ code: "42501" });
    expect(await failing({ options: "--session-authorization=postgres" })).toMatchObject({ code: "42501" });
    expect(await failing({ options: "-c ROLE=postgres" })).toMatchObject({ code: "42501" });
    expect(await failing({ options: "-c standard_conforming_strings=off" })).toMatchObject({ code: "42501" });
    expect(await failing({ options: "-c rolegate.identity=bob" })).toMatchObject({ code: "42501" });
    expect(await failing({ replication: "database" })).toMatchObject({ code: "0A000" });
    expect(await failing({ database: "elsewhere" })).toMatchObject({ code: "3D000" });
    const psql = promisify(execFile)("psql", ["-Xc", "select 1", proxy.url("alice")], {
      env: { ...process.env, PGCLIENTENCODING: "SJIS" },
    });
    await expect(psql).rejects.toMatchObject({
      stderr: expect.stringContaining("client_encoding") as string,
    });
  });

  test("allowed settings are in force", async () => {
    const client = await proxy
      .connect("alice", { options: "-c work_mem=1234kB -c timezone=Asia/Tokyo" })
      .catch(() => undefined);
    expect(client).toBeUndefined();
    const other = await proxy.connect("alice", {
      options: "-c timezone=Asia/Tokyo -c statement_timeout=1234",
    });
    expect((await other.query("show timezone")).rows).toEqual([{ TimeZone: "Asia/Tokyo" }]);
    expect((await other.query("show statement_timeout")).rows).toEqual([{ statement_timeout: "1234ms" }]);
    expect((await other.query("show rolegate.identity")).rows).toEqual([{ "rolegate.identity": "alice" }]);
  });

  test("nothing that the server reports shows rolegate's login", async () => {
    const raw = await connectRaw(proxy.client("alice"));
    const { stdout } = await promisify(execFile)(
      "psql",
      [
        "-XAtc",
        "\\echo :USER :SERVER_VERSION_NUM",
        `postgres://alice@127.0.0.1:${proxy.port}/${database.name}`,
      ],
      { env: { ...process.env, PGPASSWORD: userPassword } },
    );
    expect(stdout).not.toContain("rolegate_");
    raw.close();
  });
});
