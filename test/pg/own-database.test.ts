import { execFile } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { array, assert, asyncProperty, uint8Array } from "fast-check";
import { Client } from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectRaw, extended, kinds, say } from "./raw-connection.ts";
import { openRequestStage, type RequestStage } from "./request-stage.ts";
import { startTestProxy, userPassword } from "./running-proxy.ts";

// Debian's package puts it there; the embedded PostgreSQL has no clients.
const psql = "/usr/lib/postgresql/15/bin/psql";
const run = promisify(execFile);

let stage: RequestStage;
beforeAll(async () => {
  stage = await openRequestStage();
});
afterAll(async () => {
  await stage?.close();
});

const own = (user: string) => stage.east.client(user, { database: "rolegate" });

/** Connections of roles to the database. */
const upstreamConnections = async () => {
  const { rows } = await stage.database.query(
    "select count(*)::int as n from pg_stat_activity where datname = current_database() and usename like 'rolegate_%'",
  );
  return (rows as { n: number }[])[0]!.n;
};

describe("rolegate's own database", () => {
  test("lets every identity in under its own name, with a role or without, and nobody else", async () => {
    for (const user of ["alice", "mallory"]) {
      const { rows, fields } = await stage.say(user, "SHOW IDENTITY");
      expect(rows).toMatchObject([{ name: user, method: "password", origin: "password", mfa: "false" }]);
      expect(fields.map(({ dataTypeID }) => dataTypeID)).toEqual(fields.map(() => 25));
    }
    for (const refused of [{ password: "wrong" }, { user: "nobody" }])
      await expect(new Client({ ...own("alice"), ...refused }).connect()).rejects.toMatchObject({
        code: "28P01",
      });
  });

  test("lets one identity have so many sessions, and the others have theirs", async () => {
    const clients = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const client = new Client(own("mallory"));
        await client.connect();
        return client;
      }),
    );
    await expect(new Client(own("mallory")).connect()).rejects.toMatchObject({ code: "53300" });
    await stage.say("alice", "SHOW IDENTITY");
    await Promise.all(clients.map((client) => client.end()));
    await expect.poll(() => stage.say("mallory", "SHOW IDENTITY").catch(() => undefined)).toBeDefined();
  });

  test("opens no connection to a database", async () => {
    await expect.poll(upstreamConnections).toBe(2);
    const client = new Client(own("alice"));
    await client.connect();
    await client.query("SHOW REQUESTS");
    expect(await upstreamConnections()).toBe(2);
    await client.end();
  });

  test("answers the simple and the extended protocol as a server does", async () => {
    const raw = await connectRaw(own("mallory"));
    expect(kinds(await raw.ask([say.query("SHOW IDENTITY")]))).toEqual([
      "RowDescription",
      "DataRow",
      "CommandComplete",
      "ReadyForQuery I",
    ]);
    expect(kinds(await raw.ask([say.query(" ")]))).toEqual(["EmptyQueryResponse", "ReadyForQuery I"]);
    const lines = await raw.ask([
      say.parse("", "SHOW IDENTITY"),
      say.describe("S", ""),
      say.bind("", ""),
      say.describe("P", ""),
      say.execute(""),
      say.flush,
      say.close("S", ""),
      say.sync,
    ]);
    expect(kinds(lines)).toEqual([
      "ParseComplete",
      "ParameterDescription",
      "RowDescription",
      "BindComplete",
      "RowDescription",
      "DataRow",
      "CommandComplete",
      "CloseComplete",
      "ReadyForQuery I",
    ]);
    // Behind an error nothing is done before the next Sync.
    const skipped = await raw.ask([...extended("SELECT 1"), ...extended("SHOW IDENTITY"), say.sync]);
    expect(kinds(skipped)).toEqual(["ErrorResponse", "ReadyForQuery I"]);
    expect(skipped[0]).toContain("42601");
    expect(kinds(await raw.ask([say.query("SHOW REQUESTS")]))).toContain("CommandComplete");
    raw.close();
  });

  test("knows nothing else", async () => {
    const raw = await connectRaw(own("alice"));
    for (const text of [
      "SELECT 1",
      "LISTEN x",
      "BEGIN",
      "SET ROLE asked_admin",
      "SHOW ALL",
      "COPY t FROM STDIN",
      "SHOW REQUESTS; SHOW REQUESTS",
      "SHOW POOLS",
      "SHUTDOWN",
      "RELOAD",
      "KILL alice",
    ]) {
      const lines = await raw.ask([say.query(text)]);
      expect(kinds(lines)).toEqual(["ErrorResponse", "ReadyForQuery I"]);
      expect(lines[0]).toContain("42601");
    }
    for (const messages of [
      [say.parse("named", "SHOW REQUESTS")],
      [say.parse("", "SHOW REQUESTS"), say.bind("p", "")],
      [say.parse("", "SHOW REQUESTS"), say.bind("", "", ["1"])],
      [say.close("S", ""), say.bind("", "")],
      [say.execute("")],
      [say.parse("", "SHOW REQUESTS"), say.bind("", ""), say.execute("", 1)],
      [say.close("S", "named")],
    ]) {
      const lines = await raw.ask([...messages, say.sync]);
      expect(lines.find((line) => line.startsWith("ErrorResponse"))).toContain("0A000");
      expect(lines.some((line) => line.startsWith("DataRow"))).toBe(false);
    }
    raw.close();
    for (const message of [say.functionCall(1), say.copyData("x"), say.query("x".repeat(20_000))]) {
      const ended = await connectRaw(own("alice"));
      expect((await ended.untilClosed([message])).join()).toContain("08P01");
    }
  });

  test("takes text that is no UTF-8 for an error of the command", async () => {
    const raw = await connectRaw(own("alice"));
    const bytes = say.query("SHOW XX");
    bytes[bytes.length - 2] = 0xff;
    expect((await raw.ask([bytes])).join()).toContain("22021");
    expect(kinds(await raw.ask([say.query("SHOW REQUESTS")]))).toContain("CommandComplete");
    raw.close();
  });

  test("answers however the bytes are cut, and whatever bytes come", async () => {
    const raw = await connectRaw(own("mallory"));
    const message = Buffer.concat([say.query("SHOW IDENTITY"), say.query("SHOW REQUESTS")]);
    for (const byte of message) {
      raw.socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(kinds(await raw.ask([], 2)).filter((kind) => kind === "CommandComplete")).toHaveLength(2);
    raw.close();
    await assert(
      asyncProperty(array(uint8Array({ maxLength: 64 }), { maxLength: 4 }), async (chunks) => {
        const hostile = await connectRaw(own("mallory"));
        for (const chunk of chunks) hostile.socket.write(chunk);
        hostile.socket.end();
        await hostile.untilClosed([]);
      }),
      { numRuns: 40 },
    );
    expect((await stage.say("alice", "SHOW IDENTITY")).rows).toHaveLength(1);
  });

  test("serves postgres.js", async () => {
    const { host, port } = stage.east;
    const sql = postgres({
      host,
      port,
      user: "alice",
      password: userPassword,
      database: "rolegate",
      fetch_types: false,
    });
    expect(await sql.unsafe("SHOW IDENTITY")).toMatchObject([{ name: "alice" }]);
    await sql.end();
  });

  test.skipIf(!existsSync(psql))("serves psql", async () => {
    const { host, port } = stage.east;
    const env = {
      PGPASSWORD: userPassword,
      PGHOST: host,
      PGPORT: String(port),
      PGUSER: "alice",
      LC_ALL: "C.UTF-8",
    };
    const command = (text: string) => run(psql, ["-X", "-d", "rolegate", "-c", text], { env });
    const { stdout } = await command("SHOW IDENTITY;");
    expect(stdout).toContain("alice");
    expect(stdout).toContain("(1 row)");
    await expect(command("SELECT 1")).rejects.toMatchObject({
      stderr: expect.stringMatching(
        /^ERROR: {2}syntax error at or near "SELECT"\nLINE 1: SELECT 1\n {8}\^\nDETAIL:/,
      ) as string,
    });
  });
});

describe("on record", () => {
  test("every command stands before it is done, and with how it ended", async () => {
    await stage.refused("mallory", "SELECT secret");
    await stage.refused("mallory", "APPROVE 999999");
    const id = await stage.ask("alice", "asked_admin", { reason: "on record" });
    await stage.say("alice", `WITHDRAW ${id}`);
    const lines = (await stage.east.statements()).filter((line) => line["database"] === "rolegate");
    expect(lines).toContainEqual(
      expect.objectContaining({
        identity: "mallory",
        sql: "SELECT secret",
        verdict: "refuse",
        role: "",
        refusal: expect.objectContaining({ sqlstate: "42601" }) as object,
      }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({ sql: "APPROVE 999999", kind: "APPROVE", verdict: "run", sqlstate: "42704" }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({ identity: "alice", kind: "REQUEST", verdict: "run", rows: 1 }),
    );
  });
});

test("without a record nothing is done, and the session ends", async () => {
  const file = join(stage.west.directory, "audit", `${new Date().toISOString().slice(0, 10)}.jsonl`);
  const count = () => stage.store.database.query("select count(*)::int as n from rolegate.requests");
  const raw = await connectRaw(stage.west.client("alice", { database: "rolegate" }));
  const before = (await count()).rows;
  rmSync(file);
  mkdirSync(file);
  // The recorder looks for its file once a second.
  await sleep(1_200);
  try {
    const ask = `REQUEST ROLE asked_admin ON ${stage.database.name} FOR '1min' REASON 'x'`;
    const lines = await raw.untilClosed([say.query(ask)]);
    expect(kinds(lines)).toEqual(["ErrorResponse"]);
    expect(lines[0]).toContain("58030");
    expect((await count()).rows).toEqual(before);
  } finally {
    rmSync(file, { recursive: true });
    writeFileSync(file, "");
  }
});

describe("every verb by everybody who has no right to it", () => {
  test("changes nothing, and tells nothing of the request", async () => {
    const id = await stage.ask("alice", "asked_admin");
    const state = () =>
      stage.store.database.query(`select * from rolegate.requests r left join rolegate.request_decisions d on
        d.request = r.id order by r.id, d.id`);
    const before = (await state()).rows;
    const verbs = (request: string | number) => [
      `APPROVE ${request}`,
      `DENY ${request} REASON 'x'`,
      `WITHDRAW ${request}`,
      `REQUEST ROLE asked_admin ON ${stage.database.name} FOR '1min' REASON 'x'`,
      `BREAK GLASS ROLE asked_glass ON ${stage.database.name} FOR '1min' REASON 'x'`,
    ];
    for (const user of ["mallory", "otto"]) {
      const answers = async (request: string | number) => {
        const said: string[] = [];
        for (const verb of verbs(request)) {
          if (user === "otto" && verb.startsWith("BREAK")) continue;
          said.push((await stage.refused(user, verb)).replace(new RegExp(`\\b${request}\\b`), "N"));
        }
        return said;
      };
      const known = await answers(id);
      expect(known.every((answer) => /^42(501|704) /.test(answer))).toBe(true);
      // The same as for one that does not exist.
      expect(known).toEqual(await answers(987_654));
      expect((await stage.say(user, "SHOW REQUESTS")).rows).toEqual([]);
    }
    for (const verb of verbs(id).slice(0, 2)) expect(await stage.refused("alice", verb)).toContain("42501");
    for (const user of ["bob", "carol", "dave"])
      expect(await stage.refused(user, `WITHDRAW ${id}`)).toContain("42704");
    expect((await state()).rows).toEqual(before);
    await stage.say("alice", `WITHDRAW ${id}`);
  });
});

test("without a store there is nothing to ask for, and one can still ask who one is", async () => {
  const proxy = await startTestProxy({
    database: stage.database,
    roles: { asked_reader: { file: { tables: { t: { select: "all" } } } } },
    users: { alice: {} },
  });
  const client = await proxy.connect("alice", { database: "rolegate" });
  expect((await client.query("SHOW IDENTITY")).rows).toHaveLength(1);
  for (const text of ["SHOW REQUESTS", "APPROVE 1", "REQUEST ROLE a ON b FOR '1min' REASON 'x'"])
    await expect(client.query(text)).rejects.toMatchObject({ code: "0A000" });
  await proxy.close();
});
