import type { ChildProcess } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { int32, message, text } from "../../src/wire/writer.ts";
import { fuzz, fuzzTimeout } from "../properties/fuzz/budget.ts";
import {
  chanceOf,
  mutateBody,
  mutateMore,
  shuffle,
  split,
  type Chance,
} from "../properties/fuzz/mutations.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { say } from "./raw-connection.ts";
import { answer, open } from "./raw-login.ts";
import { writeProxyFiles } from "./running-proxy.ts";
import { serve } from "./served-proxy.ts";
import { createTokenIssuer, type TokenIssuer } from "./token-issuer.ts";

vi.setConfig({ testTimeout: fuzzTimeout });

// Hostile bytes from clients, against a proxy in a process of its own and a real database: it stays up, forgets what it
// was sent, answers everybody else, and takes nobody for somebody without a proof.

const canary = "CANARY-4711";
const identity = "sam@example.com";

let database: TestDatabase;
let issuer: TokenIssuer;
let directory: string;
let proxy: ChildProcess;
let port: number;
/** A session of a user who has proved who it is, all the while. */
let witness: Client;

beforeAll(async () => {
  database = await createTestDatabase({
    sql: `create table open (id int primary key, note text); insert into open values (1, 'one'), (2, 'two');
      create table secret (id int, note text); insert into secret values (1, '${canary}')`,
  });
  issuer = await createTokenIssuer();
  const everything = { select: "all", insert: "all", update: "all", delete: "all" };
  directory = await writeProxyFiles({
    database,
    roles: {
      fuzz_tester: {
        file: { tables: { open: everything }, session: { temporary_tables: true } },
        // The rules keep it from the secret, not the database.
        grants: "grant all on all tables in schema public to fuzz_tester",
      },
    },
    users: {},
    more: {
      identities: [issuer.entry({ allowPlaintextOnLoopback: true })],
      limits: { maxConnections: 200, failedLogins: { trusted: ["127.0.0.0/8"] } },
    },
  });
  ({ process: proxy, port } = await serve(directory));
  witness = await login();
}, 60_000);
afterAll(async () => {
  await witness?.end();
  proxy?.kill("SIGKILL");
  await database?.close();
  rmSync(directory, { recursive: true });
});

async function login(): Promise<Client> {
  const client = new Client({
    host: "127.0.0.1",
    port,
    user: identity,
    // For as long as the fuzzers may take.
    password: await issuer.sign({}, 24 * 3_600),
    database: database.name,
  });
  client.on("error", () => {});
  await client.connect();
  return client;
}

const startup = () =>
  open.startup([
    ["user", identity],
    ["database", database.name],
    ["options", "-c search_path=public"],
  ]);

/** Resident memory of the proxy, in megabytes. */
function memory(): number {
  const status = readFileSync(`/proc/${proxy.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1024;
}

/** The proxy's memory, as it was before, in megabytes, and as much more as V8 takes to compile the grammar anew. */
function expectFlat(before: number): void {
  const now = memory();
  console.log(`memory: ${before.toFixed()} MB before, ${now.toFixed()} MB after`);
  expect(now - before).toBeLessThan(700);
}

/** How long a connection that its client has closed may live on. */
const patience = 15_000;

/** Everything that comes back for these bytes until the connection is closed; the client closes its side behind them. */
function exchange(chunks: readonly Buffer[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const received: Buffer[] = [];
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`not closed after ${patience} ms: ${Buffer.concat(chunks).toString("hex")}`));
    }, patience);
    socket.on("data", (chunk) => received.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(Buffer.concat(received));
    });
    for (const chunk of chunks) socket.write(chunk);
    socket.end();
  });
}

/** The proxy is there, who is logged in is who they were, and a newcomer can log in. */
async function expectAllWell(): Promise<void> {
  expect(proxy.exitCode).toBeNull();
  const client = await login();
  for (const each of [witness, client])
    expect((await each.query("show rolegate.identity")).rows).toEqual([{ "rolegate.identity": identity }]);
  await client.end();
}

const authenticationOk = Buffer.from("520000000800000000", "hex");

/** What clients say before they are logged in, none of it with a proof. */
const openings: (() => Buffer[])[] = [
  () => [startup(), answer.password("a.b.c")],
  () => [open.ssl, startup(), answer.password("")],
  () => [open.gss, open.ssl, startup()],
  () => [
    open.startup([["user", "alice"]]),
    answer.saslInitial("SCRAM-SHA-256", "n,,n=,r=nonce"),
    answer.sasl(`c=biws,r=nonce,p=${"A".repeat(43)}=`),
  ],
  () => [open.cancel(1, Buffer.alloc(4))],
  () => [startup(), say.query("select 1"), answer.password("x"), say.sync],
];

test("before the login: nobody is let in without a proof, and the proxy goes on", async () => {
  await expectAllWell();
  const before = memory();
  const inputs = await fuzz("openings", async (seed) => {
    const chance = chanceOf(seed);
    const conversations = Array.from({ length: 25 }, () => {
      const messages = chance
        .pick(openings)()
        .map((each) => (chance.below(2) === 0 ? mutateMore(each, chance) : each));
      return split(Buffer.concat(shuffle(messages, chance)), chance);
    });
    const answers = await Promise.all(conversations.map(exchange));
    const letIn = answers.findIndex((bytes) => bytes.includes(authenticationOk));
    if (letIn >= 0) throw new Error(`let in: ${Buffer.concat(conversations[letIn]!).toString("hex")}`);
    return conversations.length;
  });
  expect(inputs).toBeGreaterThan(20);
  await expectAllWell();
  expectFlat(before);
});

const run = (sql: string) => [say.parse("", sql), say.bind("", ""), say.describe("P", ""), say.execute("")];

/** What clients say once they are logged in. */
const conversations: readonly (readonly Buffer[])[] = [
  [say.query("select id, note from open order by id"), say.query("select * from secret")],
  [...run("select note from open"), say.sync],
  [...run("select * from secret"), say.flush, say.sync],
  [
    say.parse("a", "select note from open where id = $1"),
    say.bind("p", "a", ["1"]),
    say.execute("p", 1),
    say.sync,
  ],
  [say.query("begin"), ...run("select 1/(select 0)"), say.sync, say.query("rollback")],
  [say.query("copy open from stdin"), say.copyData("7\tx\n"), say.copyFail("no"), say.query("select 1")],
  [say.query("copy open to stdout"), say.query("copy secret to stdout")],
  [
    say.parse("", "copy open from stdin"),
    say.bind("", ""),
    say.execute(""),
    say.copyData("x\n"),
    say.copyDone,
    say.sync,
  ],
  [say.functionCall(1598), say.close("S", "a"), say.close("P", "p"), say.sync],
  [
    say.query("set search_path to public"),
    say.query("prepare q as select * from secret"),
    say.query("execute q"),
  ],
  [
    message("P", text("b", "name"), text("select $1::int4", "sql"), Buffer.from("0001", "hex"), int32(23)),
    message("B", Buffer.from("006200000100010001000000040000002a00010001", "hex")),
    say.execute(""),
    say.sync,
  ],
];

/** Messages of several conversations, some with their bodies changed, now and then with the frames changed too. */
function said(chance: Chance): { readonly bytes: Buffer; readonly messages: number } {
  const messages = Array.from({ length: 4 }, () => shuffle(chance.pick(conversations), chance)).flat();
  const changed = messages.map((each) => (chance.below(3) === 0 ? mutateBody(each, chance) : each));
  const bytes = Buffer.concat(changed);
  return { bytes: chance.below(50) === 0 ? mutateMore(bytes, chance) : bytes, messages: messages.length };
}

/** A question for who is asking, whatever state the conversation is in by then. */
const whoAmI = [
  say.sync,
  say.copyFail("the end"),
  say.sync,
  say.query("rollback"),
  say.query("show rolegate.identity"),
];

test("in a session: it is who it was, sees no secret, and the proxy goes on", async () => {
  const before = memory();
  const token = await issuer.sign({}, 24 * 3_600);
  let [sessions, told] = [0, 0];
  const inputs = await fuzz("sessions", async (seed) => {
    const chance = chanceOf(seed);
    const spoken = Array.from({ length: 8 }, () => Array.from({ length: 30 }, () => said(chance)));
    const answers = await Promise.all(
      spoken.map((session) =>
        exchange([
          Buffer.concat([startup(), answer.password(token)]),
          ...session.flatMap(({ bytes }) => split(bytes, chance)),
          Buffer.concat([...whoAmI, say.terminate]),
        ]),
      ),
    );
    for (const [index, bytes] of answers.entries()) {
      const shown = bytes.toString("latin1");
      if (shown.includes(canary)) throw new Error(`the secret was shown to session ${index}`);
      if (shown.includes("a fault in rolegate"))
        throw new Error(`session ${index} was told of a fault: ${shown}`);
      sessions++;
      if (!shown.includes("SHOW\0")) continue;
      told++;
      const name = bytes.subarray(bytes.lastIndexOf("rolegate.identity"));
      if (!name.includes(identity)) throw new Error(`session ${index} became somebody else`);
    }
    return spoken.flat().reduce((sum, { messages }) => sum + messages, 0);
  });
  expect(inputs).toBeGreaterThan(1_000);

  // Not all of them ended in a message that is none.
  expect(told).toBeGreaterThan(sessions / 10);
  await expectAllWell();
  expect((await database.query("select * from secret")).rows).toEqual([{ id: 1, note: canary }]);
  expectFlat(before);
  // And nothing is left of them upstream.
  const left = async () =>
    (
      await database.query(
        "select count(*)::int as n from pg_stat_activity where usename = 'rolegate_fuzz_tester' and application_name <> 'rolegate catalog'",
      )
    ).rows[0] as unknown;
  await expect.poll(left, { timeout: 10_000 }).toEqual({ n: 1 });
});
