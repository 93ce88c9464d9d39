import * as fc from "fast-check";

/**
 * A sequence of choices. What is generated from one is made of the smallest choices where its numbers are 0 or have run
 * out, so that fast-check, which makes lists shorter and numbers smaller, makes statements simpler.
 */
export type Choices = {
  /** 0 … below - 1. */
  int(below: number): number;
  /** The first option is the simplest. */
  pick<T>(options: readonly T[]): T;
  /** False is the simplest. */
  chance(percent: number): boolean;
  /** Between `least` and all of the options, in their order. */
  some<T>(options: readonly T[], least: number): T[];
};

export function choicesFrom(numbers: readonly number[]): Choices {
  let at = 0;
  const next = (): number => numbers[at++] ?? 0;
  const int = (below: number): number => next() % below;
  const chance = (percent: number): boolean => int(100) >= 100 - percent;
  return {
    int,
    chance,
    pick: (options) => options[int(options.length)]!,
    some: (options, least) => {
      const kept = options.filter(() => chance(60));
      for (const option of options) if (kept.length < least && !kept.includes(option)) kept.push(option);
      return options.filter((option) => kept.includes(option));
    },
  };
}

/** The numbers of one sequence; 720,720 divides by 1 to 16, so that no option is favoured. */
export const numbers = fc.array(fc.nat(720_719), { minLength: 40, maxLength: 500, size: "max" });

/** Numbers that follow from a seed, for what is made once and not shrunk. */
export function seededNumbers(seed: number, count: number): readonly number[] {
  const list = fc.array(fc.nat(720_719), { minLength: count, maxLength: count, size: "max" });
  return fc.sample(fc.noBias(list), { seed, numRuns: 1 })[0]!;
}
