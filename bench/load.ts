import { readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Mode } from "./arguments.ts";
import { Child } from "./child.ts";
import { cpuMicros } from "./cpu.ts";
import { quantile } from "./statistics.ts";
import type { Target } from "./target.ts";

/** Taken from the PATH; where it is not, node-load.ts stands in. */
export const pgbenchProgram = "pgbench";

/** Connections open and code gets compiled in it; a run whose clients were not at work by its end is done again. */
const warmUps = [1, 2, 4]; // s
/** More than a run can last: its end is a signal. */
const timeLimit = 3_600; // s

/** One run of one target. */
export type Run = {
  /** Transactions a second. */
  readonly tps: number;
  /** Microseconds, as the client saw them. */
  readonly p50: number;
  readonly p99: number;
  /** The proxy's microseconds of CPU (user and system) per transaction. */
  readonly cpu: number | undefined;
};

export type Load = {
  readonly generator: "pgbench" | "node";
  readonly mode: Mode;
  readonly clients: number;
  readonly seconds: number;
  /** A directory for the transaction logs. */
  readonly scratch: string;
  readonly signal: AbortSignal;
};

/**
 * Runs `pgbench -S` and looks at a window in the middle of the run: the proxy's CPU is read at both ends of it and
 * the transactions that ended in it are counted in pgbench's log, so that logging in and warming up count nowhere.
 */
export async function runLoad(target: Target, load: Load): Promise<Run> {
  for (const warmUp of warmUps) {
    const run = await attempt(target, load, warmUp);
    if (run !== undefined) return run;
  }
  throw new Error(`${name(target, load)}: not all clients were connected after ${warmUps.at(-1)} s`);
}

function name(target: Target, { mode, clients }: Load): string {
  return `${target.name}, ${mode}, ${clients} clients`;
}

async function attempt(target: Target, load: Load, warmUp: number): Promise<Run | undefined> {
  const log = join(load.scratch, "log");
  await using child = startGenerator(target, load, log);
  await sleep(warmUp * 1000, undefined, { signal: load.signal });
  const begin = { at: Date.now(), cpu: cpuMicros(target.pid) };
  await sleep(load.seconds * 1000, undefined, { signal: load.signal });
  const end = { at: Date.now(), cpu: cpuMicros(target.pid) };
  // What its own timer would send: it finishes the transactions under way and flushes its log.
  child.process.kill("SIGALRM");
  await child.ended;
  // It had not even come to set its own timer.
  if (child.process.signalCode === "SIGALRM") return undefined;
  if (child.process.exitCode !== 0) throw new Error(`${name(target, load)}: ${child.errors}`);

  const { latencies, first } = readLog(log, begin.at, end.at);
  if (first > begin.at || latencies.length === 0) return undefined;
  const spent = begin.cpu === undefined || end.cpu === undefined ? undefined : end.cpu - begin.cpu;
  return {
    tps: (latencies.length * 1000) / (end.at - begin.at),
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    cpu: spent === undefined ? undefined : spent / latencies.length,
  };
}

function startGenerator(target: Target, load: Load, log: string): Child {
  const where = ["-h", "127.0.0.1", "-p", String(target.port), "-U", target.user];
  const what = ["-c", String(load.clients), "-M", load.mode, "-T", String(timeLimit), "--log-prefix", log];
  const env = { PATH: process.env["PATH"], LC_ALL: "C", PGPASSWORD: target.password, PGSSLMODE: "disable" };
  if (load.generator === "pgbench")
    return new Child(pgbenchProgram, ["-S", "-n", "-l", ...where, ...what, target.database], { env });
  const program = fileURLToPath(new URL("./node-load.ts", import.meta.url));
  return new Child(process.execPath, [program, ...where, ...what, target.database], { env });
}

/** The sorted latencies (µs) of the transactions that ended between two times, and when the first of all ended (ms since 1970). */
function readLog(prefix: string, from: number, to: number): { latencies: Float64Array; first: number } {
  const latencies: number[] = [];
  let first = Infinity;
  for (const name of readdirSync(dirname(prefix))) {
    if (!name.startsWith(`${basename(prefix)}.`)) continue;
    const file = join(dirname(prefix), name);
    // client_id transaction_no time script_no time_epoch time_us (pgbench, "Per-Transaction Logging")
    for (const line of readFileSync(file, "latin1").split("\n")) {
      const [, , latency, , seconds, micros] = line.split(" ");
      const at = Number(seconds) * 1000 + Number(micros) / 1000;
      if (at < first) first = at;
      if (at >= from && at < to) latencies.push(Number(latency));
    }
    rmSync(file);
  }
  return { latencies: Float64Array.from(latencies).toSorted(), first };
}
