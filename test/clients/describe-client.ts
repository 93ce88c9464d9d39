import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RecordLine } from "../pg/running-proxy.ts";
import { expectedSteps, type Step } from "./expected-steps.ts";
import { startStage, type Stage } from "./stage.ts";

const here = import.meta.dirname;
const inContinuousIntegration = process.env["CI"] === "true";

/** Milliseconds that a client's program may take; the slowest takes about 5 s. */
const longest = 90_000;

type ClientProgram = {
  /** The program and its arguments; paths are relative to this folder. */
  readonly command: readonly [string, ...string[]];
  /** What must be there for it; test/clients/install puts it there. */
  readonly needs: readonly string[];
  /** The common steps that the client has a way for. */
  readonly steps: readonly Step[];
  /** What it sees otherwise than others, or beside them. */
  readonly more?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
};

/** Describes under `name` what needs programs; where one is not installed it fails in CI, and says so elsewhere. */
export function describeInstalled(name: string, needs: readonly string[], body: () => void): void {
  const missing = needs.filter((path) => !existsSync(resolve(here, path)));
  if (missing.length > 0)
    console.warn(`NOT INSTALLED: ${name}: ${missing.join(", ")}; see test/clients/install`);
  describe.skipIf(missing.length > 0 && !inContinuousIntegration)(name, () => {
    test("is installed", () => {
      expect(missing).toEqual([]);
    });
    body();
  });
}

/** Describes a client by a program in its own language that takes all its steps and prints what it saw. */
export function describeClient(name: string, client: ClientProgram): void {
  describeInstalled(name, client.needs, () => {
    let stage: Stage;
    let seen: ReadonlyMap<string, unknown>;
    beforeAll(async () => {
      stage = await startStage();
      seen = await run(client, stage);
    }, 2 * longest);
    afterAll(() => stage?.close());

    const expected: Readonly<Record<string, unknown>> = {
      ...Object.fromEntries(client.steps.map((step) => [step, expectedSteps[step]])),
      ...client.more,
    };
    test.each(Object.keys(expected))("%s", (step) => {
      expect(seen.get(step)).toEqual(expected[step]);
    });

    test("takes no step that is not looked at", () => {
      expect([...seen.keys()].toSorted()).toEqual(Object.keys(expected).toSorted());
    });

    test("meets no errors but those that it looks for", async () => {
      expect(unexpected(await stage.record())).toEqual([]);
    });

    test("has what it cancels cancelled at the database, and nothing else", async () => {
      const cancelled = (await stage.record()).filter((line) => line["sqlstate"] === "57014");
      expect(cancelled).toHaveLength("cancel" in expected ? 1 : 0);
    });

    test("leaves the rows of others as they were", async () => {
      const { rows } = await stage.database.query(
        `select count(*)::int as orders, count(*) filter (where tenant_id = 2)::int as others,
                count(*) filter (where tenant_id = 2 and note = 'changed')::int as changed,
                count(*) filter (where margin <> 7)::int as hidden from orders`,
      );
      expect(rows).toEqual([{ orders: 240, others: 120, changed: 0, hidden: 0 }]);
    });
  });
}

/** The last line for each step: `{"step": …, "saw": …}`, or `{"step": …, "failed": …}`. */
async function run(client: ClientProgram, stage: Stage): Promise<ReadonlyMap<string, unknown>> {
  const [program, ...words] = client.command;
  const output = await outputOf(program.startsWith(".") ? join(here, program) : program, words, {
    ...process.env,
    ...stage.environment,
    ...client.environment,
  });
  const lines = output.split("\n").filter((line) => line.startsWith('{"step"'));
  return new Map(
    lines.map((line) => {
      const { step, saw, failed } = JSON.parse(line) as { step: string; saw: unknown; failed?: string };
      return [step, failed === undefined ? saw : { failed }];
    }),
  );
}

/** What a program prints. @throws with what it said if it does not end with 0. */
export function outputOf(
  program: string,
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, {
      cwd: here,
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: longest,
      killSignal: "SIGKILL",
    });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const [said, complained] = [out, err].map((chunks) => Buffer.concat(chunks).toString());
      if (process.env["SHOW_CLIENTS"] !== undefined) process.stderr.write(`${said}${complained}`);
      if (code === 0) resolve(said!);
      else
        reject(
          new Error(`${program} ${words.join(" ")} ended with ${code ?? signal}:\n${said}${complained}`),
        );
    });
  });
}

/** What each step provokes: a table without a rule, a hidden column, a row of tenant 2, a cancelled sleep. */
const provoked: readonly { readonly sqlstate: string; readonly text: RegExp; readonly message?: RegExp }[] = [
  { sqlstate: "42501", text: /\btenants\b/i },
  { sqlstate: "42703", text: /\bssn\b/i },
  { sqlstate: "42501", text: /^\s*(insert into|copy) \S*orders\b/i, message: /check of rule/ },
  // Moving an order to another tenant.
  { sqlstate: "42501", text: /^update orders set +"tenant_id" = /i },
  // Locking rows that the role may not change.
  { sqlstate: "42501", text: /\bfrom "customers" .* for update$/i },
  { sqlstate: "57014", text: /\bpg_sleep\b/i },
  // What follows a refusal in a transaction that has not been rolled back.
  { sqlstate: "25P02", text: /^/ },
];

const key = (line: RecordLine) => `${String(line["session"])}/${String(line["id"])}`;

/** The record's statements that failed without being provoked: an ORM may well swallow them. */
function unexpected(record: readonly RecordLine[]): readonly unknown[] {
  const texts = new Map(record.filter(({ event }) => event === "statement").map((line) => [key(line), line]));
  const failed = [...texts.values()].flatMap((line) => {
    const completion = record.find((other) => other.event === "completion" && key(other) === key(line));
    const refusal = line["refusal"] as { sqlstate: string; message: string } | undefined;
    const error = completion?.["error"] as { message: string } | undefined;
    const sqlstate = refusal?.sqlstate ?? (completion?.["sqlstate"] as string | undefined);
    return sqlstate === undefined
      ? []
      : [{ sqlstate, message: refusal?.message ?? error?.message, sql: String(line["sql"]) }];
  });
  return failed.filter(
    ({ sqlstate, message, sql }) =>
      !provoked.some(
        (one) =>
          one.sqlstate === sqlstate && one.text.test(sql) && (one.message?.test(message ?? "") ?? true),
      ),
  );
}
