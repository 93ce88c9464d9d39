import type { AccessConnection } from "../../access/condition.ts";
import type { Recorder, SessionRecord } from "../../audit/recorder.ts";
import { problemOf, sqlstate, type Problem } from "../../errors.ts";
import type { Identity } from "../../identity/identity.ts";
import type { Logger } from "../../log.ts";
import type { Channel, ChannelEvents } from "../../net/channel.ts";
import { errorResponse } from "../../wire/error-fields.ts";
import { FrameReader, Step } from "../../wire/frames.ts";
import type { LiveSession } from "../live-sessions.ts";
import { answer, kindOf, type Answer, type Asking } from "./answer.ts";
import type { Command } from "./command.ts";
import { Conversation, ownTable } from "./conversation.ts";
import { serialiseCommand } from "./on-record.ts";

/** The most that a timer holds, in milliseconds. */
const longestTimer = 0x7fffffff;

/** Whoever has logged in may be here, with a role or without: a connection that says nothing is not kept. */
const longestSilence = 10 * 60_000;

const silent: Problem = {
  code: "session_ended",
  message: "terminating connection due to idle-session timeout",
};

const expired: Problem = {
  code: "session_ended",
  message: "the token that opened the session has expired",
};

export type OwnSessionBasis = {
  readonly id: string;
  readonly identity: Identity;
  readonly connection: AccessConnection;
  readonly client: string;
  readonly record: SessionRecord;
  readonly recorder: Recorder;
  readonly log: Logger;
  readonly requests: Asking;
};

/**
 * Somebody who talks to rolegate itself: one message after the other, each on record before anything is done. No database
 * is behind it and no role comes with it.
 */
export class OwnSession implements ChannelEvents, LiveSession {
  readonly id: string;
  readonly identity: Identity;
  readonly connection: AccessConnection;
  readonly client: string;
  readonly begun = Date.now();
  readonly role = "";
  readonly nextRole = undefined;
  readonly #basis: OwnSessionBasis;
  readonly #channel: Channel;
  readonly #ended: (reason: string) => void;
  readonly #reader = new FrameReader(ownTable);
  readonly #conversation: Conversation;
  /** Chunks that came while something was done; the client is paused meanwhile. */
  readonly #ahead: Buffer[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #silence: NodeJS.Timeout;
  #busy = false;
  #drained: (() => void) | undefined;
  /** Why the session ends when what is under way is done. */
  #ending: Problem | undefined;
  #over = false;

  constructor(basis: OwnSessionBasis, channel: Channel, ended: (reason: string) => void) {
    const { id, identity, connection, client } = basis;
    this.id = id;
    this.identity = identity;
    this.connection = connection;
    this.client = client;
    this.#basis = basis;
    this.#channel = channel;
    this.#ended = ended;
    this.#conversation = new Conversation({
      run: (command, text) => this.#run(command, text),
      refused: async (problem, text) => void (await this.#record(undefined, text, problem)),
    });
    this.#silence = setTimeout(() => this.end(silent), longestSilence).unref();
    if (identity.expiresAt !== undefined) this.#endAt(identity.expiresAt);
  }

  get state(): "active" | "idle" {
    return this.#busy ? "active" : "idle";
  }

  onData(chunk: Buffer): boolean {
    if (this.#over) return false;
    // A copy, for the buffer may be read into again while we wait; commands have few bytes.
    this.#ahead.push(Buffer.from(chunk));
    this.#silence.refresh();
    if (!this.#busy) void this.#read();
    return false;
  }

  onDrain(): void {
    this.#drained?.();
  }

  onClose(error: Error | undefined): void {
    const reason = error === undefined ? "closed the connection" : `connection failed: ${error.message}`;
    this.#finish(`client ${reason}`);
  }

  endWhenIdle(problem: Problem, grace?: number): void {
    this.endAfterStatement(problem, grace);
  }

  endAfterStatement(problem: Problem, grace = 10_000, reason = problem.message): void {
    if (this.#over || (this.#ending !== undefined && grace > 0)) return;
    this.#ending = problem;
    if (!this.#busy || grace === 0) this.end(problem, reason);
    else this.#timers.push(setTimeout(() => this.end(problem, reason), grace).unref());
  }

  /** Tells the client why and ends the session now. */
  end(problem: Problem, reason = problem.message): void {
    if (this.#over) return;
    this.#channel.end(errorResponse(problem, "FATAL"));
    this.#finish(reason);
  }

  async #read(): Promise<void> {
    this.#busy = true;
    this.#channel.pause();
    try {
      for (let chunk = this.#ahead.shift(); chunk !== undefined; chunk = this.#ahead.shift()) {
        this.#reader.feed(chunk);
        while (!this.#over && this.#reader.next() === Step.frame) {
          const { type, buffer, start, end } = this.#reader;
          const reply = await this.#conversation.take(type, buffer.subarray(start, end));
          if (reply === undefined) return this.#leave();
          await this.#say(reply);
          if (this.#ending !== undefined) return this.end(this.#ending);
        }
        if (this.#over) return;
      }
      this.#busy = false;
      this.#channel.resume();
    } catch (error) {
      const problem = problemOf(error);
      if (problem.code === "internal") this.#basis.log.error({ err: error }, "a session failed");
      this.end(problem);
    }
  }

  /** Resolves when the client has taken enough of it for more. */
  async #say(reply: Buffer): Promise<void> {
    if (this.#over || reply.length === 0 || this.#channel.write(reply)) return;
    await new Promise<void>((resolve) => (this.#drained = resolve));
    this.#drained = undefined;
  }

  /** On record first, then acted on. */
  async #run(command: Command, text: string): Promise<Answer | Problem> {
    const number = await this.#record(command, text, undefined);
    const started = performance.now();
    const { record, requests } = this.#basis;
    const took = (): number => (performance.now() - started) * 1000;
    try {
      const given = await answer(command, this, requests);
      record.complete(number, {
        rows: given.rows.length,
        micros: took(),
        sqlstate: undefined,
        skipped: false,
      });
      return given;
    } catch (error) {
      const problem = problemOf(error);
      if (problem.code === "internal" || problem.code === "store_unavailable")
        this.#basis.log.error({ err: error }, "a command could not be done");
      const { message } = problem;
      record.complete(number, {
        rows: undefined,
        micros: took(),
        sqlstate: sqlstate(problem),
        skipped: false,
        error: { message },
      });
      return problem;
    }
  }

  /** @throws RolegateError audit_unavailable, which ends the session: without a record nothing is done */
  #record(command: Command | undefined, text: string, problem: Problem | undefined): Promise<number> {
    const { record, recorder } = this.#basis;
    return new Promise((resolve, reject) => {
      if (recorder.failure !== undefined) return reject(recorder.failure);
      const kind = command === undefined ? "unknown" : kindOf(command);
      const number = record.begin(serialiseCommand(kind, text, problem));
      recorder.whenWritten((error) => {
        if (error === undefined) resolve(number);
        else reject(error);
      });
      return undefined;
    });
  }

  #leave(): void {
    if (this.#over) return;
    this.#channel.end();
    this.#finish("client said goodbye");
  }

  /** `time`: in milliseconds since the epoch. */
  #endAt(time: number): void {
    const wait = Math.max(0, time - Date.now());
    const reached = (): void => (wait > longestTimer ? this.#endAt(time) : this.endAfterStatement(expired));
    this.#timers.push(setTimeout(reached, Math.min(wait, longestTimer)).unref());
  }

  #finish(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    for (const timer of [...this.#timers, this.#silence]) clearTimeout(timer);
    this.#drained?.();
    this.#basis.record.end(reason);
    this.#ended(reason);
  }
}
