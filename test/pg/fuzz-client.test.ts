import { connect, type Socket } from "node:net";
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
import { ecdsaSha256 } from "../unit/net/certificates.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { startFuzzedProxy, type FuzzedProxy } from "./fuzzed-proxy.ts";
import { say } from "./raw-connection.ts";
import { answer, helloOfTls, open, openDirectly, openSecured } from "./raw-login.ts";

vi.setConfig({ testTimeout: fuzzTimeout });

// Hostile bytes from clients, against a proxy in a process of its own and a real database: it stays up, forgets what it
// was sent, answers everybody else, and takes nobody for somebody without a proof.

const canary = "CANARY-4711";

let database: TestDatabase;
let proxy: FuzzedProxy;

beforeAll(async () => {
  database = await createTestDatabase({
    sql: `create table open (id int primary key, note text); insert into open values (1, 'one'), (2, 'two');
      create table secret (id int, note text); insert into secret values (1, '${canary}')`,
  });
  const everything = { select: "all", insert: "all", update: "all", delete: "all" };
  const { certificate, key } = ecdsaSha256;
  proxy = await startFuzzedProxy({
    database,
    roles: {
      fuzz_tester: {
        file: { tables: { open: everything }, session: { temporary_tables: true } },
        // The rules keep it from the secret, not the database.
        grants: "grant all on all tables in schema public to fuzz_tester",
      },
    },
    more: {
      listen: { address: "127.0.0.1:0", tls: { certificate, key, mode: "optional" } },
      limits: { maxConnections: 200, failedLogins: { trusted: ["127.0.0.0/8"] } },
    },
  });
}, 60_000);
afterAll(async () => {
  proxy?.close();
  await database?.close();
});

const startup = () => proxy.startup([["options", "-c search_path=public"]]);

/** How long a connection that its client has closed may live on. */
const patience = 15_000;

/** How a connection comes. Handshakes take time, so most come in clear. */
const ways = ["clear", "clear", "clear", "clear", "SSLRequest", "direct TLS"] as const;
type Way = (typeof ways)[number];

async function openSocket(way: Way): Promise<Socket> {
  const { port } = proxy;
  if (way === "SSLRequest") return openSecured(port, { allowHalfOpen: true });
  if (way === "direct TLS") return openDirectly(port, ["postgresql"], { allowHalfOpen: true });
  return connect({ port, host: "127.0.0.1", allowHalfOpen: true });
}

/** When a client closes its side: behind its last byte, or when nothing more has come for so many milliseconds. */
const atOnce = 0;
const whenAnswered = 400;

/** Everything that comes back for these bytes until the connection is closed. */
async function exchange(way: Way, chunks: readonly Buffer[], leaves: number): Promise<Buffer> {
  const socket = await openSocket(way);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const received: Buffer[] = [];
  const timer = setTimeout(() => {
    socket.destroy();
    reject(new Error(`not closed after ${patience} ms: ${way} ${Buffer.concat(chunks).toString("hex")}`));
  }, patience);
  let quiet: NodeJS.Timeout | undefined;
  const heard = (): void => {
    clearTimeout(quiet);
    if (leaves !== atOnce) quiet = setTimeout(() => socket.end(), leaves);
  };
  socket.on("data", (chunk) => {
    received.push(chunk);
    heard();
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    clearTimeout(timer);
    clearTimeout(quiet);
    resolve(Buffer.concat(received));
  });
  for (const chunk of chunks) socket.write(chunk);
  if (leaves === atOnce) socket.end();
  return promise;
}

const authenticationOk = Buffer.from("520000000800000000", "hex");

/** What clients say before they are logged in, none of it with a proof. */
const openings: (() => Buffer[])[] = [
  () => [startup(), answer.password("a.b.c")],
  () => [open.ssl, startup(), answer.password("")],
  () => [open.gss, open.ssl, startup()],
  () => [open.gss, startup(), answer.password("")],
  () => [
    open.startup([["user", "alice"]]),
    answer.saslInitial("SCRAM-SHA-256", "n,,n=,r=nonce"),
    answer.sasl(`c=biws,r=nonce,p=${"A".repeat(43)}=`),
  ],
  () => [open.cancel(1, Buffer.alloc(4))],
  () => [startup(), say.query("select 1"), answer.password("x"), say.sync],
  () => [hello],
];

/** What TLS begins with. */
let hello: Buffer;
beforeAll(async () => {
  hello = await helloOfTls();
});

test("before the login: nobody is let in without a proof, and the proxy goes on", async () => {
  await proxy.expectAllWell();
  const before = proxy.memory();
  const inputs = await fuzz("openings", async (seed) => {
    const chance = chanceOf(seed);
    const conversations = Array.from({ length: 25 }, () => {
      const messages = chance
        .pick(openings)()
        .map((each) => (chance.below(2) === 0 ? mutateMore(each, chance) : each));
      return [chance.pick(ways), split(Buffer.concat(shuffle(messages, chance)), chance)] as const;
    });
    const answers = await Promise.all(conversations.map((each) => exchange(...each, atOnce)));
    const letIn = answers.findIndex((bytes) => bytes.includes(authenticationOk));
    if (letIn >= 0) throw new Error(`let in: ${Buffer.concat(conversations[letIn]![1]).toString("hex")}`);
    return conversations.length;
  });
  expect(inputs).toBeGreaterThan(20);
  await proxy.expectAllWell();
  proxy.expectFlat(before);
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

type Said = { readonly bytes: Buffer; readonly messages: number };

/** Messages of several conversations, some with their bodies changed, now and then with the frames changed too. */
function said(topics: typeof conversations, chance: Chance): Said {
  const messages = Array.from({ length: 4 }, () => shuffle(chance.pick(topics), chance)).flat();
  const changed = messages.map((each) => (chance.below(3) === 0 ? mutateBody(each, chance) : each));
  const bytes = Buffer.concat(changed);
  return { bytes: chance.below(50) === 0 ? mutateMore(bytes, chance) : bytes, messages: messages.length };
}

/** What one session says. Few conversations, many times: COPY, said in another order, soon ends its session. */
function session(chance: Chance): readonly Said[] {
  const topics = Array.from({ length: 3 }, () => chance.pick(conversations));
  return Array.from({ length: 15 }, () => said(topics, chance));
}

/** A question for who is asking, whatever state the conversation is in by then. */
const whoAmI = [
  say.sync,
  say.copyFail("the end"),
  say.sync,
  say.query("rollback"),
  say.query("show rolegate.identity"),
];

/** How many connections to the database there are. */
async function connections(): Promise<unknown> {
  const sql = `select count(*)::int as n from pg_stat_activity
    where usename = 'rolegate_fuzz_tester' and application_name <> 'rolegate catalog'`;
  return (await database.query(sql)).rows[0];
}

test("in a session: it is who it was, sees no secret, and the proxy goes on", async () => {
  const before = proxy.memory();
  let [sessions, told] = [0, 0];
  const inputs = await fuzz("sessions", async (seed) => {
    const chance = chanceOf(seed);
    const spoken = Array.from({ length: 16 }, () => session(chance));
    const answers = await Promise.all(
      spoken.map((parts) =>
        exchange(
          chance.pick(ways),
          [
            Buffer.concat([startup(), proxy.proof]),
            ...parts.flatMap(({ bytes }) => split(bytes, chance)),
            Buffer.concat([...whoAmI, say.terminate]),
          ],
          chance.pick([atOnce, whenAnswered, whenAnswered, whenAnswered]),
        ),
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
      if (!name.includes(proxy.identity)) throw new Error(`session ${index} became somebody else`);
    }
    return spoken.flat().reduce((sum, { messages }) => sum + messages, 0);
  });
  console.log(`${told} of ${sessions} sessions were told who they are`);
  expect(inputs).toBeGreaterThan(1_000);

  // Not all of them ended in a message that is none.
  expect(told).toBeGreaterThan(0);
  await proxy.expectAllWell();
  expect((await database.query("select * from secret")).rows).toEqual([{ id: 1, note: canary }]);
  proxy.expectFlat(before);
  // And nothing is left of them upstream but the witness. What a client sent before it left is still done, and each
  // name that is unknown there takes a look at the catalog.
  await expect.poll(connections, { timeout: 60_000 }).toEqual({ n: 1 });
});
