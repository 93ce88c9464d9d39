import type { Writable } from "node:stream";
import type { Command } from "commander";
import { visible } from "../audit/escape.ts";
import type { Filter } from "../audit/filter.ts";
import { entryAsJson, formatEntry } from "../audit/format.ts";
import { parseTime } from "../audit/parse-time.ts";
import { search } from "../audit/search.ts";
import { dayFileName } from "../audit/day-file.ts";
import { auditDirectory } from "./audit-directory.ts";

/** The options as the command line has them. */
export type AuditOptions = {
  readonly directory?: string;
  readonly config: string;
  readonly follow?: boolean;
  readonly lines?: string;
  readonly since?: string;
  readonly until?: string;
  readonly identity?: string;
  readonly role?: string;
  readonly relation?: string;
  readonly kind?: string;
  readonly verdict?: string;
  readonly session?: string;
  readonly grep?: string;
  readonly json?: boolean;
  readonly full?: boolean;
};

/** Where the command reads and writes. */
export type Surroundings = {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Columns of the terminal; undefined: not a terminal, nothing is cut. */
  readonly width: number | undefined;
  /** Ends `--follow`. */
  readonly signal: AbortSignal;
};

/** Torn lines beyond these are only counted. */
const mostTornShown = 10;

/** Adds `rolegate audit` to the program. */
export function registerAudit(program: Command): void {
  program
    .command("audit")
    .description("print the record: every statement with how it ended, logins and sessions")
    .option("-c, --config <file>", "configuration that names the record's directory", "rolegate.yaml")
    .option("-d, --directory <directory>", "the record's directory, in place of a configuration")
    .option("-f, --follow", "go on with what is added; begins with the last 10 unless told otherwise")
    .option("-n, --lines <count>", "only the last ones")
    .option("--since <time>", "from then on: 15m, 2h, 7d, 2026-01-31, 2026-01-31T12:00Z (UTC without a zone)")
    .option("--until <time>", "up to then")
    .option("--identity <name>", "by this person or service")
    .option("--role <role>", "in this role")
    .option("--relation <name>", "that touch this relation, with or without its schema")
    .option("--kind <kind>", "of this kind: SELECT, INSERT, … or an event such as 'login failed'")
    .option("--verdict <verdict>", "run or refuse")
    .option("--session <session>", "of this session")
    .option("--grep <pattern>", "whose SQL matches this regular expression")
    .option("--json", "one JSON object a line, in place of text")
    .option("--full", "do not cut lines to the terminal's width")
    .action(async (options: AuditOptions) => {
      const { stdout, stderr, env } = process;
      const width = stdout.isTTY ? stdout.columns : undefined;
      const { signal } = new AbortController();
      process.exitCode = await printRecord(options, { stdout, stderr, env, now: Date.now(), width, signal });
    });
}

/** Prints what the options ask for; the exit code: 0, or 2 if the options or the record could not be read. */
export async function printRecord(options: AuditOptions, surroundings: Surroundings): Promise<number> {
  const { stdout, stderr, env, signal } = surroundings;
  const width = options.full || options.json ? undefined : surroundings.width;
  const torn = tornLines(stderr);
  // The write's callback has the error; without a listener the stream would end the process with it.
  stdout.once("error", () => {});
  try {
    const directory = options.directory ?? auditDirectory(options.config, env);
    const follow = options.follow ? signal : undefined;
    const filter = readFilter(options, surroundings.now);
    for await (const group of search({ directory, filter, last: readCount(options), follow })) {
      let text = "";
      for (const found of group) {
        if (found.kind === "torn") torn.add(found.day, found.number);
        else text += (options.json ? entryAsJson(found) : formatEntry(found, width)) + "\n";
      }
      if (text !== "") await write(stdout, text);
    }
    torn.end();
    return 0;
  } catch (error) {
    // The reader of a pipe (`| head`) has seen enough.
    if (error instanceof Error && "code" in error && error.code === "EPIPE") return 0;
    stderr.write(`rolegate audit: ${visible(error instanceof Error ? error.message : String(error))}\n`);
    return 2;
  }
}

function write(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

function readFilter(options: AuditOptions, now: number): Filter {
  const { identity, role, relation, kind, verdict, session } = options;
  if (verdict !== undefined && verdict !== "run" && verdict !== "refuse") {
    throw new Error(`--verdict: found ${verdict}, expected run or refuse`);
  }
  const since = readTime("--since", options.since, now);
  const until = readTime("--until", options.until, now);
  return { since, until, identity, role, relation, kind, verdict, session, grep: readPattern(options.grep) };
}

function readTime(option: string, text: string | undefined, now: number): string | undefined {
  if (text === undefined) return undefined;
  const time = parseTime(text, now);
  if (time === undefined)
    throw new Error(`${option}: found ${text}, expected 15m, 2h, 7d, 2026-01-31 or a full time`);
  return time;
}

function readPattern(text: string | undefined): RegExp | undefined {
  if (text === undefined) return undefined;
  try {
    return new RegExp(text, "u");
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^.*: /su, "") : "";
    throw new Error(`--grep: found ${text}, expected a regular expression: ${reason}`, { cause: error });
  }
}

function readCount(options: AuditOptions): number | undefined {
  if (options.lines === undefined) return options.follow && options.since === undefined ? 10 : undefined;
  if (!/^[1-9]\d{0,6}$/.test(options.lines)) {
    throw new Error(`--lines: found ${options.lines}, expected a number from 1 to 9999999`);
  }
  return Number(options.lines);
}

/** Reports lines that hold no entry. */
function tornLines(stderr: Writable): { add(day: string, number: number): void; end(): void } {
  let count = 0;
  return {
    add(day, number) {
      count++;
      if (count <= mostTornShown) {
        stderr.write(
          `rolegate audit: ${dayFileName(day)}:${number}: skipped, not a whole line of the record\n`,
        );
      }
    },
    end() {
      if (count > mostTornShown) stderr.write(`rolegate audit: ${count} lines skipped in all\n`);
    },
  };
}
