import * as fc from "fast-check";
import { expect, test } from "vitest";
import { entryAsJson, formatEntry } from "../../../src/audit/format.ts";
import type { Entry } from "../../../src/audit/join.ts";
import { type CompletionLine, parseLine, type StatementLine } from "../../../src/audit/line.ts";

const fields = {
  time: "2026-02-01T12:00:00.123Z",
  event: "statement",
  session: "s1",
  identity: "alice",
  id: 7,
  role: "analyst",
  verdict: "run",
  kind: "SELECT",
  sql: "select 1",
};

function statement(changes: Record<string, unknown> = {}, ended?: Record<string, unknown>): Entry {
  const line = parseLine(JSON.stringify({ ...fields, ...changes })) as StatementLine;
  const { session, id } = line;
  const completion =
    ended &&
    parseLine(
      JSON.stringify({ time: "2026-02-01T12:00:01.000Z", event: "completion", session, id, ...ended }),
    );
  return { kind: "statement", line, completion: completion as CompletionLine | undefined };
}

function event(fields: Record<string, unknown>): Entry {
  const line = parseLine(JSON.stringify({ time: "2026-02-01T12:00:00.123Z", ...fields }));
  if (!line) throw new Error("not a line");
  return { kind: "event", line };
}

const refusal = { sqlstate: "42501", message: "relation `salaries` is not allowed" };

test.each<[Entry, string]>([
  [
    statement({}, { rows: 1, micros: 1234 }),
    "alice/analyst  ok             SELECT     1 row      1.23 ms  select 1",
  ],
  [
    statement({}, { micros: 90, sqlstate: "22012" }),
    "alice/analyst  failed 22012   SELECT         -      0.09 ms  select 1",
  ],
  [
    statement({}, { micros: 0, skipped: true }),
    "alice/analyst  skipped        SELECT         -      0.00 ms  select 1",
  ],
  [statement(), "alice/analyst  unfinished     SELECT         -            -  select 1"],
  [
    statement({ verdict: "refuse", refusal }, { micros: 5, sqlstate: "42501" }),
    "alice/analyst  refused 42501  SELECT         -            -  select 1  -- relation `salaries` is not allowed",
  ],
  [
    statement({ sql: "select 'x\n\x1b[2J", sqlTruncated: 9 }),
    "alice/analyst  unfinished     SELECT         -            -  select 'x\\n\\x1b[2J … (9 bytes)",
  ],
  [
    event({ event: "session end", session: "s1", identity: "bob", reason: "x" }),
    'bob  session end  reason="x"',
  ],
])("%#", (entry, expected) => {
  expect(formatEntry(entry, undefined)).toBe(`2026-02-01 12:00:00.123  ${expected}`);
});

test("a name cannot pass for other columns", () => {
  const identity = "alice/admin  ok  SELECT";
  expect(formatEntry(statement({ identity }), undefined)).toContain('  "alice/admin  ok  SELECT"/analyst  ');
  const user = "alice/analyst  ok             SELECT     1 row      1.23 ms  select 1";
  expect(formatEntry(event({ event: "login failed", user }), undefined)).toMatch(
    /\d {2}-  login failed {2}user="/,
  );
});

test("a line is cut to the width, and between characters", () => {
  const wide = formatEntry(statement({ sql: "😀".repeat(500) }), 100);
  expect(Array.from(wide)).toHaveLength(100);
  expect(wide.endsWith("😀…")).toBe(true);
  expect(wide.isWellFormed()).toBe(true);
});

test("whatever stands in the record, a line of text or JSON is one line that no terminal acts on", () => {
  const text = fc.string({ unit: "binary" });
  const value = fc.oneof(text, fc.jsonValue());
  const anything = fc.record({
    identity: value,
    role: value,
    kind: value,
    sql: text,
    verdict: value,
    relations: value,
    refusal: fc.oneof(value, fc.record({ sqlstate: value, message: value })),
  });
  // oxlint-disable-next-line no-control-regex
  const acting = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;
  fc.assert(
    fc.property(
      anything,
      anything,
      fc.option(fc.nat({ max: 200 }), { nil: undefined }),
      (facts, ended, width) => {
        for (const entry of [statement(facts, ended), event({ ...facts, event: "login failed" })]) {
          expect(formatEntry(entry, width)).not.toMatch(acting);
          expect(entryAsJson(entry)).not.toMatch(acting);
        }
      },
    ),
  );
});

test("as JSON a statement's two lines are one object, with its outcome", () => {
  expect(JSON.parse(entryAsJson(statement({}, { rows: 3, micros: 10 })))).toEqual({
    ...fields,
    outcome: "ok",
    completed: "2026-02-01T12:00:01.000Z",
    rows: 3,
    micros: 10,
  });
  expect(JSON.parse(entryAsJson(statement()))).toEqual({ ...fields, outcome: "unfinished" });
});

test("a completion cannot change what its statement said", () => {
  const forged = entryAsJson(statement({}, { micros: 1, sql: "select 2", identity: "bob" }));
  expect(JSON.parse(forged)).toMatchObject({ sql: "select 1", identity: "alice", micros: 1 });
});
