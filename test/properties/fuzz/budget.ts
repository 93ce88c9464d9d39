/** Seconds for each test that sends hostile bytes; longer where somebody looks for holes. */
const seconds = process.env["FUZZ_SECONDS"];

/** For the test around it, in milliseconds. */
export const fuzzTimeout = 60_000 + 2_000 * Number(seconds ?? 0);

/** The first round's seed; each round has the next one. */
const first = Number(process.env["FUZZ_SEED"] ?? Date.now() % 1_000_000);

/**
 * Plays rounds one after the other until the time is up; at least one. Says how many inputs there were, and which seed
 * plays them again; a round that fails says its own.
 * @param round plays what the seed says, and returns how many inputs that was
 * @param usual seconds where FUZZ_SECONDS says nothing
 * @returns all inputs
 */
export async function fuzz(
  what: string,
  round: (seed: number) => number | Promise<number>,
  usual = 2,
): Promise<number> {
  const until = Date.now() + Number(seconds ?? usual) * 1000;
  let inputs = 0;
  for (let seed = first; seed === first || Date.now() < until; seed++) {
    try {
      inputs += await round(seed);
    } catch (error) {
      throw new Error(`${what} with FUZZ_SEED=${seed}`, { cause: error });
    }
  }
  console.log(`${what}: ${inputs} inputs from FUZZ_SEED=${first}`);
  return inputs;
}
