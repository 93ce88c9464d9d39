import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { connectUpstream } from "../../src/upstream/connect.ts";
import { message } from "../../src/wire/writer.ts";
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
import { fakeServer, tell } from "./fake-server.ts";
import { startFuzzedProxy, type FuzzedProxy } from "./fuzzed-proxy.ts";
import { startLyingRelay, type LyingRelay } from "./lying-relay.ts";
import { say } from "./raw-connection.ts";
import { readRecord } from "./running-proxy.ts";

vi.setConfig({ testTimeout: fuzzTimeout });

// Hostile bytes from servers: in a login, and in sessions whose server begins to lie. The proxy stays up, holds nobody
// up, and does not mistake what it is told for a fault of its own.

const facts = {
  role: "reader",
  login: "rolegate_reader",
  inherits: "f",
  login_privileged: "f",
  role_super: "f",
  other_roles: "f",
  owns: "f",
};
const salt = Buffer.alloc(16).toString("base64");

/** What servers say in turn, one entry for each time that they were told something. */
const logins: readonly { readonly proves: boolean; readonly turns: readonly (readonly Buffer[])[] }[] = [
  { proves: false, turns: [[tell.welcome()], [tell.facts(facts), tell.ready]] },
  {
    proves: false,
    turns: [
      [tell.notice("x"), tell.welcome()],
      [tell.facts(facts), tell.parameter("a", "b"), tell.ready],
    ],
  },
  {
    proves: true,
    turns: [
      [tell.sasl("SCRAM-SHA-256")],
      [tell.saslContinue(`r=%nonce%x,s=${salt},i=1`)],
      [message("R", Buffer.from("0000000c763d41414141", "hex")), tell.welcome()],
      [tell.facts(facts), tell.ready],
    ],
  },
  { proves: false, turns: [[message("E", Buffer.from("SFATAL\0VFATAL\0C28000\0Mno\0\0"))]] },
];

test("a login: it fails or is what was asked for, and never without the server's proof where that was asked for", async () => {
  let [opened, failed] = [0, 0];
  await fuzz("logins of servers", async (seed) => {
    const chance = chanceOf(seed);
    const scripts = Array.from({ length: 20 }, () => chance.pick(logins));
    const outcomes = await Promise.all(scripts.map((script) => logIn(script.turns, chance)));
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome === "opened") {
        opened++;
        if (scripts[index]!.proves) throw new Error("opened without the server's signature");
      } else {
        failed++;
        if (outcome !== "the database is not available") throw new Error(outcome);
      }
    }
    return outcomes.length;
  });
  expect(opened).toBeGreaterThan(0);
  expect(failed).toBeGreaterThan(0);
});

async function logIn(turns: readonly (readonly Buffer[])[], chance: Chance): Promise<string> {
  const server = await fakeServer(async (socket, heard) => {
    for (const turn of turns) {
      const asked = await heard();
      const nonce = /r=([^,]+)$/.exec(asked.toString("latin1"))?.[1] ?? "";
      const honest = turn.map((each) => withNonce(each, nonce));
      const said = shuffle(honest, {
        ...chance,
        below: (end) => (chance.below(4) === 0 ? chance.below(end) : 0),
      });
      const changed = said.map((each) =>
        chance.pick(
          [each, each, mutateBody, mutateMore].map((one) => (Buffer.isBuffer(one) ? one : one(each, chance))),
        ),
      );
      for (const piece of split(Buffer.concat(changed), chance)) socket.write(piece);
    }
    await heard();
  });
  const target = { host: "127.0.0.1", port: server.port, database: "shop", tls: undefined };
  try {
    const session = { role: "reader", settings: new Map<string, string>(), applicationName: "fuzz" };
    const connection = await connectUpstream(
      target,
      { user: "rolegate_reader", password: "x" },
      session,
      300,
    );
    connection.socket.destroy();
    return "opened";
  } catch (error) {
    return error instanceof Error ? error.message : "no error";
  } finally {
    await server.close();
  }
}

/** The message with the client's nonce in its place. */
function withNonce(bytes: Buffer, nonce: string): Buffer {
  const words = bytes.toString("latin1");
  if (!words.includes("%nonce%")) return bytes;
  return message(words[0]!, Buffer.from(words.slice(5).replace("%nonce%", nonce), "latin1"));
}

let database: TestDatabase;
let relay: LyingRelay;
let proxy: FuzzedProxy;
const word = "speak, liar";

beforeAll(async () => {
  database = await createTestDatabase({
    sql: "create table open (id int primary key, note text); insert into open values (1, 'one'), (2, 'two')",
  });
  relay = await startLyingRelay(database, word);
  proxy = await startFuzzedProxy({
    database: {
      host: relay.host,
      port: relay.port,
      name: database.name,
      addRole: (role, grants) => database.addRole(role, grants),
    },
    roles: {
      fuzz_server_tester: {
        file: { tables: { open: { select: { rows: "id > 0" }, insert: "all" } } },
        grants: "grant select, insert on open to fuzz_server_tester",
      },
    },
  });
});
afterAll(async () => {
  proxy?.close();
  await relay?.close();
  await database?.close();
});

const run = (sql: string) => [say.parse("", sql), say.bind("", ""), say.describe("P", ""), say.execute("")];

/** What a client says behind the word. */
const questions = [
  [say.query("select id, note from open"), say.query("select 1; select 2")],
  [...run("select note from open"), ...run("select 2"), say.sync, say.query("show timezone")],
  [say.query("begin"), say.query("select 1/0"), say.query("rollback")],
  [say.query("copy open to stdout"), say.query("set timezone to 'UTC'")],
  [say.query("copy open from stdin"), say.copyData("1\tx\n"), say.copyDone, say.query("select 3")],
  [
    say.parse("a", "select 1"),
    say.describe("S", "a"),
    say.close("S", "a"),
    say.sync,
    say.query("set search_path to public"),
  ],
];

/** Everything that comes back until nothing comes for a while, or the end; the connection must end once its client does. */
function ask(bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true });
    const received: Buffer[] = [];
    const patience = setTimeout(() => {
      socket.destroy();
      reject(new Error(`not closed: ${Buffer.concat(received).toString("hex")}`));
    }, 15_000);
    const leave = () => socket.end();
    let quiet = setTimeout(leave, 500);
    socket.on("data", (chunk) => {
      received.push(chunk);
      clearTimeout(quiet);
      quiet = setTimeout(leave, 100);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(patience);
      clearTimeout(quiet);
      resolve(Buffer.concat(received));
    });
    socket.write(bytes);
  });
}

test("a session: its client is answered or it ends, and nobody else notices", async () => {
  const startup = proxy.startup();
  const before = proxy.memory();
  let [whole, ended] = [0, 0];
  const inputs = await fuzz("answers of servers", async (seed) => {
    const chance = (relay.chance = chanceOf(seed));
    const said = Array.from({ length: 60 }, () =>
      Buffer.concat([
        startup,
        proxy.proof,
        say.query(`select '${word}'`),
        ...chance.pick(questions),
        ...chance.pick(questions),
      ]),
    );
    const begun = relay.messages;
    const told = await Promise.all(said.map(ask));
    relay.chance = undefined;
    for (const [index, bytes] of told.entries()) {
      const shown = bytes.toString("latin1");
      if (shown.includes("a fault in rolegate"))
        throw new Error(`session ${index} was told of a fault: ${shown}`);
      if (shown.includes("FATAL")) ended++;
      else whole++;
    }
    return relay.messages - begun;
  });
  expect(inputs).toBeGreaterThan(200);
  // Some lies do no harm, and some cannot be gone on with.
  expect(whole).toBeGreaterThan(0);
  expect(ended).toBeGreaterThan(0);
  await proxy.expectAllWell();
  proxy.expectFlat(before);
  await sleep(100);
  // And the record can be read to its end.
  expect(readRecord(proxy.directory).length).toBeGreaterThan(whole + ended);
});
