import type { Cost } from "./micro.ts";
import { median } from "./statistics.ts";

// Many short samples: whoever else uses the machine falls into a few of them, and the median does not see it.
const samples = 401;
const sampleTime = 0.3; // ms: well above the clock's grain

/**
 * Times synchronous work, warm.
 * @param perCall how many statements one call stands for.
 */
export function cost(part: string, work: () => unknown, perCall = 1): Cost {
  for (const end = performance.now() + 100; performance.now() < end;) work();
  let calls = 1;
  while (timed(work, calls) < sampleTime) calls *= 2;
  const micros = Array.from({ length: samples }, () => (timed(work, calls) * 1000) / (calls * perCall));
  return { part, median: median(micros), least: Math.min(...micros) };
}

// Kept, or the compiler might find that nobody looks at what the work makes.
const kept: unknown[] = [undefined];

function timed(work: () => unknown, calls: number): number {
  const begin = performance.now();
  for (let call = 0; call < calls; call++) kept[0] = work();
  return performance.now() - begin;
}
