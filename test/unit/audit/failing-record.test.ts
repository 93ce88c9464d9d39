import { execFileSync } from "node:child_process";
import { openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { type AppendFile, DayFile } from "../../../src/audit/day-file.ts";
import { Recorder, serialiseStatement } from "../../../src/audit/recorder.ts";
import { RolegateError } from "../../../src/errors.ts";
import { createLogger } from "../../../src/log.ts";
import { completion, sessionFacts, statementFacts } from "./facts.ts";
import { faultyFile } from "./faulty-file.ts";
import { foundIn, recordLines, temporaryDirectory, written } from "./record-directory.ts";

const log = createLogger("silent");
const fragment = serialiseStatement(statementFacts());

test.each([
  ["ENOSPC with nothing written", "ENOSPC", 0],
  ["ENOSPC in the middle of a line", "ENOSPC", 30],
  ["EIO after a whole line and a part of the next", "EIO", 420],
])(
  "%s: the turn's callbacks hear of it, and what was kept is on record later",
  async (_what, code, after) => {
    const directory = temporaryDirectory();
    const file = faultyFile();
    const counts = { lines: 0, writes: 0, bytes: 0, failures: 0, lost: 0 };
    const recorder = Recorder.open({ directory, log, open: file.open, counts });
    onTestFinished(() => recorder.close());
    const session = recorder.openSession(sessionFacts());
    expect(await written(recorder)).toBeUndefined();

    file.fault = { code, after };
    const failed = [session.begin(fragment), session.begin(fragment)];
    const error = await written(recorder);
    expect(error).toBeInstanceOf(RolegateError);
    expect((error as RolegateError).problem.code).toBe("audit_unavailable");
    expect(error?.message).not.toContain(code);
    expect(error?.cause).toMatchObject({ code });
    expect(recorder.failure).toBe(error);
    for (const id of failed)
      session.complete(id, completion({ rows: undefined, sqlstate: "58030", skipped: true }));
    expect(await written(recorder)).toBeInstanceOf(RolegateError);

    delete file.fault;
    await vi.waitFor(() => expect(recorder.failure).toBeUndefined());
    const next = session.begin(fragment);
    expect(await written(recorder)).toBeUndefined();

    const lines = recordLines(directory);
    const statements = lines.filter((line) => line["event"] === "statement").map((line) => line["id"]);
    expect(statements).toEqual([...failed, next]);
    expect(lines.find((line) => line["event"] === "record resumed")).toMatchObject({
      since: expect.stringMatching(/Z$/) as string,
      reason: expect.stringContaining(code) as string,
      lost: 0,
    });
    expect(counts.failures).toBeGreaterThan(0);
  },
);

test("a torn line is followed by a whole one, and readers report it", async () => {
  const directory = temporaryDirectory();
  const file = faultyFile();
  const recorder = Recorder.open({ directory, log, open: file.open });
  onTestFinished(() => recorder.close());
  file.fault = { code: "ENOSPC", after: 100 };
  recorder.openSession(sessionFacts()).begin(fragment);
  await written(recorder);
  delete file.fault;
  await vi.waitFor(() => expect(recorder.failure).toBeUndefined());

  const found = await foundIn(directory);
  expect(found.map((one) => one.kind)).toEqual(["event", "torn", "event", "event", "statement"]);
});

test("a failure that is over before the turn ends loses nothing and refuses nothing", async () => {
  const directory = temporaryDirectory();
  const file = faultyFile();
  const recorder = Recorder.open({ directory, log, open: file.open });
  onTestFinished(() => recorder.close());
  const session = recorder.openSession(sessionFacts());
  file.fault = { code: "EIO", after: 0 };
  await written(recorder);
  delete file.fault;
  await vi.waitFor(() => expect(recorder.failure).toBeUndefined());
  session.begin(fragment);
  expect(await written(recorder)).toBeUndefined();
});

test("memory is bounded while nothing can be written; what is dropped is counted, on record too", async () => {
  const directory = temporaryDirectory();
  const file = faultyFile();
  const counts = { lines: 0, writes: 0, bytes: 0, failures: 0, lost: 0 };
  const recorder = Recorder.open({ directory, log, open: file.open, counts });
  onTestFinished(() => recorder.close());
  const session = recorder.openSession(sessionFacts());
  file.fault = { code: "ENOSPC", after: 0 };
  await written(recorder);
  const megabyte = serialiseStatement(statementFacts({ sql: "x".repeat(1024 * 1024) }));
  for (let n = 0; n < 10; n++) session.begin(megabyte);
  expect(counts.lost).toBe(6);
  delete file.fault;
  await vi.waitFor(() => expect(recorder.failure).toBeUndefined());
  expect(recordLines(directory).find((line) => line["event"] === "record resumed")).toMatchObject({
    lost: 6,
  });
  session.begin(fragment);
  expect(await written(recorder)).toBeUndefined();
});

function devFull(): AppendFile {
  return new DayFile("/dev/full", openSync("/dev/full", "a"));
}

test("nothing is opened on a record that cannot be written", () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "file"), "");
  expect(() => Recorder.open({ directory: join(directory, "file"), log })).toThrow("EEXIST");
  expect(() => Recorder.open({ directory: join(directory, "file", "below"), log })).toThrow("ENOTDIR");
  expect(() => Recorder.open({ directory, log, open: devFull })).toThrow("ENOSPC");
});

test("a directory that is removed while rolegate runs is made again", async () => {
  const directory = join(temporaryDirectory(), "audit");
  let time = Date.UTC(2026, 1, 1);
  const recorder = Recorder.open({ directory, log, now: () => time });
  onTestFinished(() => recorder.close());
  rmSync(directory, { recursive: true });
  time += 1001;
  recorder.openSession(sessionFacts());
  expect(await written(recorder)).toBeUndefined();
  expect(recordLines(directory).map((line) => line["event"])).toEqual(["session start"]);
});

/** A file system of 1 MiB, if the test may mount one. */
function tinyDisk(): string | undefined {
  const directory = temporaryDirectory();
  try {
    execFileSync("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=1m", "rolegate-test", directory], {
      stdio: "pipe",
    });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync("/usr/bin/umount", ["-l", directory]));
  return directory;
}

test("a disk that is really full: every statement that may run is on record, and no other", async (context) => {
  const directory = tinyDisk();
  if (!directory) {
    context.skip("a full disk could not be made: mounting a tmpfs takes root");
    return;
  }
  const ballast = join(directory, "ballast");
  writeFileSync(ballast, Buffer.alloc(960 * 1024));
  const recorder = Recorder.open({ directory, log });
  const session = recorder.openSession(sessionFacts());
  const mayRun: number[] = [];
  const mustNot: number[] = [];
  for (let n = 0; n < 500; n++) {
    const id = session.begin(fragment);
    const error = await written(recorder);
    (error ? mustNot : mayRun).push(id);
    if (!error) session.complete(id, completion());
  }
  expect(mayRun.length).toBeGreaterThan(30);
  expect(mustNot.length).toBeGreaterThan(100);
  expect(recorder.failure?.cause).toMatchObject({ code: "ENOSPC" });
  // Not one that may run is missing; the one that met the end of the disk is not there, or there and torn.
  expect(statementsIn(directory)).toEqual(mayRun);

  rmSync(ballast);
  await vi.waitFor(() => expect(recorder.failure).toBeUndefined());
  const last = session.begin(fragment);
  expect(await written(recorder)).toBeUndefined();
  expect(statementsIn(directory)).toEqual([...mayRun, ...mustNot, last]);
  await recorder.close();
});

function statementsIn(directory: string): unknown[] {
  return recordLines(directory).flatMap((line) => (line["event"] === "statement" ? [line["id"]] : []));
}

test("what a client saw happen is on record though the process was killed at once", async () => {
  const directory = temporaryDirectory();
  const program = `
    import { Recorder, serialiseStatement } from "./src/audit/recorder.ts";
    import { createLogger } from "./src/log.ts";
    const recorder = Recorder.open({ directory: ${JSON.stringify(directory)}, log: createLogger("silent") });
    const session = recorder.openSession(${JSON.stringify(sessionFacts())});
    session.begin(serialiseStatement(${JSON.stringify(statementFacts({ sql: "delete from orders" }))}));
    recorder.whenWritten(() => process.kill(process.pid, "SIGKILL"));
  `;
  expect(() => execFileSync(process.execPath, ["--input-type=module-typescript", "-e", program])).toThrow(
    expect.objectContaining({ signal: "SIGKILL" }) as Error,
  );
  const found = await foundIn(directory, { kind: "SELECT" });
  expect(found).toMatchObject([
    { kind: "statement", line: { sql: "delete from orders" }, completion: undefined },
  ]);
});
