import { expect, test } from "vitest";
import { type Entry, StatementJoin } from "../../../src/audit/join.ts";
import { parseLine } from "../../../src/audit/line.ts";

function line(fields: Record<string, unknown>): NonNullable<ReturnType<typeof parseLine>> {
  const parsed = parseLine(JSON.stringify({ time: "2026-02-01T00:00:00.000Z", ...fields }));
  if (!parsed) throw new Error("not a line");
  return parsed;
}

const statement = (session: string, id: number, sql = `select ${id}`): ReturnType<typeof line> =>
  line({ event: "statement", session, id, sql });
const completion = (session: string, id: number): ReturnType<typeof line> =>
  line({ event: "completion", session, id });

/** `s1:2` for a completed statement, `s1:2 refused`, `s1:2 unfinished`, or the event's name. */
function shown(entries: readonly Entry[]): string[] {
  return entries.map((entry) => {
    if (entry.kind === "event") return entry.line.event === "other" ? entry.line.name : entry.line.event;
    const { session, id } = entry.line;
    if (!entry.completion) return `${session}:${id} ${entry.line.refused ? "refused" : "unfinished"}`;
    expect(entry.completion).toMatchObject({ session, id });
    return `${session}:${id}`;
  });
}

function joined(lines: readonly ReturnType<typeof line>[], join = new StatementJoin(() => true)): string[] {
  return shown([...lines.flatMap((one) => join.push(one)), ...join.rest()]);
}

test("statements come out as they complete, each with its own completion", () => {
  const lines = [statement("s1", 1), statement("s2", 1), statement("s1", 2)];
  const ends = [completion("s2", 1), completion("s1", 2), completion("s1", 1)];
  expect(joined([...lines, ...ends])).toEqual(["s2:1", "s1:2", "s1:1"]);
});

test("a refused statement comes out at once: no line completes it", () => {
  const join = new StatementJoin(() => true);
  const refused = line({ event: "statement", session: "s1", id: 2, sql: "select 2", verdict: "refuse" });
  expect(joined([statement("s1", 1), refused], join)).toEqual(["s1:2 refused", "s1:1 unfinished"]);
  expect(shown(join.push(refused))).toEqual(["s1:2 refused"]);
  expect(join.open).toBe(0);
  expect(joined([refused, completion("s1", 2)], join)).toEqual(["s1:2 refused"]);
});

test("the end of a session ends what it left unfinished, and of no other", () => {
  const end = line({ event: "session end", session: "s1" });
  const lines = [statement("s1", 1), statement("s2", 1), statement("s1", 2), end, completion("s2", 1)];
  expect(joined(lines)).toEqual(["s1:1 unfinished", "s1:2 unfinished", "session end", "s2:1"]);
});

test("what no line completes is unfinished at the end", () => {
  expect(joined([statement("s1", 1), line({ event: "record closed" })])).toEqual([
    "record closed",
    "s1:1 unfinished",
  ]);
});

test("a completion without its statement is passed over", () => {
  expect(joined([completion("s1", 1), statement("s1", 1), completion("s1", 1), completion("s1", 1)])).toEqual(
    ["s1:1"],
  );
});

test("an unwanted statement is not held, and its completion not shown", () => {
  const join = new StatementJoin((one) => one.event === "statement" && one.sql === "select 2");
  expect(joined([statement("s1", 1)], join)).toEqual([]);
  expect(join.open).toBe(0);
  expect(joined([statement("s1", 2), completion("s1", 1), completion("s1", 2)], join)).toEqual(["s1:2"]);
});

test("what is held is bounded in number, oldest session first", () => {
  const join = new StatementJoin(() => true, 2);
  const lines = [
    statement("s1", 1),
    statement("s2", 1),
    statement("s3", 1),
    completion("s1", 1),
    completion("s3", 1),
  ];
  expect(joined(lines, join)).toEqual(["s1:1 unfinished", "s3:1", "s2:1 unfinished"]);
});

test("what is held is bounded in bytes", () => {
  const join = new StatementJoin(() => true);
  const big = "x".repeat(1024 * 1024);
  for (let n = 0; n < 100; n++) join.push(statement(`s${n}`, 1, big));
  expect(join.open).toBe(64);
});

test("a forged second statement of the same number replaces the first", () => {
  const join = new StatementJoin(() => true);
  expect(joined([statement("s1", 1, "a"), statement("s1", 1, "b"), completion("s1", 1)], join)).toEqual([
    "s1:1",
  ]);
  expect(join.open).toBe(0);
});
