import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A V8 CPU profile (Chrome DevTools Protocol, Profiler.Profile), as far as it is read here. */
type Profile = {
  readonly nodes: readonly {
    readonly id: number;
    readonly children?: readonly number[];
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  /** Microseconds of the system's monotonic clock, as process.hrtime. */
  readonly startTime: number;
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
};

const shown = 40;
const notWork = new Set(["(root)", "(idle)"]);

/**
 * Where the time of the newest profile in the directory went: functions by their own time, as a table; those of the
 * system with their caller, for both a socket's write and a file's are called writeBuffer.
 * @param from leaves out what was before; microseconds of process.hrtime.
 */
export function profileTable(directory: string, from: number): string {
  const newest = readdirSync(directory)
    .filter((name) => name.endsWith(".cpuprofile"))
    .toSorted()
    .at(-1);
  if (newest === undefined) return `no CPU profile in ${directory}`;
  const profile = JSON.parse(readFileSync(join(directory, newest), "utf8")) as Profile;
  const places = placesOf(profile);
  const micros = new Map<string, number>();
  let total = 0;
  let now = profile.startTime;
  for (const [at, node] of profile.samples.entries()) {
    now += profile.timeDeltas[at] ?? 0;
    const where = places.get(node)!;
    if (now < from || notWork.has(where)) continue;
    // A sample stands for the time until the next one.
    const time = profile.timeDeltas[at + 1] ?? 0;
    micros.set(where, (micros.get(where) ?? 0) + time);
    total += time;
  }
  const rows = [...micros].toSorted(([, one], [, other]) => other - one).slice(0, shown);
  const lines = rows.map(([where, time]) => `${((time / total) * 100).toFixed(1).padStart(6)} %  ${where}`);
  return [`${newest}: ${(total / 1e6).toFixed(2)} s of work, own time`, ...lines].join("\n");
}

function placesOf({ nodes }: Profile): Map<number, string> {
  const callers = new Map(
    nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.callFrame])),
  );
  return new Map(
    nodes.map(({ id, callFrame }) => {
      const caller = callers.get(id);
      const isOwn = callFrame.url !== "" || caller === undefined || caller.url === "";
      return [id, isOwn ? place(callFrame) : `${place(callFrame)} < ${place(caller)}`];
    }),
  );
}

function place({ functionName, url, lineNumber }: Profile["nodes"][number]["callFrame"]): string {
  const name = functionName === "" ? "(anonymous)" : functionName;
  if (url === "") return name;
  return `${name}  ${url.replace(/^file:.*\/(?=(src|node_modules)\/)/, "")}:${lineNumber + 1}`;
}
