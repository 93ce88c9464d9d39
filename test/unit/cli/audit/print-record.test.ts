import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { Command } from "commander";
import { expect, test, vi } from "vitest";
import { Recorder, serialiseStatement } from "../../../../src/audit/recorder.ts";
import { type AuditOptions, printRecord, registerAudit } from "../../../../src/cli/audit.ts";
import { createLogger } from "../../../../src/log.ts";
import { completion, sessionFacts, statementFacts } from "../../audit/facts.ts";
import { temporaryDirectory } from "../../audit/record-directory.ts";

const now = Date.UTC(2026, 1, 1, 12);

/** A record of two people, one refusal, and one failed login. */
async function madeRecord(directory = temporaryDirectory()): Promise<string> {
  const recorder = Recorder.open({ directory, log: createLogger("silent"), now: () => now });
  const alice = recorder.openSession(sessionFacts());
  alice.complete(alice.begin(serialiseStatement(statementFacts())), completion());
  const refusal = { sqlstate: "42501", message: "relation `salaries` is not allowed" };
  const refused = statementFacts({
    sql: "select *\nfrom salaries",
    relations: [],
    verdict: "refuse",
    refusal,
  });
  alice.complete(
    alice.begin(serialiseStatement(refused)),
    completion({ rows: undefined, sqlstate: "42501" }),
  );
  const bob = recorder.openSession(sessionFacts({ session: "s2", identity: "bob", role: "support" }));
  const update = { role: "support", sql: "update orders set note = '\x1b[2J'", kind: "UPDATE" };
  bob.complete(bob.begin(serialiseStatement(statementFacts(update))), completion({ rows: 2 }));
  const login = { client: "127.0.0.1:1", user: "eve", database: "shop", applicationName: "", tls: false };
  recorder.loginFailed({ ...login, sqlstate: "28P01", reason: "wrong password" });
  alice.end("client closed");
  await recorder.close();
  return directory;
}

type Printed = { code: number; out: string; err: string };

async function print(options: Partial<AuditOptions>, width?: number, signal = new AbortController().signal) {
  const printed: Printed = { code: -1, out: "", err: "" };
  const into = (field: "out" | "err"): Writable =>
    new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        printed[field] += chunk.toString();
        if (field === "out") setImmediate(done);
        else done();
      },
    });
  const surroundings = {
    stdout: into("out"),
    stderr: into("err"),
    env: { RECORD: "elsewhere" },
    now,
    width,
    signal,
  };
  const running = printRecord({ config: "rolegate.yaml", ...options }, surroundings);
  return { printed, ended: running.then((code) => Object.assign(printed, { code })) };
}

const printed = async (options: Partial<AuditOptions>, width?: number): Promise<Printed> =>
  (await print(options, width)).ended;

test("prints one line for each statement, login and session", async () => {
  const { code, out, err } = await printed({ directory: await madeRecord() });
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out.split("\n").map((line) => line.replace("2026-02-01 12:00:00.000  ", ""))).toEqual([
    `-  record opened  pid=${process.pid}`,
    expect.stringMatching(/^alice\/analyst {2}session start {2}database="shop" client="127/),
    "alice/analyst  ok             SELECT     1 row      1.50 ms  select * from orders",
    "alice/analyst  refused 42501  SELECT         -            -  select *\\nfrom salaries  -- relation `salaries` is not allowed",
    expect.stringMatching(/^bob\/support {2}session start/),
    "bob/support  ok             UPDATE    2 rows      1.50 ms  update orders set note = '\\x1b[2J'",
    expect.stringMatching(/^- {2}login failed .* user="eve" .* reason="wrong password"$/),
    expect.stringMatching(/^alice {2}session end .*statements=2$/),
    `-  record closed  pid=${process.pid}`,
    "",
  ]);
});

test.each<[Partial<AuditOptions>, number]>([
  [{ kind: "select" }, 2],
  [{ kind: "select", verdict: "refuse" }, 1],
  [{ identity: "bob" }, 2],
  [{ role: "support", kind: "UPDATE" }, 1],
  [{ relation: "orders" }, 2],
  [{ grep: "salar" }, 1],
  [{ session: "s2", lines: "1" }, 1],
  [{ kind: "login failed" }, 1],
  [{ since: "1s" }, 9],
  [{ until: "2026-02-01T11:59" }, 0],
  [{ since: "2026-02-02" }, 0],
])("%j finds %i", async (options, count) => {
  const { code, out } = await printed({ directory: await madeRecord(), ...options });
  expect(code).toBe(0);
  expect(out.split("\n")).toHaveLength(count + 1);
});

test("--json prints one object a line, whole, with both lines of a statement in it", async () => {
  const { out } = await printed({ directory: await madeRecord(), kind: "UPDATE", json: true }, 20);
  expect(JSON.parse(out)).toMatchObject({ identity: "bob", rows: 2, micros: 1500, outcome: "ok", id: 1 });
  expect(out).not.toContain("\x1b");
});

test("lines are cut to a terminal's width, and --full prints them whole", async () => {
  const directory = await madeRecord();
  const cut = await printed({ directory }, 60);
  expect(Math.max(...cut.out.split("\n").map((line) => line.length))).toBe(60);
  expect((await printed({ directory, full: true }, 60)).out).toBe((await printed({ directory })).out);
});

test("the directory is that of the configuration, beside it, or from the environment", async () => {
  const base = temporaryDirectory();
  const config = join(base, "rolegate.yaml");
  mkdirSync(join(base, "elsewhere"));
  await madeRecord(join(base, "elsewhere"));
  writeFileSync(join(base, "where"), "elsewhere\n");
  for (const directory of ["elsewhere", "{ env: RECORD }", "{ file: where }", join(base, "elsewhere")]) {
    writeFileSync(config, `listen: { address: "127.0.0.1:6432" }\naudit: { directory: ${directory} }\n`);
    expect(await printed({ config, lines: "1" })).toMatchObject({ code: 0, err: "" });
  }
});

test("a configuration that leaves it out means its default", async () => {
  const base = temporaryDirectory();
  const config = join(base, "rolegate.yaml");
  mkdirSync(join(base, "var", "audit"), { recursive: true });
  await madeRecord(join(base, "var", "audit"));
  for (const text of ["", "audit: {}\n", 'listen: { address: "127.0.0.1:6432" }\n']) {
    writeFileSync(config, text);
    expect(await printed({ config, lines: "1" })).toMatchObject({ code: 0, err: "" });
  }
});

test.each<[string, string, RegExp]>([
  ["another type", "audit: { directory: [a] }", /audit\.directory: found none, expected/],
  ["audit of another type", "audit: 5", /audit\.directory: found none, expected/],
  [
    "an unset variable",
    "audit: { directory: { env: NOT_SET } }",
    /found the variable NOT_SET, which is not set/,
  ],
  ["bad YAML", "audit: {", /rolegate\.yaml: /],
])("%s is told, with exit code 2", async (_what, text, message) => {
  const config = join(temporaryDirectory(), "rolegate.yaml");
  writeFileSync(config, text);
  const { code, out, err } = await printed({ config });
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toMatch(message);
  expect(err.split("\n")).toHaveLength(2);
});

test.each<[Partial<AuditOptions>, string]>([
  [{ directory: "/nowhere" }, "ENOENT"],
  [{ since: "yesterday\x1b[2J" }, "--since: found yesterday\\x1b[2J, expected"],
  [{ until: "x" }, "--until"],
  [{ lines: "0" }, "--lines: found 0, expected"],
  [{ lines: "-1" }, "--lines"],
  [{ verdict: "maybe" }, "--verdict: found maybe, expected run or refuse"],
  [{ grep: "(?i)x" }, "--grep: found (?i)x, expected a regular expression: Invalid group"],
])("%j is refused with exit code 2", async (options, message) => {
  const { code, err } = await printed({ directory: "/tmp", ...options });
  expect(code).toBe(2);
  expect(err).toContain(`rolegate audit: `);
  expect(err).toContain(message);
});

test("a configuration that is not there is told, with exit code 2", async () => {
  const { code, err } = await printed({ config: "/nowhere/rolegate.yaml" });
  expect(code).toBe(2);
  expect(err).toContain("ENOENT");
  expect(err).toContain("-d the record's directory");
});

test("torn lines are reported, the first ten by place", async () => {
  const directory = await madeRecord();
  appendFileSync(join(directory, "2026-02-01.jsonl"), "torn\n".repeat(12));
  const { code, out, err } = await printed({ directory });
  expect(code).toBe(0);
  expect(out.split("\n")).toHaveLength(10);
  expect(err.split("\n")).toHaveLength(12);
  expect(err).toContain("2026-02-01.jsonl:13: skipped, not a whole line of the record");
  expect(err).toContain("12 lines skipped in all");
});

test("-f goes on with what is added, beginning with the last ten", async () => {
  const directory = await madeRecord();
  const stop = new AbortController();
  const { printed, ended } = await print({ directory, follow: true }, undefined, stop.signal);
  await vi.waitFor(() => expect(printed.out.split("\n")).toHaveLength(10));
  await madeRecord(directory);
  await vi.waitFor(() => expect(printed.out.split("\n")).toHaveLength(19));
  stop.abort();
  expect(await ended).toMatchObject({ code: 0, err: "" });
});

test("a reader that has seen enough ends it without a word", async () => {
  const directory = await madeRecord();
  const closed = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" })),
  });
  let err = "";
  const stderr = new Writable({
    write(chunk: Buffer, _encoding, done) {
      err += chunk.toString();
      done();
    },
  });
  const { signal } = new AbortController();
  const surroundings = { stdout: closed, stderr, env: {}, now, width: undefined, signal };
  expect(await printRecord({ config: "rolegate.yaml", directory }, surroundings)).toBe(0);
  expect(err).toBe("");
});

test("the command has every option that the printing reads", () => {
  const program = new Command();
  registerAudit(program);
  const options = program.commands[0]?.options.map((option) => option.long);
  expect(options).toEqual(
    expect.arrayContaining([
      "--directory",
      "--config",
      "--follow",
      "--lines",
      "--since",
      "--until",
      "--json",
    ]),
  );
});
