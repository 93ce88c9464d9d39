import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Found, search } from "../../../src/audit/search.ts";
import { foundIn, temporaryDirectory } from "./record-directory.ts";

const at = (day: string, time: string): string => `${day}T${time}.000Z`;

function statement(day: string, time: string, session: string, id: number): string {
  const fields = {
    time: at(day, time),
    event: "statement",
    session,
    id,
    kind: "SELECT",
    sql: `select ${id}`,
  };
  return `${JSON.stringify(fields)}\n`;
}

function completion(day: string, time: string, session: string, id: number): string {
  return `${JSON.stringify({ time: at(day, time), event: "completion", session, id, rows: id, micros: 1 })}\n`;
}

/** `s1:2`, `s1:2?` if unfinished, or where a torn line is. */
function shown(found: readonly Found[]): string[] {
  return found.map((one) => {
    switch (one.kind) {
      case "torn":
        return `torn ${one.day}:${one.number}`;
      case "event":
        return String(one.line.fields["event"]);
      case "statement":
        return `${one.line.session}:${one.line.id}${one.completion ? "" : "?"}`;
    }
    return one satisfies never;
  });
}

const [first, second, third] = ["2026-01-30", "2026-01-31", "2026-02-01"] as const;

/** Three days; the last statement of each completes on the next. */
function threeDays(): string {
  const directory = temporaryDirectory();
  const write = (day: string, ...lines: string[]): void =>
    writeFileSync(join(directory, `${day}.jsonl`), lines.join(""));
  write(
    first,
    statement(first, "10:00:00", "a", 1),
    completion(first, "10:00:01", "a", 1),
    statement(first, "23:59:59", "a", 2),
  );
  write(
    second,
    completion(second, "00:00:01", "a", 2),
    '{"time":"2026-01-31T00:00:02.000Z","event":"statem\n',
    statement(second, "10:00:00", "b", 1),
    completion(second, "10:00:01", "b", 1),
    statement(second, "23:59:59", "b", 2),
  );
  write(
    third,
    completion(third, "00:00:01", "b", 2),
    statement(third, "10:00:00", "c", 1),
    completion(third, "10:00:01", "c", 1),
    statement(third, "11:00:00", "c", 2),
    '{"torn',
  );
  writeFileSync(join(directory, "notes.txt"), "not of the record");
  return directory;
}

test("reads all days, joins across midnight, reports torn lines, ends with what is unfinished", async () => {
  expect(shown(await foundIn(threeDays()))).toEqual([
    "a:1",
    "a:2",
    `torn ${second}:2`,
    "b:1",
    "b:2",
    "c:1",
    `torn ${third}:5`,
    "c:2?",
  ]);
});

test("since begins with the day's file; until reads on only for completions", async () => {
  const directory = threeDays();
  expect(shown(await foundIn(directory, { since: at(third, "00:00:00") }))).toEqual([
    "c:1",
    `torn ${third}:5`,
    "c:2?",
  ]);
  expect(shown(await foundIn(directory, { until: at(first, "12:00:00") }))).toEqual(["a:1"]);
  expect(shown(await foundIn(directory, { until: at(first, "23:59:59") }))).toEqual([
    "a:1",
    "a:2",
    `torn ${second}:2`,
  ]);
});

test.each([1, 2, 3, 5, 100])(
  "the last %i are the end of all, and torn lines are none of them",
  async (count) => {
    const directory = threeDays();
    const all = (await foundIn(directory, { kind: "SELECT" })).filter(isEntry);
    const last = (await foundIn(directory, { kind: "SELECT" }, count)).filter(isEntry);
    // Of a statement that is not wholly in the files that were needed, nothing is shown.
    expect(last).toHaveLength(Math.min(count, all.length));
    expect(shown(last).at(-1)).toBe("c:2?");
    expect(new Set(shown(all))).toEqual(new Set([...shown(all), ...shown(last)]));
  },
);

function isEntry(found: Found): boolean {
  return found.kind !== "torn";
}

test("a missing directory is an error, an empty one is an empty record", async () => {
  const directory = temporaryDirectory();
  await expect(foundIn(join(directory, "missing"))).rejects.toThrow("ENOENT");
  expect(await foundIn(directory)).toEqual([]);
  expect(await foundIn(directory, {}, 5)).toEqual([]);
});

test("following shows what is added, joined, over parts of lines and over midnight, until it is aborted", async () => {
  const directory = temporaryDirectory();
  const today = join(directory, `${second}.jsonl`);
  writeFileSync(today, statement(second, "23:00:00", "a", 1));
  const stop = new AbortController();
  const found = search({ directory, filter: {}, last: 10, follow: stop.signal });
  const next = async (): Promise<string[]> => {
    for (;;) {
      const { value, done } = await found.next();
      if (done) return ["done"];
      if (value.length > 0) return shown(value);
    }
  };

  const torn = completion(second, "23:00:01", "a", 1);
  setTimeout(() => appendFileSync(today, torn.slice(0, 40)), 50);
  setTimeout(() => appendFileSync(today, torn.slice(40)), 400);
  expect(await next()).toEqual(["a:1"]);

  appendFileSync(today, statement(second, "23:59:59", "a", 2));
  const tomorrow = join(directory, `${third}.jsonl`);
  writeFileSync(tomorrow, completion(third, "00:00:00", "a", 2) + statement(third, "00:00:01", "a", 3));
  expect(await next()).toEqual(["a:2"]);
  appendFileSync(tomorrow, completion(third, "00:00:02", "a", 3));
  expect(await next()).toEqual(["a:3"]);
  stop.abort();
  expect(await next()).toEqual(["done"]);
});
