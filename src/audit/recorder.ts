import type {
  Completion,
  DatabaseMessage,
  DecisionFacts,
  FailedLogin,
  RequestFacts,
  RequestStep,
  RevocationFacts,
  SessionFacts,
} from "./entry.ts";
import { asJson } from "./escape.ts";
import { Journal, type JournalOptions } from "./journal.ts";
import { isWritableByOthers } from "./day-file.ts";
import {
  serialiseCredential,
  serialiseFailedLogin,
  serialiseMessage,
  serialiseRequest,
  serialiseRevocation,
  serialiseSession,
} from "./serialise.ts";

export { serialiseFacts, serialiseStatement, serialiseTexts } from "./serialise.ts";

/**
 * The record of everything that happens: append-only JSON lines in `<directory>/YYYY-MM-DD.jsonl` (UTC).
 * No record, no query: a statement is begun, and forwarded only after `whenWritten` has called back without an
 * error. docs/audit.md describes every line.
 */
export class Recorder {
  readonly #journal: Journal;

  private constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Opens the record. Throws the system's error if it cannot be written: rolegate must not start then. */
  static open(options: JournalOptions): Recorder {
    const { directory, log } = options;
    const recorder = new Recorder(new Journal(options));
    if (isWritableByOthers(directory)) {
      log.warn(
        { directory },
        "others may write to the record's directory, so they can remove what is on record",
      );
    }
    return recorder;
  }

  /** Appends the session's first line. */
  openSession(facts: SessionFacts): SessionRecord {
    return new SessionRecord(this.#journal, facts);
  }

  /** Appends the line of a login that was refused. */
  loginFailed(facts: FailedLogin): void {
    this.#journal.append(`"event":"login failed",${serialiseFailedLogin(facts)}}\n`);
  }

  /** Appends what this instance has learned of a request for a role. */
  request(step: RequestStep, facts: RequestFacts, decision: DecisionFacts | undefined): void {
    this.#journal.append(`"event":"request ${step}",${serialiseRequest(facts, decision)}}\n`);
  }

  /** Appends that this instance has learned of a revocation, or that one was lifted. */
  revocation(event: "revocation" | "revocation lifted", facts: RevocationFacts): void {
    this.#journal.append(`"event":"${event}",${serialiseRevocation(facts)}}\n`);
  }

  /** Appends that the store is away: what is revoked from here on is not known. */
  storeLost(whenDown: "refuse" | "continue"): void {
    this.#journal.append(`"event":"store lost","whenDown":${asJson(whenDown)}}\n`);
  }

  /** Appends that it is back. */
  storeFound(seconds: number): void {
    this.#journal.append(`"event":"store found","seconds":${seconds}}\n`);
  }

  /**
   * Calls back after this turn's one write (in the check phase of the event loop, never within this call), in the
   * order of asking, with an error if any line of the turn is not on record: nothing of it may be forwarded then.
   */
  whenWritten(callback: (error: Error | undefined) => void): void {
    this.#journal.whenWritten(callback);
  }

  /**
   * The last write failed: statements must be refused. A RolegateError whose `cause` is the system's error; the
   * recorder keeps trying, and this is undefined again after a write has succeeded.
   */
  get failure(): Error | undefined {
    return this.#journal.failure;
  }

  /** Writes what is left and closes the file. */
  async close(): Promise<void> {
    this.#journal.close();
  }
}

/** The record of one session. */
export class SessionRecord {
  readonly #journal: Journal;
  readonly #key: string;
  #facts: SessionFacts;
  #beforeNumber: string;
  #statements = 0;
  #ended = false;

  constructor(journal: Journal, facts: SessionFacts) {
    this.#journal = journal;
    this.#key = `"session":${asJson(facts.session)}`;
    this.#facts = facts;
    this.#beforeNumber = beforeNumber(facts);
    journal.append(
      `"event":"session start",${serialiseSession(facts)},"role":${asJson(facts.role)},` +
        `"method":${asJson(facts.method)}${serialiseCredential(facts)},"tls":${facts.tls}}\n`,
    );
  }

  /**
   * Appends a statement's first line; `fragment` is serialiseStatement's. Returns the statement's number within
   * the session, for `complete`. Forward nothing before `whenWritten` has called back.
   */
  begin(fragment: string): number {
    const id = ++this.#statements;
    this.#journal.append(this.#beforeNumber + id + "," + fragment + "}\n");
    return id;
  }

  /** Appends how the statement ended; written within a millisecond or with the next statement. */
  complete(id: number, completion: Completion): void {
    const { rows, micros, sqlstate, skipped, error, withheld, notices } = completion;
    this.#journal.appendLater(
      '"event":"completion",' +
        this.#key +
        ',"id":' +
        id +
        (rows === undefined ? "" : ',"rows":' + rows) +
        ',"micros":' +
        Math.round(micros) +
        (sqlstate === undefined ? "" : ',"sqlstate":' + asJson(sqlstate)) +
        (error === undefined ? "" : ',"error":' + serialiseMessage(error)) +
        (withheld === true ? ',"withheld":true' : "") +
        (notices === undefined ? "" : ',"notices":[' + notices.map(serialiseMessage).join(",") + "]") +
        (skipped ? ',"skipped":true}\n' : "}\n"),
    );
  }

  /** Appends that the session takes a role that a request gives. */
  useRequest(role: string, request: number): void {
    this.#journal.append(
      `"event":"request used",${serialiseSession(this.#facts)},"role":${asJson(role)},"request":${request}}\n`,
    );
  }

  /** Appends that what had succeeded so far was undone at the end of a transaction that nobody ended by a statement. */
  commitFailed(sqlstate: string, error: DatabaseMessage): void {
    this.#journal.append(
      `"event":"commit failed",${serialiseSession(this.#facts)},"sqlstate":${asJson(sqlstate)},` +
        `"error":${serialiseMessage(error)}}\n`,
    );
  }

  /** The client changed its application_name; later statements carry the new one. */
  renameApplication(applicationName: string): void {
    this.#facts = { ...this.#facts, applicationName };
    this.#beforeNumber = beforeNumber(this.#facts);
  }

  /** Appends the session's last line; `reason` says who ended it and why. Once: later calls do nothing. */
  end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#journal.append(
      `"event":"session end",${serialiseSession(this.#facts)},"reason":${asJson(reason)},` +
        `"statements":${this.#statements}}\n`,
    );
  }
}

function beforeNumber(facts: SessionFacts): string {
  return `"event":"statement",${serialiseSession(facts)},"id":`;
}
