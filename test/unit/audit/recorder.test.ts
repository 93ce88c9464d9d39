import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { Recorder, serialiseStatement } from "../../../src/audit/recorder.ts";
import { createLogger } from "../../../src/log.ts";
import { completion, sessionFacts, statementFacts } from "./facts.ts";
import { recordFiles, recordLines, temporaryDirectory, written } from "./record-directory.ts";

const log = createLogger("silent");
const fragment = serialiseStatement(statementFacts());
const midnight = Date.UTC(2026, 1, 1);

function open(directory: string, options: Partial<Parameters<typeof Recorder.open>[0]> = {}): Recorder {
  const recorder = Recorder.open({ directory, log, ...options });
  onTestFinished(() => recorder.close());
  return recorder;
}

test("a session's life is on record, in order", async () => {
  const directory = temporaryDirectory();
  const recorder = open(directory, { now: () => midnight });
  const session = recorder.openSession(sessionFacts());
  const first = session.begin(fragment);
  session.renameApplication("pgbench");
  const second = session.begin(fragment);
  session.complete(second, completion({ rows: undefined, sqlstate: "42P01", micros: 12.6 }));
  session.complete(first, completion());
  session.end("client closed");
  session.end("twice");
  await recorder.close();

  const known = { session: "s1", identity: "alice", database: "shop", client: "127.0.0.1:54321" };
  expect(recordLines(directory).map(({ time: _time, ...line }) => line)).toEqual([
    { event: "record opened", pid: process.pid },
    {
      event: "session start",
      ...known,
      applicationName: "psql",
      role: "analyst",
      method: "password",
      tls: true,
    },
    expect.objectContaining({ event: "statement", ...known, id: 1, applicationName: "psql", kind: "SELECT" }),
    expect.objectContaining({ event: "statement", ...known, id: 2, applicationName: "pgbench" }),
    { event: "completion", session: "s1", id: 2, micros: 13, sqlstate: "42P01" },
    { event: "completion", session: "s1", id: 1, rows: 1, micros: 1500 },
    { event: "session end", ...known, applicationName: "pgbench", reason: "client closed", statements: 2 },
    { event: "record closed", pid: process.pid },
  ]);
  expect(recordLines(directory).every((line) => line["time"] === "2026-02-01T00:00:00.000Z")).toBe(true);
});

test("a statement is in the file before its callback, and not a turn earlier", async () => {
  const directory = temporaryDirectory();
  const recorder = open(directory);
  const session = recorder.openSession(sessionFacts());
  session.begin(fragment);
  const statements = (): number =>
    recordLines(directory).filter((line) => line["event"] === "statement").length;
  expect(statements()).toBe(0);
  const called = new Promise<[Error | undefined, number]>((resolve) =>
    recorder.whenWritten((error) => resolve([error, statements()])),
  );
  expect(await called).toEqual([undefined, 1]);
});

test("one turn makes one write, whoever took part in it, and callbacks run in the order of asking", async () => {
  const counts = { lines: 0, writes: 0, bytes: 0, failures: 0, lost: 0 };
  const directory = temporaryDirectory();
  const recorder = open(directory, { counts });
  const sessions = ["s1", "s2", "s3"].map((session) => recorder.openSession(sessionFacts({ session })));
  await written(recorder);
  const before = counts.writes;
  const order: number[] = [];
  for (const [index, session] of sessions.entries()) {
    session.complete(session.begin(fragment), completion());
    recorder.whenWritten(() => order.push(index));
  }
  await written(recorder);
  expect(counts.writes).toBe(before + 1);
  expect(order).toEqual([0, 1, 2]);
  expect(counts.lines).toBe(recordLines(directory).length);
  expect(counts.bytes).toBe(Buffer.byteLength(Object.values(recordFiles(directory)).join("")));
});

test("the same callback may be asked for every turn, also from within itself", async () => {
  const recorder = open(temporaryDirectory());
  let left = 5;
  await new Promise<void>((resolve) => {
    const callback = (): void => (left-- > 0 ? recorder.whenWritten(callback) : resolve());
    recorder.whenWritten(callback);
  });
  expect(left).toBe(-1);
});

test("a callback that throws does not keep the others from theirs", async () => {
  const recorder = open(temporaryDirectory());
  recorder.whenWritten(() => {
    throw new Error("a session's fault");
  });
  expect(await written(recorder)).toBeUndefined();
});

test("a completion that no statement follows is written all the same", async () => {
  const directory = temporaryDirectory();
  const recorder = open(directory);
  const session = recorder.openSession(sessionFacts());
  const id = session.begin(fragment);
  await written(recorder);
  session.complete(id, completion());
  await vi.waitFor(() => expect(recordLines(directory).at(-1)).toMatchObject({ event: "completion", id }));
});

test("each day has its own file, also for lines of one turn", async () => {
  const directory = temporaryDirectory();
  let time = midnight - 1;
  const recorder = open(directory, { now: () => time });
  const session = recorder.openSession(sessionFacts());
  const id = session.begin(fragment);
  time = midnight;
  session.complete(id, completion());
  await written(recorder);

  const files = recordFiles(directory);
  expect(Object.keys(files)).toEqual(["2026-01-31.jsonl", "2026-02-01.jsonl"]);
  expect(files["2026-01-31.jsonl"]).toMatch(/"event":"statement".*\n$/);
  expect(files["2026-02-01.jsonl"]).toMatch(/^\{"time":"2026-02-01T00:00:00.000Z","event":"completion".*\n$/);
});

test("directory and files are for their owner alone", () => {
  const directory = join(temporaryDirectory(), "var", "audit");
  open(directory, { now: () => midnight });
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(statSync(join(directory, "2026-02-01.jsonl")).mode & 0o777).toBe(0o600);
});

test("an existing file is continued, and keeps the mode that its operator gave it", () => {
  const directory = temporaryDirectory();
  const path = join(directory, "2026-02-01.jsonl");
  writeFileSync(path, '{"time":"2026-02-01T00:00:00.000Z","event":"earlier"}\n');
  chmodSync(path, 0o640);
  open(directory, { now: () => midnight });
  expect(statSync(path).mode & 0o777).toBe(0o640);
  expect(recordLines(directory).map((line) => line["event"])).toEqual(["earlier", "record opened"]);
});

test("a torn last line is ended, so that it does not swallow the next one", () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "2026-02-01.jsonl"), '{"time":"2026-02-01T00:0');
  open(directory, { now: () => midnight });
  expect(recordFiles(directory)["2026-02-01.jsonl"]).toMatch(
    /^\{"time":"2026-02-01T00:0\n\{.*record opened.*\n$/,
  );
});

test("a link or a directory in the file's place is refused at start", () => {
  const directory = temporaryDirectory();
  const path = join(directory, "2026-02-01.jsonl");
  symlinkSync(join(directory, "elsewhere"), path);
  expect(() => open(directory, { now: () => midnight })).toThrow("ELOOP");
  expect(existsSync(join(directory, "elsewhere"))).toBe(false);
  rmSync(path);
  mkdirSync(path);
  expect(() => open(directory, { now: () => midnight })).toThrow("EISDIR");
});

test("a named pipe in the file's place is refused, and nobody waits for its reader", () => {
  const directory = temporaryDirectory();
  execFileSync("/usr/bin/mkfifo", [join(directory, "2026-02-01.jsonl")]);
  expect(() => open(directory, { now: () => midnight })).toThrow("not a regular file");
});

test("a directory that others may write to is taken, with a warning", () => {
  const directory = temporaryDirectory();
  const lines: string[] = [];
  const log = createLogger("info", { write: (line) => void lines.push(line) });
  open(directory, { log });
  expect(lines).toEqual([]);
  chmodSync(directory, 0o770);
  open(directory, { log });
  expect(lines.join("")).toContain("others may write");
});

test.each([
  ["removed", (path: string) => rmSync(path)],
  ["renamed", (path: string) => renameSync(path, `${path}.1`)],
])("a file that was %s is begun anew within a second", async (_what, take) => {
  const directory = temporaryDirectory();
  let time = midnight;
  const recorder = open(directory, { now: () => time });
  const session = recorder.openSession(sessionFacts());
  await written(recorder);
  take(join(directory, "2026-02-01.jsonl"));
  time += 1001;
  session.begin(fragment);
  expect(await written(recorder)).toBeUndefined();
  expect(recordFiles(directory)["2026-02-01.jsonl"]).toContain('"event":"statement"');
});

test("a turn with more than fits in the slab is written whole", async () => {
  const directory = temporaryDirectory();
  const recorder = open(directory);
  const session = recorder.openSession(sessionFacts());
  const big = serialiseStatement(statementFacts({ sql: "é".repeat(1024 * 1024) }));
  for (let n = 0; n < 20; n++) session.begin(big);
  expect(await written(recorder)).toBeUndefined();
  const statements = recordLines(directory).filter((line) => line["event"] === "statement");
  expect(statements).toHaveLength(20);
  expect(statements.every((line) => line["sql"] === "é".repeat(1024 * 1024))).toBe(true);
});

test("after close nothing is accepted, and whoever waited before it is told of the write", async () => {
  const directory = temporaryDirectory();
  const recorder = open(directory);
  const session = recorder.openSession(sessionFacts());
  const before = written(recorder);
  await recorder.close();
  expect(await before).toBeUndefined();
  session.begin(fragment);
  expect(await written(recorder)).toBeInstanceOf(Error);
  expect(recorder.failure).toBeInstanceOf(Error);
  expect(recordLines(directory).at(-1)).toMatchObject({ event: "record closed" });
});
