import { writeFileSync } from "node:fs";
import type { BenchOptions } from "./arguments.ts";
import { cpuMicros, residentMegabytes } from "./cpu.ts";
import { startDatabase } from "./database.ts";
import { connectRaw } from "./raw-client.ts";
import { startTargets } from "./start-targets.ts";
import { median } from "./statistics.ts";

/** One gigabyte, in rows of about one kilobyte and in rows of about a hundred bytes. */
const queries = [
  { name: "1 GB in rows of 1 kB", sql: "SELECT repeat('x', 1000) FROM generate_series(1, 1000000)" },
  { name: "1 GB in rows of 100 bytes", sql: "SELECT repeat('x', 100) FROM generate_series(1, 9000000)" },
] as const;

type Taken = { readonly megabytesPerSecond: number; readonly cpu: number | undefined };

/** How fast a large result comes through each target, the targets in turns, and what the process between needs for it. */
export async function runStream(options: BenchOptions): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const database = await startDatabase();
  cleanup.use(database.server);
  const targets = await startTargets(options, database, cleanup);
  const results: object[] = [];
  console.log(`${"result".padEnd(28)}${"target".padEnd(16)}     MB/s   × pipe  CPU s/GB   RSS MB`);
  for (const { name, sql } of queries) {
    const taken = new Map<string, Taken[]>(targets.map((target) => [target.name, []]));
    for (let round = 0; round < options.rounds; round++)
      for (const target of targets) {
        const client = await connectRaw(target);
        const cpu = cpuMicros(target.pid);
        const begun = performance.now();
        const bytes = await client.answer(sql);
        const seconds = (performance.now() - begun) / 1000;
        client.close();
        const used = cpuMicros(target.pid);
        taken.get(target.name)!.push({
          megabytesPerSecond: bytes / 1e6 / seconds,
          cpu: cpu === undefined || used === undefined ? undefined : (used - cpu) / 1e6 / (bytes / 1e9),
        });
      }
    const speed = (of: string) =>
      median((taken.get(of) ?? []).map(({ megabytesPerSecond }) => megabytesPerSecond));
    for (const target of targets) {
      const cpu = median(taken.get(target.name)!.flatMap((one) => one.cpu ?? []));
      const result = {
        query: name,
        target: target.name,
        megabytesPerSecond: speed(target.name),
        timesPipe: speed(target.name) / speed("pipe"),
        cpuSecondsPerGigabyte: cpu,
        residentMegabytes: residentMegabytes(target.pid),
      };
      results.push(result);
      console.log(
        name.padEnd(28) +
          target.name.padEnd(16) +
          result.megabytesPerSecond.toFixed(0).padStart(9) +
          result.timesPipe.toFixed(2).padStart(9) +
          (Number.isNaN(cpu) ? "-" : cpu.toFixed(2)).padStart(10) +
          String(result.residentMegabytes ?? "-").padStart(9),
      );
    }
  }
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(results, undefined, 2));
}
