import type { Logger } from "pino";
import { RolegateError } from "../errors.ts";
import { asJson } from "./escape.ts";
import { type OpenFile, RollingFile, UnwrittenError } from "./rolling-file.ts";
import { isoClock, startOfDay } from "./timestamp.ts";

/** Text that is written before the turn ends, so that no turn makes a string that cannot be held. */
const largestBatch = 8 * 1024 * 1024;

/** What is kept while nothing can be written; lines beyond it are counted and dropped. */
const largestBacklog = 4 * 1024 * 1024;

/**
 * A completion waits at most this long, in milliseconds, for the next statement's write, which then carries both. Long
 * enough that a busy session arms a timer 50 times a second and not once per statement.
 */
const laterMillis = 20;

const retryMillis = 250;

/** Counted by the journal, read by the metrics. */
export type JournalCounts = { lines: number; writes: number; bytes: number; failures: number; lost: number };

export type JournalOptions = {
  readonly directory: string;
  readonly log: Logger;
  /** Whole milliseconds since the epoch. */
  readonly now?: () => number;
  readonly counts?: JournalCounts;
  /** Opens a day's file; the default creates it in the directory. */
  readonly open?: OpenFile;
};

type Written = (error: Error | undefined) => void;

/**
 * Lines in, one write per turn of the event loop out. After a failed write the journal keeps what it could not
 * write, tries again by itself, and says so in the record itself once it can.
 */
export class Journal {
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #counts: JournalCounts;
  readonly #file: RollingFile;
  readonly #iso = isoClock();

  #day = NaN;
  #pending = "";
  /** Two lists in turn, so that a callback may wait for the next turn already; filled up to a count, never shortened. */
  #waiting: (Written | undefined)[] = [];
  #waitingCount = 0;
  #spare: (Written | undefined)[] = [];
  #turnEnding = false;
  #later: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #failure: Error | undefined;
  #failedSince = 0;
  #lost = 0;
  /** A line of this turn was dropped: its callbacks must hear of it even if writing works again by then. */
  #dropped: Error | undefined;
  #closed = false;

  /** Opens today's file and writes the first line, so that a record that cannot be written is known at start. */
  constructor({ directory, log, now, counts, open }: JournalOptions) {
    this.#log = log;
    this.#now = now ?? Date.now;
    this.#counts = counts ?? { lines: 0, writes: 0, bytes: 0, failures: 0, lost: 0 };
    this.#file = new RollingFile(directory, log, open);
    this.#add(`"event":"record opened","pid":${process.pid}}\n`);
    if (!this.#write()) {
      clearTimeout(this.#retry);
      throw this.#failure?.cause;
    }
  }

  /** The last write failed; statements must be refused until this is undefined again. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Adds a line to this turn's write. `rest`: the JSON after the time, with its closing brace and newline. */
  append(rest: string): void {
    this.#add(rest);
    this.#endTurnSoon();
  }

  /** Adds a line that may wait a moment for the next write. */
  appendLater(rest: string): void {
    this.#add(rest);
    this.#later ??= setTimeout(this.#endWait, laterMillis);
  }

  /** Calls back after this turn's write; with an error if any of the turn's lines is not in the file. */
  whenWritten(callback: Written): void {
    this.#waiting[this.#waitingCount++] = callback;
    this.#endTurnSoon();
  }

  /** Ends the turn at once, writes the last line and closes the file. Lines that come later are refused. */
  close(): void {
    if (this.#closed) return;
    this.#endTurn();
    this.#add(`"event":"record closed","pid":${process.pid}}\n`);
    if (!this.#write()) this.#log.error({ lost: this.#lost }, "the record was closed with lines unwritten");
    clearTimeout(this.#later);
    clearTimeout(this.#retry);
    this.#closed = true;
    this.#failure = unavailable(new Error("the record is closed"));
    this.#file.close();
  }

  #add(rest: string): void {
    if (this.#failure && (this.#closed || this.#pending.length > largestBacklog))
      return this.#drop(this.#failure);
    const now = this.#now();
    const day = startOfDay(now);
    if (day !== this.#day) this.#turnPage(day);
    this.#pending += '{"time":"' + this.#iso(now) + '",' + rest;
    this.#counts.lines++;
    if (this.#pending.length > largestBatch && !this.#failure) this.#write();
  }

  #drop(failure: Error): void {
    this.#lost++;
    this.#counts.lost++;
    this.#dropped = failure;
    this.#endTurnSoon();
  }

  /** The lines of the day that ends go into its own file. */
  #turnPage(day: number): void {
    if (!this.#failure) this.#write();
    this.#day = day;
  }

  #endTurnSoon(): void {
    if (this.#turnEnding) return;
    this.#turnEnding = true;
    setImmediate(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    this.#turnEnding = false;
    if (!this.#failure) this.#write();
    const error = this.#failure ?? this.#dropped;
    this.#dropped = undefined;
    const called = this.#waiting;
    const count = this.#waitingCount;
    this.#waiting = this.#spare;
    this.#waitingCount = 0;
    this.#spare = called;
    for (let index = 0; index < count; index++) {
      const callback = called[index]!;
      called[index] = undefined;
      try {
        callback(error);
      } catch (thrown) {
        this.#log.error({ err: thrown }, "a session failed after its record was written");
      }
    }
  };

  readonly #endWait = (): void => {
    this.#later = undefined;
    if (!this.#failure) this.#write();
  };

  /** Writes the lines that were kept, then one that tells of the gap. */
  readonly #tryAgain = (): void => {
    this.#retry = undefined;
    const { cause } = this.#failure ?? {};
    if (!this.#write()) return;
    const now = this.#now();
    const reason = asJson(cause instanceof Error ? cause.message : String(cause));
    this.#pending =
      `{"time":"${this.#iso(now)}","event":"record resumed","since":"${this.#iso(this.#failedSince)}",` +
      `"reason":${reason},"lost":${this.#lost}}\n`;
    if (!this.#write()) {
      this.#pending = "";
      return;
    }
    this.#log.info({ lost: this.#lost }, "the record is written again");
    this.#failure = undefined;
    this.#lost = 0;
  };

  /** Writes what is pending; false, with the failure noted and the rest kept, if that did not succeed. */
  #write(): boolean {
    const text = this.#pending;
    if (text === "") return true;
    this.#pending = "";
    try {
      this.#counts.bytes += this.#file.write(text, this.#day, this.#now());
      this.#counts.writes++;
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #fail(error: unknown): void {
    this.#pending = error instanceof UnwrittenError ? error.rest : "";
    const cause = error instanceof UnwrittenError ? error.cause : error;
    this.#counts.failures++;
    if (!this.#failure) {
      this.#failedSince = this.#now();
      this.#log.error({ err: cause }, "the record cannot be written");
    }
    this.#failure = unavailable(cause);
    this.#retry ??= setTimeout(this.#tryAgain, retryMillis).unref();
  }
}

function unavailable(cause: unknown): RolegateError {
  const error = new RolegateError({
    code: "audit_unavailable",
    message: "the statement cannot be put on record, so it does not run",
    hint: "Whoever operates rolegate finds the reason in its log.",
  });
  error.cause = cause;
  return error;
}
