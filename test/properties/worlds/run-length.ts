/** Seconds that a property over random worlds takes on each server; longer where somebody looks for holes. */
const seconds = process.env["WORLD_SECONDS"];

/** The first world's seed; each world has the next one. */
const first = Number(process.env["WORLD_SEED"] ?? Date.now() % 1_000_000);

/**
 * Runs worlds one after the other until the time is up; at least one.
 * @param usual seconds where WORLD_SECONDS says nothing.
 */
export async function runFor(world: (seed: number) => Promise<void>, usual = 3): Promise<void> {
  const until = Date.now() + Number(seconds ?? usual) * 1000;
  for (let seed = first; seed === first || Date.now() < until; seed += 1) await world(seed);
}

/** What is said beside the number of statements, with WORLD_VERBOSE. */
type Tally = {
  /** The statements that ended in an error, by its text. */
  readonly errors: ReadonlyMap<string, readonly string[]>;
  /** How often something differed as it is meant to, by the reason. */
  readonly meant: ReadonlyMap<string, number>;
};

/** Says what was run, so that a run can be told from one that did nothing, and repeated. */
export function report(
  what: string,
  { errors, meant }: Tally = { errors: new Map(), meant: new Map() },
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
