import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { connectBothWays, connectRaw, extended, say, type RawConnection } from "./raw-connection.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

let database: TestDatabase;
let proxy: RunningProxy;
let through: RawConnection;
let direct: RawConnection;

beforeAll(async () => {
  database = await createTestDatabase({
    sql: "create table open (id int primary key); create table secret (id int)",
  });
  proxy = await startTestProxy({
    database,
    roles: {
      random_tester: {
        file: { tables: { open: { select: "all", insert: "all", delete: "all" } } },
        grants: "grant select, insert, delete on open to random_tester",
      },
    },
    users: { alice: {} },
  });
  [through, direct] = await connectBothWays(proxy, database, "random_tester");
});
afterAll(async () => {
  through?.close();
  direct?.close();
  await proxy?.close();
  await database?.close();
});

const name = fc.constantFrom("a", "b");
const portal = fc.constantFrom("p", "q");
const sql = fc.constantFrom(
  "select 1",
  "select * from secret",
  "select id from open",
  "select 1 / (select 0)",
  "insert into open values (1)",
  "delete from open",
  "selec",
  "",
  "execute a",
);
const text = fc.oneof(
  sql,
  fc.constantFrom(
    "begin",
    "commit",
    "rollback",
    "savepoint s",
    "rollback to s",
    "prepare a as select 2",
    "deallocate a",
    "deallocate all",
    "select 1; select 2",
    "begin; insert into open values (2); commit",
    "insert into open values (1); select 1 / (select 0)",
  ),
);

/**
 * What a client may say. The unnamed statement and portal are used where they were made, for what a skipped message
 * leaves of them is forgotten here, on the safe side, and not on the server.
 */
const message = fc.oneof(
  fc.record({ name, sql }).map(({ name, sql }) => [say.parse(name, sql)]),
  fc.record({ portal, name }).map(({ portal, name }) => [say.bind(portal, name)]),
  fc
    .record({ portal, limit: fc.constantFrom(0, 1) })
    .map(({ portal, limit }) => [say.execute(portal, limit)]),
  fc
    .record({ name, portal })
    .map(({ name, portal }) => [
      say.bind(portal, name),
      say.describe("P", portal),
      say.execute(portal),
      say.close("P", portal),
    ]),
  name.map((name) => [say.close("S", name)]),
  portal.map((portal) => [say.close("P", portal)]),
  name.map((name) => [say.describe("S", name)]),
  portal.map((portal) => [say.describe("P", portal)]),
  sql.map(extended),
  text.map((sql) => [say.query(sql)]),
  fc.constant([say.sync]),
  fc.constant([say.sync]),
  fc.constant([say.flush]),
);

const mark = 'CommandComplete "DELETE 7"';
const end = [
  say.sync,
  say.query("rollback"),
  say.query("delete from open"),
  say.query("discard all"),
  say.query("insert into open select generate_series(1, 7)"),
  say.query("delete from open"),
];

/** The replies, errors by their SQLSTATE; a refusal stands for the error of a table that is not there. */
async function replies(connection: RawConnection, messages: readonly Buffer[]): Promise<string[]> {
  const waiting = setTimeout(() => connection.socket.destroy(), 5_000);
  const lines = await connection.askUntil(messages, mark);
  clearTimeout(waiting);
  if (!lines.includes(mark)) return [...lines, "and nothing more"];
  if (!lines.at(-1)!.startsWith("ReadyForQuery")) await connection.askUntil([], "ReadyForQuery");
  return lines
    .filter((line) => !line.startsWith("ReadyForQuery") || line !== lines.at(-1))
    .map((line) => {
      const [kind] = line.split(" ");
      if (kind === "ErrorResponse")
        return `error ${/C="(42501|42P01)"/.test(line) ? "refused" : /C="(\w+)"/.exec(line)![1]!}`;
      return kind === "ReadyForQuery" || kind === "CommandComplete" || kind === "DataRow" ? line : kind!;
    });
}

/** In a failed transaction the server does not look at what a statement names; rolegate refuses it all the same. */
function asRefused(expected: readonly string[], got: readonly string[]): string[] {
  return expected.map((line, index) =>
    line === "error 25P02" && got[index] === "error refused" ? got[index] : line,
  );
}

test("random conversations get the replies that the server itself gives", { timeout: 120_000 }, async () => {
  const property = fc.asyncProperty(
    fc.array(message, { minLength: 1, maxLength: 25 }),
    fc.infiniteStream(fc.nat(3)),
    async (said, cuts) => {
      const messages = said.flat();
      const own = messages.map((each) =>
        Buffer.from(each.toString("latin1").replace("secret", "absent"), "latin1"),
      );
      const expected = await replies(direct, [...own, ...end]);
      // In pieces at random places, so that what has to wait and what comes meanwhile meet in every way.
      const bytes = Buffer.concat([...messages, ...end]);
      let at = 0;
      for (const cut of cuts) {
        const size = [1, 7, 60, 100_000][cut]!;
        if (at + size >= bytes.length) break;
        through.socket.write(bytes.subarray(at, at + size));
        at += size;
        if (cut === 2) await new Promise(setImmediate);
      }
      const got = await replies(through, [bytes.subarray(at)]);
      if (got.at(-1) === "and nothing more") through = await connectRaw(proxy.client("alice"));
      expect(got).toEqual(asRefused(expected, got));
    },
  );
  await fc.assert(property, { numRuns: 1_500, interruptAfterTimeLimit: 100_000, endOnFailure: false });
  // And each statement that ran is on record with its end.
  const open = (await proxy.statements()).filter(
    (line) => line["verdict"] === "run" && line["skipped"] === "open",
  );
  expect(open).toEqual([]);
});
