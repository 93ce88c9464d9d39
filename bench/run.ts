import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { readArguments, usage, type BenchOptions } from "./arguments.ts";
import { startDatabase } from "./database.ts";
import { pgbenchProgram, runLoad, type Load, type Run } from "./load.ts";
import { profileTable } from "./profile.ts";
import { summarise, tableHead, tableRows, type Cell } from "./report.ts";
import { startTargets } from "./start-targets.ts";
import type { Target } from "./target.ts";

const stopping = new AbortController();
// The first one ends the run and cleans up; a second one, while that hangs, just ends.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    stopping.abort();
    process.once(signal, () => process.exit(130));
  });
}

try {
  const options = readArguments(process.argv.slice(2));
  if (options === "help") process.stdout.write(usage);
  else if (options.what === "micro") await (await import("./micro.ts")).runMicro(options.json);
  else if (options.what === "stall")
    await (await import("./stall.ts")).runStall(options.seconds, options.json);
  else if (options.what === "stream") await (await import("./stream.ts")).runStream(options);
  else if (options.what === "idle") await (await import("./idle.ts")).runIdle(options);
  else if (options.what === "names")
    await (await import("./names.ts")).runNames(options.rounds, options.json);
  else if (options.what === "rewritten")
    await (await import("./rewritten.ts")).runRewritten(options.rounds, options.json);
  else {
    const began = await bench(options);
    // It is there once rolegate has ended.
    if (options.cpuProfile !== undefined) console.log(profileTable(options.cpuProfile, began));
  }
} catch (error) {
  if (!stopping.signal.aborted) console.error(error instanceof Error ? error.message : error);
  process.exitCode = stopping.signal.aborted ? 130 : 2;
}

/** Returns when the first run began, in microseconds of the monotonic clock. */
async function bench(options: BenchOptions): Promise<number> {
  await using cleanup = new AsyncDisposableStack();
  const scratch = mkdtempSync(join(tmpdir(), "rolegate-bench-log-"));
  cleanup.defer(() => rmSync(scratch, { recursive: true, force: true }));
  const database = await startDatabase();
  cleanup.use(database.server);
  const targets = await startTargets(options, database, cleanup);
  const pgbench = spawnSync(pgbenchProgram, ["--version"], { encoding: "utf8" }).stdout?.trim();

  const facts = {
    date: new Date().toISOString(),
    node: process.version,
    processor: `${availableParallelism()} × ${cpus()[0]?.model ?? "unknown"}`,
    postgres: database.version,
    load: pgbench ?? "node",
    seconds: options.seconds,
    rounds: options.rounds,
  };
  console.log(
    Object.entries(facts)
      .map(([name, value]) => `${name} ${value}`)
      .join(", "),
  );
  console.log(tableHead);
  const began = Number(process.hrtime.bigint() / 1000n);
  const cells: Cell[] = [];
  for (const mode of options.modes) {
    for (const clients of options.clients) {
      const generator = pgbench === undefined ? "node" : "pgbench";
      const load = {
        generator,
        mode,
        clients,
        seconds: options.seconds,
        scratch,
        signal: stopping.signal,
      } as const;
      const measured = await measure(targets, load, options.rounds);
      console.log(tableRows(measured));
      cells.push(...measured);
    }
  }
  if (options.json !== undefined)
    writeFileSync(options.json, JSON.stringify(document(facts, cells), undefined, 2));
  return began;
}

/** Runs the targets in turns, so that what else the machine does meets them all, each round beginning with another. */
async function measure(targets: readonly Target[], load: Load, rounds: number): Promise<Cell[]> {
  const runs = targets.map((): Run[] => []);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < targets.length; turn++) {
      const at = (round + turn) % targets.length;
      runs[at]!.push(await runLoad(targets[at]!, load));
    }
  }
  return targets.map(({ name }, at) => ({
    mode: load.mode,
    clients: load.clients,
    target: name,
    runs: runs[at]!,
  }));
}

function document(facts: object, cells: readonly Cell[]): object {
  const results = cells.map((cell) => {
    const { mode, clients } = cell;
    const pipe = cells.find(
      (other) => other.target === "pipe" && other.mode === mode && other.clients === clients,
    );
    return { ...cell, median: summarise(cell.runs, pipe?.runs) };
  });
  return { ...facts, results };
}
