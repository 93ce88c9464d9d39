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
  /** CPU per transaction against the pipe's in the same round: the median of the rounds. */
  readonly cpuToPipe: number | undefined;
};

/** @param pipe the pipe's rounds with the same mode and number of clients. */
export function summarise(runs: readonly Run[], pipe: readonly Run[] | undefined): Summary {
  const cpu = runs.flatMap((run) => run.cpu ?? []);
  const ratios = runs.flatMap((run, round) => {
    const base = pipe?.[round]?.cpu;
    return run.cpu === undefined || base === undefined ? [] : [run.cpu / base];
  });
  return {
    tps: median(runs.map((run) => run.tps)),
    p50: median(runs.map((run) => run.p50)),
    p99: median(runs.map((run) => run.p99)),
    cpu: cpu.length === 0 ? undefined : median(cpu),
    tpsSpread: spread(runs.map((run) => run.tps)),
    cpuToPipe: ratios.length === 0 ? undefined : median(ratios),
  };
}

const columns = [
  ["mode", 9],
  ["clients", 8],
  ["target", 14],
  ["tps", 9],
  ["± %", 6],
  ["p50 µs", 8],
  ["p99 µs", 8],
  ["CPU µs/tx", 11],
  ["× pipe", 8],
] as const;

export const tableHead = line(columns.map(([name]) => name));

/** The rows of the table for one mode and number of clients. */
export function tableRows(cells: readonly Cell[]): string {
  const pipe = cells.find((cell) => cell.target === "pipe")?.runs;
  const rows = cells.map(({ mode, clients, target, runs }) => {
    const { tps, tpsSpread, p50, p99, cpu, cpuToPipe } = summarise(runs, pipe);
    return line([
      mode,
      String(clients),
      target,
      tps.toFixed(0),
      (tpsSpread * 100).toFixed(0),
      p50.toFixed(0),
      p99.toFixed(0),
      target === "direct" ? "-" : (cpu?.toFixed(1) ?? "n/a"),
      cpuToPipe?.toFixed(2) ?? "-",
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
