import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { longestStatement } from "../../src/session/frame-tables.ts";
import { connectBothWays, connectRaw, kinds, say, type RawConnection } from "./raw-connection.ts";
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

const { query, parse, bind, describe: describeName, execute, close, sync, flush } = say;
const run = (sql: string) => [parse("", sql), bind("", ""), describeName("P", ""), execute("")];

/** What the server itself makes of it: the statement fails when it is parsed, as one on a missing table does. */
const asServer = (messages: readonly Buffer[]) =>
  messages.map((each) => Buffer.from(each.toString("latin1").replace("secret", "absent"), "latin1"));

/** Conversations in which a refusal must leave everything as an error of the server's own does. */
const conversations: Record<string, { messages: Buffer[]; ready: number }> = {
  "a refused Query": { messages: [query("select * from secret")], ready: 1 },
  "a refusal in a transaction aborts it": {
    messages: [query("begin"), query("select * from secret"), query("select 1"), query("rollback")],
    ready: 4,
  },
  "a savepoint brings the transaction back": {
    messages: [
      query("begin"),
      query("savepoint s"),
      query("select * from secret"),
      query("rollback to s"),
      query("select 1"),
      query("commit"),
    ],
    ready: 6,
  },
  "a refused Parse skips to the Sync": {
    messages: [
      ...run("select 1"),
      ...run("select * from secret"),
      ...run("select 2"),
      sync,
      ...run("select 3"),
      sync,
    ],
    ready: 2,
  },
  "a pipeline of Syncs": {
    messages: [...run("select 1"), sync, ...run("select * from secret"), sync, ...run("select 2"), sync],
    ready: 3,
  },
  "in a pipeline inside a transaction": {
    messages: [
      ...run("begin"),
      ...run("select * from secret"),
      sync,
      ...run("select 1"),
      sync,
      ...run("rollback"),
      sync,
    ],
    ready: 3,
  },
  "a Query between a refusal and its Sync is ignored": {
    messages: [...run("select * from secret"), query("select 1"), sync, query("select 2")],
    ready: 2,
  },
  "writes before a refusal are undone": {
    messages: [
      ...run("insert into open values (10, 'ten')"),
      ...run("select * from secret"),
      sync,
      query("select count(*) from open where id = 10"),
    ],
    ready: 2,
  },
  "binding an unknown statement": { messages: [bind("", "nobody"), execute(""), sync], ready: 1 },
  "describing an unknown statement": { messages: [describeName("S", "nobody"), sync], ready: 1 },
  "describing an unknown portal": { messages: [describeName("P", "nobody"), sync], ready: 1 },
  "executing an unknown portal": { messages: [execute("nobody"), sync], ready: 1 },
  "executing a portal whose transaction has ended": {
    messages: [parse("", "select 1"), bind("p", ""), sync, execute("p"), sync],
    ready: 2,
  },
  "a portal across Syncs in a transaction": {
    messages: [
      query("begin"),
      parse("", "select id from open order by id"),
      bind("p", ""),
      execute("p", 1),
      sync,
      execute("p", 1),
      sync,
      execute("p", 0),
      sync,
      query("commit"),
    ],
    ready: 5,
  },
  "a named statement, used, closed and used again": {
    messages: [
      parse("a", "select 1"),
      sync,
      bind("", "a"),
      execute(""),
      sync,
      close("S", "a"),
      sync,
      bind("", "a"),
      execute(""),
      sync,
    ],
    ready: 4,
  },
  "a name that is taken": {
    messages: [
      parse("b", "select 1"),
      parse("b", "select 2"),
      sync,
      bind("", "b"),
      execute(""),
      sync,
      close("S", "b"),
      sync,
    ],
    ready: 3,
  },
  "a skipped Close leaves the statement": {
    messages: [
      parse("c", "select 1"),
      sync,
      parse("", "select * from secret"),
      close("S", "c"),
      sync,
      bind("", "c"),
      execute(""),
      sync,
      close("S", "c"),
      sync,
    ],
    ready: 4,
  },
  "a skipped Parse leaves nothing": {
    messages: [
      parse("", "select * from secret"),
      parse("d", "select 1"),
      sync,
      bind("", "d"),
      execute(""),
      sync,
    ],
    ready: 2,
  },
  "the unnamed statement does not outlive a Query": {
    messages: [parse("", "select 1"), sync, query("select 2"), bind("", ""), execute(""), sync],
    ready: 3,
  },
  "a deferred constraint fails at the Sync": {
    messages: [...run("insert into late values (99)"), sync, ...run("select 1"), sync],
    ready: 2,
  },
  "a syntax error": { messages: [query("selec 1"), ...run("selec 1"), sync], ready: 2 },
  "an empty text": { messages: [query(""), query(" ; ; "), ...run(""), sync], ready: 3 },
  "several commands in a Parse": { messages: [...run("select 1; select 2"), sync], ready: 1 },
  "SQL PREPARE and the protocol share names": {
    messages: [
      query("prepare e as select 5"),
      bind("", "e"),
      execute(""),
      sync,
      query("deallocate e"),
      bind("", "e"),
      sync,
    ],
    ready: 4,
  },
  "EXECUTE of a statement that Parse made": {
    messages: [parse("f", "select 6"), sync, query("execute f"), query("deallocate f"), query("execute f")],
    ready: 4,
  },
  "DISCARD ALL forgets statements": {
    messages: [parse("g", "select 6"), sync, query("discard all"), bind("", "g"), execute(""), sync],
    ready: 3,
  },
  "a statement prepared in a transaction that fails stays": {
    messages: [
      query("begin"),
      parse("h", "select 6"),
      sync,
      query("select 1/0"),
      query("rollback"),
      bind("", "h"),
      execute(""),
      sync,
      close("S", "h"),
      sync,
    ],
    ready: 6,
  },
  "a COPY that is refused, and the data that were on their way": {
    messages: [
      query("copy secret from stdin"),
      say.copyData("1\n"),
      say.copyDone,
      ...run("select 1"),
      sync,
      query("select 2"),
    ],
    ready: 3,
  },
  "a COPY that Parse refuses, and the data that were on their way": {
    messages: [
      parse("", "insert into secret values (1)"),
      bind("", ""),
      execute(""),
      say.copyData("1\n"),
      say.copyFail("no"),
      sync,
      say.copyDone,
      query("select 2"),
    ],
    ready: 2,
  },
  "a Query that is refused in the middle of a pipeline ends what came before it": {
    messages: [
      ...run("insert into open values (20, 'x')"),
      query("select * from secret"),
      ...run("select count(*) from open where id = 20"),
      sync,
    ],
    ready: 2,
  },
  "several refusals in one pipeline, and Flushes between them": {
    messages: [
      ...run("select * from secret"),
      flush,
      ...run("select * from secret"),
      flush,
      sync,
      flush,
      ...run("select * from secret"),
      sync,
    ],
    ready: 2,
  },
  "a refusal behind a COMMIT in a pipeline": {
    messages: [...run("begin"), ...run("select 1"), ...run("commit"), ...run("select * from secret"), sync],
    ready: 1,
  },
  "a refusal behind a savepoint in a pipeline": {
    messages: [
      query("begin"),
      ...run("savepoint s"),
      ...run("select * from secret"),
      ...run("rollback to s"),
      sync,
      ...run("rollback to s"),
      ...run("select 1"),
      sync,
      query("rollback"),
    ],
    ready: 4,
  },
  "names that a refused pipeline closes and makes": {
    messages: [
      parse("i", "select 1"),
      sync,
      close("S", "i"),
      parse("i", "select * from secret"),
      sync,
      bind("", "i"),
      execute(""),
      sync,
    ],
    ready: 3,
  },
  "a FunctionCall in a pipeline and in a transaction": {
    messages: [
      ...run("select 1"),
      say.functionCall(0),
      ...run("select 2"),
      sync,
      query("begin"),
      say.functionCall(0),
      query("select 3"),
      query("rollback"),
    ],
    ready: 6,
  },
  "Flush brings what there is": {
    messages: [...run("select 1"), flush, ...run("select * from secret"), flush, sync],
    ready: 1,
  },
};

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
