import { setTimeout as wait } from "node:timers/promises";
import { type Filter, matches } from "./filter.ts";
import { type Entry, StatementJoin } from "./join.ts";
import { parseLine } from "./line.ts";
import { type Batch, recordedDays, RecordReader } from "./read-record.ts";

const pollMillis = 200;

/** An entry, or a line that holds none: torn by a full disk or a crash, or not rolegate's. */
export type Found = Entry | Torn;

type Torn = { readonly kind: "torn"; readonly day: string; readonly number: number };

/** Of the torn lines before the last entries. */
const mostTorn = 1000;

export type Search = {
  readonly directory: string;
  readonly filter: Filter;
  /** Only so many, the last ones; undefined: all. */
  readonly last?: number | undefined;
  /** Go on with what is added, until aborted; undefined: end with the record. */
  readonly follow?: AbortSignal | undefined;
};

/**
 * Finds in the record what the filter wants, statements in the order in which they completed, in groups of any
 * size. Memory does not grow with the record. Throws the system's error if the record cannot be read.
 */
export async function* search({ directory, filter, last, follow }: Search): AsyncGenerator<readonly Found[]> {
  const days = recordedDays(directory).filter((day) => day >= (filter.since?.slice(0, 10) ?? ""));
  let pass = new Pass(directory, days[0], filter);
  if (last === undefined) {
    yield* pass.read();
    if (!follow) yield pass.end();
  } else {
    // The last few are most often in the newest file; only if they are not is more of the record read.
    for (let count = 1; ; count *= 2) {
      pass = new Pass(directory, days.at(-count) ?? days[0], filter);
      const { entries, torn } = lastOf(pass, last, follow === undefined);
      if (entries.length < last && count < days.length) continue;
      yield [...torn, ...entries];
      break;
    }
  }
  for (;;) {
    if (!follow || follow.aborted) return;
    await wait(pollMillis, undefined, { signal: follow }).catch(() => {});
    yield* pass.read();
  }
}

/** One way through the record, from a day on. */
class Pass {
  readonly #reader: RecordReader;
  readonly #join: StatementJoin;
  readonly #lastDay: string;
  #daysBeyond = 1;

  constructor(directory: string, day: string | undefined, filter: Filter) {
    this.#reader = new RecordReader(directory, day);
    this.#join = new StatementJoin((line) => matches(filter, line));
    this.#lastDay = filter.until?.slice(0, 10) ?? "9999";
  }

  /** What was added since the last time. */
  *read(): Generator<readonly Found[]> {
    for (const batch of this.#reader.batches((day) => this.#isWanted(day))) yield this.#find(batch);
  }

  /** What there is no more to wait for. */
  end(): readonly Found[] {
    return [...[...this.#reader.end()].flatMap((batch) => this.#find(batch)), ...this.#join.rest()];
  }

  /** A statement that began before midnight may have completed after it. */
  #isWanted(day: string): boolean {
    return day <= this.#lastDay || (this.#join.open > 0 && this.#daysBeyond-- > 0);
  }

  #find({ day, lines }: Batch): Found[] {
    const found: Found[] = [];
    for (const { number, text } of lines) {
      const line = text === undefined ? undefined : parseLine(text);
      if (line) found.push(...this.#join.push(line));
      else found.push({ kind: "torn", day, number });
    }
    return found;
  }
}

/** The last entries of a pass; torn lines are not counted among them, and only so many are kept. */
function lastOf(pass: Pass, count: number, toTheEnd: boolean): { entries: Entry[]; torn: Torn[] } {
  let entries: Entry[] = [];
  let torn: Torn[] = [];
  const keep = (found: readonly Found[]): void => {
    entries = [...entries, ...found.filter((one) => one.kind !== "torn")].slice(-count);
    torn = [...torn, ...found.filter((one) => one.kind === "torn")].slice(-mostTorn);
  };
  for (const found of pass.read()) keep(found);
  if (toTheEnd) keep(pass.end());
  return { entries, torn };
}
