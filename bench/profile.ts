import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A V8 CPU profile (Chrome DevTools Protocol, Profiler.Profile), as far as it is read here. */
type Profile = {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
};

const shown = 40;
const notWork = new Set(["(root)", "(idle)"]);

/** Where the CPU of the newest profile in the directory went: functions by their own time, as a table. */
export function profileTable(directory: string): string {
  const newest = readdirSync(directory)
    .filter((name) => name.endsWith(".cpuprofile"))
    .toSorted()
    .at(-1);
  if (newest === undefined) return `no CPU profile in ${directory}`;
  const profile = JSON.parse(readFileSync(join(directory, newest), "utf8")) as Profile;
  const places = new Map(profile.nodes.map(({ id, callFrame }) => [id, place(callFrame)]));
  const micros = new Map<string, number>();
  let total = 0;
  for (const [at, node] of profile.samples.entries()) {
    const where = places.get(node)!;
    if (notWork.has(where)) continue;
    // A sample stands for the time until the next one.
    const time = profile.timeDeltas[at + 1] ?? 0;
    micros.set(where, (micros.get(where) ?? 0) + time);
    total += time;
  }
  const rows = [...micros].toSorted(([, one], [, other]) => other - one).slice(0, shown);
  const lines = rows.map(([where, time]) => `${((time / total) * 100).toFixed(1).padStart(6)} %  ${where}`);
  return [`${newest}: ${(total / 1e6).toFixed(2)} s of work, own time`, ...lines].join("\n");
}

function place({ functionName, url, lineNumber }: Profile["nodes"][number]["callFrame"]): string {
  if (url === "") return functionName;
  const file = url.replace(/^file:.*\/(?=(src|node_modules)\/)/, "");
  return `${functionName === "" ? "(anonymous)" : functionName}  ${file}:${lineNumber + 1}`;
}
