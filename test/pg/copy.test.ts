import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { connectBothWays, connectRaw, extended, kinds, say, type RawConnection } from "./raw-connection.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

let database: TestDatabase;
let proxy: RunningProxy;
let through: RawConnection;
let direct: RawConnection;

beforeAll(async () => {
  database = await createTestDatabase({
    sql: `create table goods (id int, tenant_id int, note text);
      create table picky (id int primary key);
      create function no() returns trigger language plpgsql as $$ begin raise 'not today'; end $$;
      create table closed (id int);
      create trigger no before insert on closed for each statement execute function no();`,
  });
  const all = { select: "all", insert: "all" };
  proxy = await startTestProxy({
    database,
    roles: {
      copy_tester: {
        file: {
          tables: {
            goods: {
              select: { columns: ["id", "tenant_id"], rows: "tenant_id = identity.tenant" },
              insert: { columns: "all", check: "tenant_id = identity.tenant" },
            },
            picky: all,
            closed: all,
          },
        },
        grants: "grant all on goods, picky, closed to copy_tester",
      },
    },
    users: { alice: { tenant: 1 } },
  });
  [through, direct] = await connectBothWays(proxy, database, "copy_tester");
});
afterAll(async () => {
  through?.close();
  direct?.close();
  await proxy?.close();
  await database?.close();
});

const { query, sync, flush, copyData, copyDone, copyFail } = say;
const into = "copy picky from stdin";

/** [what is sent, up to which line to wait, …] */
type Step = readonly [messages: readonly Buffer[], last: string];

const conversations: Record<string, readonly Step[]> = {
  "a Query that copies": [
    [[query(into)], "CopyInResponse"],
    [[copyData("1\n"), copyData("2\n3\n"), copyDone], "ReadyForQuery"],
  ],
  CopyFail: [
    [[query(into)], "CopyInResponse"],
    [[copyData("4\n"), copyFail("changed my mind")], "ReadyForQuery"],
  ],
  "data that the table does not take": [
    [[query(into)], "CopyInResponse"],
    [[copyData("five\n"), copyData("6\n"), copyData("7\n"), copyDone], "ReadyForQuery"],
  ],
  "a statement trigger that raises before any data": [
    [[query("copy closed from stdin")], "ReadyForQuery"],
    [[copyData("1\n"), copyDone, query("select 1")], "ReadyForQuery"],
  ],
  "the data behind the Query at once": [[[query(into), copyData("8\n"), copyDone], "ReadyForQuery"]],
  "two copies in one Query": [
    [[query(`${into}; ${into}`)], "CopyInResponse"],
    [[copyData("10\n"), copyDone], "CopyInResponse"],
    [[copyData("11\n"), copyDone], "ReadyForQuery"],
  ],
  "extended, with libpq's early Sync": [
    [[...extended(into), sync], "CopyInResponse"],
    [[copyData("20\n"), copyDone, sync], "ReadyForQuery"],
    [[query("select 1")], "ReadyForQuery"],
  ],
  "extended, without an early Sync": [
    [[...extended(into), flush], "CopyInResponse"],
    [[copyData("21\n"), copyDone, sync], "ReadyForQuery"],
  ],
  "extended, all at once": [[[...extended(into), copyData("22\n"), copyDone, sync], "ReadyForQuery"]],
  "extended, with Syncs and Flushes among the data": [
    [[...extended(into), sync], "CopyInResponse"],
    [[copyData("23\n"), sync, flush, copyData("24\n"), sync, copyDone, sync], "ReadyForQuery"],
    [[query("select 1")], "ReadyForQuery"],
  ],
  "extended, with bad data": [
    [[...extended(into), sync], "CopyInResponse"],
    [[copyData("bad\n"), copyData("25\n"), copyDone, sync], "ReadyForQuery"],
    [[query("select 1")], "ReadyForQuery"],
  ],
  "extended, CopyFail": [
    [[...extended(into), sync], "CopyInResponse"],
    [[copyData("26\n"), copyFail("no"), sync], "ReadyForQuery"],
    [[...extended("select 1"), sync], "ReadyForQuery"],
  ],
  "copying out": [
    [[query("copy (values (1), (2)) to stdout")], "ReadyForQuery"],
    [[...extended("copy (select 1) to stdout"), sync], "ReadyForQuery"],
    [[query("copy (select 1 / 0) to stdout")], "ReadyForQuery"],
  ],
  "late CopyData without any COPY": [
    [[copyData("x"), copyDone, copyFail("x"), query("select 1")], "ReadyForQuery"],
  ],
};

test.for(Object.entries(conversations))("as with the server itself: %s", async ([, steps]) => {
  const answers = [];
  for (const connection of [direct, through]) {
    await database.query("delete from picky");
    const lines: string[] = [];
    for (const [messages, last] of steps) lines.push(...kinds(await connection.askUntil(messages, last)));
    answers.push(lines, await connection.ask([query("select id from picky order by 1")]));
  }
  expect(answers.slice(2)).toEqual(answers.slice(0, 2));
});

test("another message among the data ends the connection, as it does with the server", async () => {
  const own = await connectRaw(proxy.client("alice"));
  await own.askUntil([query(into)], "CopyInResponse");
  const lines = await own.untilClosed([copyData("1\n"), query("select 1")]);
  expect(lines.at(-1)).toContain("08P01");
});

test("streams in and out see the role's rows only, and checks hold", async () => {
  const client = await proxy.connect("alice");
  await pipeline(
    Readable.from(Array.from({ length: 1000 }, (_, id) => `${id}\t1\tnote\n`)),
    client.query(copyFrom("copy goods from stdin")),
  );
  await database.query("insert into goods values (7000, 2, 'theirs')");
  const out: string[] = [];
  await pipeline(client.query(copyTo("copy goods to stdout")), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) out.push(chunk.toString());
  });
  const rows = out.join("").trimEnd().split("\n");
  expect(rows).toHaveLength(1000);
  expect(rows[0]).toBe("0\t1");
  const theirs = pipeline(Readable.from(["1\t2\tnote\n"]), client.query(copyFrom("copy goods from stdin")));
  await expect(theirs).rejects.toMatchObject({ code: "42501" });
  expect((await client.query("select count(*)::int as n from goods")).rows).toEqual([{ n: 1000 }]);
  const [copied] = (await proxy.statements()).filter(
    (line) => line["kind"] === "COPY FROM" && line["rows"] === 1000,
  );
  expect(copied).toMatchObject({ verdict: "run", relations: ["public.goods"] });
});
