import type { Mode } from "./arguments.ts";
import type { Run } from "./load.ts";
import { median, spread } from "./statistics.ts";
import type { TargetName } from "./target.ts";

/** The rounds of one target with one mode and number of clients. */
export type Cell = {
  readonly mode: Mode;
  readonly clients: number;
  readonly target: TargetName;
  readonly runs: readonly Run[];
};

export type Summary = Run & {
  readonly tpsSpread: number;
  /** The round that cost least: on a shared machine others' work only ever adds to what the kernel counts as ours. */
  readonly leastCpu: number | undefined;
  /** Against the pipe's: the median of each round's ratio, and the ratio of the leasts. */
  readonly cpuToPipe: number | undefined;
  readonly leastCpuToPipe: number | undefined;
};

/** @param pipe the pipe's rounds with the same mode and number of clients. */
export function summarise(runs: readonly Run[], pipe: readonly Run[] = []): Summary {
  const ratios = runs.map(({ cpu }, round) => ratio(cpu, pipe[round]?.cpu));
  return {
    tps: median(runs.map((run) => run.tps)),
    p50: median(runs.map((run) => run.p50)),
    p99: median(runs.map((run) => run.p99)),
    cpu: known(
      runs.map(({ cpu }) => cpu),
      median,
    ),
    tpsSpread: spread(runs.map((run) => run.tps)),
    leastCpu: leastCpu(runs),
    cpuToPipe: known(ratios, median),
    leastCpuToPipe: ratio(leastCpu(runs), leastCpu(pipe)),
  };
}

function leastCpu(runs: readonly Run[]): number | undefined {
  return known(
    runs.map(({ cpu }) => cpu),
    (values) => Math.min(...values),
  );
}

function ratio(cpu: number | undefined, base: number | undefined): number | undefined {
  return cpu === undefined || base === undefined ? undefined : cpu / base;
}

/** Of the values that are there; undefined where none is. */
function known(
  values: readonly (number | undefined)[],
  statistic: (values: readonly number[]) => number,
): number | undefined {
  const there = values.filter((value) => value !== undefined);
  return there.length === 0 ? undefined : statistic(there);
}

const columns = [
  ["mode", 9],
  ["clients", 8],
  ["target", 14],
  ["tps", 9],
  ["± %", 6],
  ["p50 µs", 8],
  ["p99 µs", 8],
  ["CPU µs/tx", 10],
  ["× pipe", 7],
  ["least", 7],
  ["× pipe", 7],
] as const;

export const tableHead = line(columns.map(([name]) => name));

/** The rows of the table for one mode and number of clients. */
export function tableRows(cells: readonly Cell[]): string {
  const pipe = cells.find((cell) => cell.target === "pipe")?.runs;
  const rows = cells.map(({ mode, clients, target, runs }) => {
    const { tps, tpsSpread, p50, p99, cpu, cpuToPipe, leastCpu, leastCpuToPipe } = summarise(runs, pipe);
    return line([
      mode,
      String(clients),
      target,
      tps.toFixed(0),
      (tpsSpread * 100).toFixed(0),
      p50.toFixed(0),
      p99.toFixed(0),
      cpu?.toFixed(1) ?? (target === "direct" ? "-" : "n/a"),
      cpuToPipe?.toFixed(2) ?? "-",
      leastCpu?.toFixed(1) ?? "-",
      leastCpuToPipe?.toFixed(2) ?? "-",
    ]);
  });
  return rows.join("\n");
}

function line(values: readonly string[]): string {
  const cells = columns.map(([, width], at) => {
    const value = values[at] ?? "";
    return at === 0 || at === 2 ? ` ${value}`.padEnd(width) : value.padStart(width);
  });
  return cells.join(" ");
}
