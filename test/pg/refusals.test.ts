import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { longestStatement } from "../../src/session/frame-tables.ts";
import { connectBothWays, connectRaw, kinds, say, type RawConnection } from "./raw-connection.ts";
import { conversations } from "./refused-conversations.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

let database: TestDatabase;
let proxy: RunningProxy;
let through: RawConnection;
let direct: RawConnection;

beforeAll(async () => {
  database = await createTestDatabase({
    sql: "create table open (id int primary key, note text); create table secret (id int); insert into open values (1, 'one'), (2, 'two'); create table late (id int references open deferrable initially deferred)",
  });
  proxy = await startTestProxy({
    database,
    roles: {
      refusal_tester: {
        file: {
          tables: {
            open: { select: "all", insert: { columns: "all" } },
            late: { select: "all", insert: { columns: "all" } },
          },
        },
        grants: "grant select, insert on open, late to refusal_tester",
      },
    },
    users: { alice: {} },
  });
  [through, direct] = await connectBothWays(proxy, database, "refusal_tester");
});
afterAll(async () => {
  through?.close();
  direct?.close();
  await proxy?.close();
  await database?.close();
});

const { query, parse, bind, describe: describeName, execute, sync, flush } = say;
const run = (sql: string) => [parse("", sql), bind("", ""), describeName("P", ""), execute("")];

/** What the server itself makes of it: the statement fails when it is parsed, as one on a missing table does. */
const asServer = (messages: readonly Buffer[]) =>
  messages.map((each) => Buffer.from(each.toString("latin1").replace("secret", "absent"), "latin1"));

describe.for(Object.entries(conversations))(
  "as with an error of the server's own: %s",
  ([, { messages, ready }]) => {
    test("in one write", async () => {
      const lines = await through.ask(messages, ready);
      expect(kinds(lines)).toEqual(kinds(await direct.ask(asServer(messages), ready)));
    });

    test("a byte at a time", async () => {
      const bytes = Buffer.concat(messages);
      const slow = [...bytes].map((byte) => Buffer.of(byte));
      for (const byte of slow.slice(0, -1)) through.socket.write(byte);
      const lines = await through.ask(slow.slice(-1), ready);
      expect(kinds(lines)).toEqual(kinds(await direct.ask(asServer(messages), ready)));
    });
  },
);

test("an error behind which nothing else was sent skips what comes later, up to the Sync", async () => {
  const failing = [parse("", "select * from secret"), bind("", ""), execute(""), flush];
  for (const connection of [through, direct]) {
    const messages = connection === through ? failing : asServer(failing);
    expect(kinds(await connection.askUntil(messages, "ErrorResponse"))).toEqual(["ErrorResponse"]);
    const skipped = [...run("select 1"), query("select 2"), sync];
    expect(kinds(await connection.ask(skipped))).toEqual(["ReadyForQuery I"]);
    expect(kinds(await connection.ask([query("select 2")]))).toHaveLength(4);
  }
});

test("one refused statement refuses its whole text, as a syntax error does", async () => {
  const lines = await through.ask([query("select 1; select * from secret; select 2"), query("select 3")], 2);
  expect(kinds(lines).slice(0, 2)).toEqual(["ErrorResponse", "ReadyForQuery I"]);
});

test("a statement that is too long is refused without being read, and the connection goes on", async () => {
  const long = `select '${"x".repeat(longestStatement)}'`;
  const messages = [query(long), ...run(long), sync, parse("n", long), sync, query("select 1")];
  const lines = await through.ask(messages, 4);
  expect(
    lines.filter((line) => line.startsWith("ErrorResponse")).map((line) => /C="(\w+)"/.exec(line)![1]),
  ).toEqual(["54001", "54001", "54001"]);
  expect(lines).toContain('DataRow "1"');
});

test("FunctionCall is refused and the connection goes on", async () => {
  const lines = await through.ask([say.functionCall(1598), query("select 1")], 2);
  expect(lines[0]).toContain("42501");
  expect(kinds(lines)).toEqual([
    "ErrorResponse",
    "ReadyForQuery I",
    "RowDescription",
    "DataRow",
    "CommandComplete",
    "ReadyForQuery I",
  ]);
});

test("a message of an unknown type ends the session", async () => {
  const own = await connectRaw(proxy.client("alice"));
  const lines = await own.untilClosed([Buffer.from("z\0\0\0\x04", "latin1")]);
  expect(lines.at(-1)).toContain("08P01");
});

test("the refusal says which rule, and is on record", async () => {
  const [error] = await through.ask([query("select * from secret where id = 4711")]);
  expect(error).toContain("42501");
  const line = (await proxy.statements()).findLast((each) => String(each["sql"]).includes("4711"));
  expect(line).toMatchObject({ verdict: "refuse", kind: "SELECT", refusal: { sqlstate: "42501" } });
});
