/** Seconds that a property over random worlds takes on each server; longer where somebody looks for holes. */
const seconds = Number(process.env["WORLD_SECONDS"] ?? 3);

/** The first world's seed; each world has the next one. */
const first = Number(process.env["WORLD_SEED"] ?? Date.now() % 1_000_000);

/** Runs worlds one after the other until the time is up; at least one. */
export async function runFor(world: (seed: number) => Promise<void>): Promise<void> {
  const until = Date.now() + seconds * 1000;
  for (let seed = first; seed === first || Date.now() < until; seed += 1) await world(seed);
}

/** Says what was run, and with WORLD_VERBOSE what differed as it is meant to and which errors came, with a statement each. */
export function report(
  what: string,
  {
    errors,
    meant,
  }: { readonly errors: ReadonlyMap<string, readonly string[]>; readonly meant: ReadonlyMap<string, number> },
): void {
  console.log(`${what} from WORLD_SEED=${first}`);
  if (process.env["WORLD_VERBOSE"] === undefined) return;
  for (const [why, times] of meant) console.log(`${times} × meant: ${why}`);
  for (const [error, texts] of [...errors]
    .toSorted((one, other) => other[1].length - one[1].length)
    .slice(0, 40))
    console.log(
      `${texts.length} × ${error}: ${texts.toSorted((one, other) => one.length - other.length)[0]}`,
    );
}
