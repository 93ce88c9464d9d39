import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, Pool } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EmbeddedPostgres } from "../../src/embedded/embedded-postgres.ts";
import { loginPassword } from "./embedded-database.ts";
import { connectRaw, say } from "./raw-connection.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

// A server of its own, for it is taken down.
let server: EmbeddedPostgres;
let proxy: RunningProxy;
const name = "postgres";

beforeAll(async () => {
  server = await EmbeddedPostgres.start();
  const admin = new Client({ connectionString: server.url(name) });
  await admin.connect();
  await admin.query("create table t (id int); insert into t values (1), (2)");
  const addRole = async (role: string, grants = "") => {
    await admin.query(
      `create role ${role}; create role rolegate_${role} login noinherit password '${loginPassword}';
       grant ${role} to rolegate_${role} with inherit false, set true; ${grants}`,
    );
  };
  proxy = await startTestProxy({
    database: { host: server.host, port: server.port, name, addRole },
    roles: {
      trouble: { file: { tables: { t: { select: "all" } } }, grants: "grant select on t to trouble" },
    },
    users: { alice: {} },
  });
  await admin.end();
});
afterAll(async () => {
  await proxy?.close();
  await server?.stop();
});

describe("the database is restarted under load", () => {
  test("every client gets an error, the proxy stays up, and new ones are served", async () => {
    const pool = new Pool({ ...proxy.client("alice"), max: 20 });
    pool.on("error", () => {});
    let [fine, failed] = [0, 0];
    const stopping = new AbortController();
    const load = Array.from({ length: 20 }, async () => {
      while (!stopping.signal.aborted) {
        await pool.query("select count(*) from t").then(
          () => fine++,
          () => failed++,
        );
        await sleep(1);
      }
    });
    await sleep(300);
    await server.restart();
    const before = fine;
    await expect.poll(() => fine, { timeout: 20_000 }).toBeGreaterThan(before + 100);
    stopping.abort();
    await Promise.all(load);
    await pool.end();
    expect(failed).toBeGreaterThan(0);
    expect((await (await proxy.connect("alice")).query("select id from t order by 1")).rows).toEqual([
      { id: 1 },
      { id: 2 },
    ]);
  });

  test("a login while the database is down is refused, and tells nothing of where it is", async () => {
    const port = server.port;
    const own = await startTestProxy({
      database: { host: "127.0.0.1", port: 1, name, addRole: async () => {} },
      roles: { trouble: { file: { tables: { t: { select: "all" } } } } },
      users: { alice: {} },
    });
    const error: unknown = await own.connect("alice").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "08006", message: "the database is not available" });
    expect(port).not.toBe(1);
    await own.close();
  });
});

test("while nothing can be put on record nothing runs, and afterwards everything does", async () => {
  const raw = await connectRaw(proxy.client("alice"));
  const other = await connectRaw(proxy.client("alice"));
  await raw.ask([say.query("select 1")]);
  const audit = join(proxy.directory, "audit");
  // The day's file becomes a directory: not even root can append to it.
  const today = join(audit, `${new Date().toISOString().slice(0, 10)}.jsonl`);
  breakRecord(today);
  // The recorder looks for its file once a second.
  await sleep(1_200);
  try {
    const lines = await raw.untilClosed([say.query("select id from t")]);
    expect(lines.at(-1)).toContain("58030");
    expect(lines.join()).not.toContain("DataRow");
    const refused = await other.ask([say.query("select id from t")]);
    expect(refused[0]).toContain("58030");
    const extended = await other.ask([
      say.parse("", "select id from t"),
      say.bind("", ""),
      say.execute(""),
      say.sync,
    ]);
    expect(extended.some((line) => line.includes("58030"))).toBe(true);
    expect(extended.join()).not.toContain("DataRow");
  } finally {
    repairRecord(today);
  }
  await expect
    .poll(async () => (await other.ask([say.query("select id from t")]))[0], { timeout: 5_000 })
    .toContain("RowDescription");
  raw.close();
  other.close();
});

function breakRecord(file: string): void {
  rmSync(file);
  mkdirSync(file);
}

function repairRecord(file: string): void {
  rmSync(file, { recursive: true });
  writeFileSync(file, "");
  chmodSync(file, 0o600);
}
