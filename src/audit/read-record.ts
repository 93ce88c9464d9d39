import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { dayFileName } from "./day-file.ts";
import { type Line, LineSplitter } from "./split-lines.ts";

const chunkBytes = 128 * 1024;

const dayFile = /^(\d{4}-\d\d-\d\d)\.jsonl$/;

/** The days that have a file, oldest first. Throws the system's error if the directory cannot be read. */
export function recordedDays(directory: string): string[] {
  return readdirSync(directory)
    .flatMap((name) => dayFile.exec(name)?.[1] ?? [])
    .toSorted();
}

/** Lines of one file, in order. */
export type Batch = { readonly day: string; readonly lines: readonly Line[] };

/**
 * Reads the record from one day on, each byte once: `batches` may be asked again later, and then goes on with
 * what was added since, in the files of later days too.
 */
export class RecordReader {
  readonly #directory: string;
  readonly #chunk = Buffer.allocUnsafe(chunkBytes);
  #day: string | undefined;
  #offset = 0;
  #splitter = new LineSplitter();

  /** `day`: where to start; undefined: with the first day that there is. */
  constructor(directory: string, day: string | undefined) {
    this.#directory = directory;
    this.#day = day;
  }

  /** What is there and was not read yet. `more` is asked before each further file. */
  *batches(more: (day: string) => boolean = () => true): Generator<Batch> {
    for (;;) {
      // The days are listed before the file is read to its end: once a later file exists, this one is complete.
      const days = recordedDays(this.#directory);
      const current = this.#day;
      if (current !== undefined && days.includes(current)) yield* this.#readOn(current);
      const next = days.find((day) => current === undefined || day > current);
      if (next === undefined || !more(next)) return;
      yield* this.end();
      this.#day = next;
      this.#offset = 0;
      this.#splitter = new LineSplitter();
    }
  }

  /** The last line if it has no end: one that was torn, or that is being written. */
  *end(): Generator<Batch> {
    const line = this.#splitter.end();
    if (line && this.#day !== undefined) yield { day: this.#day, lines: [line] };
  }

  *#readOn(day: string): Generator<Batch> {
    const fd = openSync(join(this.#directory, dayFileName(day)), "r");
    try {
      for (;;) {
        const bytes = readSync(fd, this.#chunk, 0, chunkBytes, this.#offset);
        if (bytes === 0) return;
        this.#offset += bytes;
        const lines = this.#splitter.push(this.#chunk.subarray(0, bytes));
        if (lines.length > 0) yield { day, lines };
      }
    } finally {
      closeSync(fd);
    }
  }
}
