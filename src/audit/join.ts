import type { CompletionLine, RecordLine, StatementLine } from "./line.ts";

/**
 * Statements that may be open at once. A running proxy has a few for each session; the rest are those of killed
 * ones, which no line will ever complete.
 */
const mostOpen = 50_000;

/** Their SQL, in UTF-16 code units. */
const mostOpenText = 64 * 1024 * 1024;

/** What is shown of the record: a statement with how it ended, or an event of its own. */
export type Entry =
  | {
      readonly kind: "statement";
      readonly line: StatementLine;
      readonly completion: CompletionLine | undefined;
    }
  | { readonly kind: "event"; readonly line: RecordLine };

/**
 * Makes one entry of a statement's two lines, in the order in which statements complete; a refused one has no second
 * line and is complete at once. Holds only the statements that are open, so that a record of any size can be read.
 */
export class StatementJoin {
  readonly #wanted: (line: RecordLine) => boolean;
  readonly #most: number;
  /** By session, by number; both in the order of the record. */
  readonly #open = new Map<string, Map<number, StatementLine>>();
  #count = 0;
  #text = 0;

  /** `wanted` is asked of every line but completions, which follow their statement. */
  constructor(wanted: (line: RecordLine) => boolean, most: number = mostOpen) {
    this.#wanted = wanted;
    this.#most = most;
  }

  /** How many statements wait for their completion. */
  get open(): number {
    return this.#count;
  }

  /** The entries that this line completes. */
  push(line: RecordLine): Entry[] {
    if (line.event === "completion") return this.#complete(line);
    const unfinished = line.event === "session end" ? this.#release(line.session) : [];
    if (!this.#wanted(line)) return unfinished;
    if (line.event !== "statement") return [...unfinished, { kind: "event", line }];
    if (line.refused) return [{ kind: "statement", line, completion: undefined }];
    this.#hold(line);
    return this.#overflow();
  }

  /** The statements that no line completed. */
  rest(): Entry[] {
    return [...this.#open.keys()].flatMap((session) => this.#release(session));
  }

  #hold(line: StatementLine): void {
    let session = this.#open.get(line.session);
    if (!session) this.#open.set(line.session, (session = new Map()));
    // A number twice was not written by rolegate; the first is dropped, so that the count stays true.
    if (session.has(line.id)) this.#take(line.session, line.id);
    this.#open.set(line.session, session.set(line.id, line));
    this.#count++;
    this.#text += line.sql.length;
  }

  #complete(completion: CompletionLine): Entry[] {
    const line = this.#take(completion.session, completion.id);
    return line ? [{ kind: "statement", line, completion }] : [];
  }

  #take(session: string, id: number): StatementLine | undefined {
    const statements = this.#open.get(session);
    const line = statements?.get(id);
    if (!statements || !line) return undefined;
    statements.delete(id);
    if (statements.size === 0) this.#open.delete(session);
    this.#count--;
    this.#text -= line.sql.length;
    return line;
  }

  #release(session: string): Entry[] {
    const lines = [...(this.#open.get(session)?.values() ?? [])];
    for (const line of lines) this.#take(session, line.id);
    return lines.map((line) => ({ kind: "statement", line, completion: undefined }));
  }

  /** The sessions that began first are the likeliest to be gone. */
  #overflow(): Entry[] {
    const entries: Entry[] = [];
    while (this.#count > this.#most || this.#text > mostOpenText) {
      const [session] = this.#open.keys();
      if (session === undefined) break;
      entries.push(...this.#release(session));
    }
    return entries;
  }
}
