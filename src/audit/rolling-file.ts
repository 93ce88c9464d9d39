import type { Logger } from "pino";
import { type AppendFile, openDayFile, WriteError } from "./day-file.ts";
import { utcDay } from "./timestamp.ts";

const newline = 0x0a;

/** One write takes this many bytes without an allocation; a turn's lines are seldom more. */
const slabBytes = 256 * 1024;

/** How often the file is looked for under its name. */
const lookMillis = 1000;

export type OpenFile = (directory: string, day: string) => AppendFile;

/** The record could not take all of a text. */
export class UnwrittenError extends Error {
  /** What is to be written again: from the start of the first line that is not wholly in the file. */
  readonly rest: string;

  constructor(rest: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "UnwrittenError";
    this.rest = rest;
  }
}

/** The file of the day: opened when it is first written to, and again after any error or disappearance. */
export class RollingFile {
  readonly #directory: string;
  readonly #log: Logger;
  readonly #open: OpenFile;
  readonly #slab = Buffer.allocUnsafeSlow(slabBytes);
  #file: AppendFile | undefined;
  #day = NaN;
  #lookAt = 0;

  constructor(directory: string, log: Logger, open: OpenFile = openDayFile) {
    this.#directory = directory;
    this.#log = log;
    this.#open = open;
  }

  /**
   * Appends whole lines to the file of the day that begins at `day` (milliseconds since the epoch). Returns the
   * number of bytes. Throws UnwrittenError; the file is closed then, and opened again by the next write.
   */
  write(text: string, day: number, now: number): number {
    // UTF-8 takes at most three bytes for a UTF-16 code unit.
    const fits = text.length * 3 <= slabBytes;
    const bytes = fits ? this.#slab : Buffer.from(text);
    const length = fits ? this.#slab.write(text) : bytes.length;
    try {
      this.#fileOf(day, now).write(bytes, length);
      return length;
    } catch (error) {
      this.close();
      const written = error instanceof WriteError ? error.written : 0;
      // A line that was written in part is written again, whole; opening the file again ends the torn one.
      const start = written === 0 ? 0 : bytes.lastIndexOf(newline, written - 1) + 1;
      throw new UnwrittenError(
        bytes.toString("utf8", start, length),
        error instanceof WriteError ? error.cause : error,
      );
    }
  }

  close(): void {
    const file = this.#file;
    this.#file = undefined;
    try {
      file?.close();
    } catch (error) {
      this.#log.warn({ err: error }, "the record's file could not be closed");
    }
  }

  #fileOf(day: number, now: number): AppendFile {
    if (day !== this.#day) this.close();
    if (this.#file && now >= this.#lookAt && !this.#file.stillThere()) {
      this.#log.warn(
        { directory: this.#directory },
        "the record's file was removed or renamed; a new one is begun",
      );
      this.close();
    }
    if (now >= this.#lookAt) this.#lookAt = now + lookMillis;
    this.#day = day;
    return (this.#file ??= this.#open(this.#directory, utcDay(day)));
  }
}
