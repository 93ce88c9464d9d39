import { problemOf, type Problem } from "../errors.ts";
import type { AccessConnection } from "../access/condition.ts";
import type { Identity } from "../identity/identity.ts";
import type { Channel, ChannelEvents } from "../net/channel.ts";
import { errorResponse } from "../wire/error-fields.ts";
import { Flow } from "./flow.ts";
import { catalogRead, wantsCatalog } from "./local-objects.ts";
import { activityOf, type SessionActivity } from "./activity.ts";
import type { LiveSession } from "./live-sessions.ts";
import type { SessionState } from "./state.ts";
import { Wait } from "./wait.ts";

/** How long the server has, behind a Terminate, to finish what the client sent before it. */
const terminateGrace = 5_000;

/** How long a session may go on that should end, and is busy or in a transaction. */
const idleGrace = 60_000;

/** The most that a timer holds, in milliseconds. */
const longestTimer = 0x7fffffff;

const notCancelled = "a statement could not be cancelled";
const goodbye = "client said goodbye";
const expired: Problem = {
  code: "session_ended",
  message: "the token that opened the session has expired",
};
const closed: Problem = { code: "session_ended", message: "the database closed the connection" };

/** One logged-in client and its connection to the database, from the first statement to the end of both. */
export class Session implements ChannelEvents, LiveSession {
  readonly id: string;
  readonly connection: AccessConnection;
  readonly client: string;
  /** When it began, in milliseconds since the epoch. */
  readonly begun = Date.now();
  readonly #state: SessionState;
  readonly #channel: Channel;
  readonly #ended: (reason: string) => void;
  readonly #flow: Flow;
  /** Why the session is to end at its next idle moment. */
  #ending: Problem | undefined;
  /** Why it ends when what runs is done, what is on record of that, and when it ends at the latest. */
  #last: { readonly problem: Problem; readonly reason: string; readonly by: number } | undefined;
  /** The client has closed its connection, with what it had sent before still to be read. */
  #gone: string | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  /** Cancels that are on their way or wait for that. */
  #cancels = 0;
  #over = false;
  /** The catalog is read because of a definition. */
  #reading = false;

  /**
   * @param channel the client's; its events have to be passed on to the session from here on
   * @param ended called once, with why the session ended
   */
  constructor(
    { id, connection, client }: Pick<LiveSession, "id" | "connection" | "client">,
    state: SessionState,
    channel: Channel,
    ended: (reason: string) => void,
  ) {
    this.id = id;
    this.connection = connection;
    this.client = client;
    this.#state = state;
    this.#channel = channel;
    this.#ended = ended;
    this.#flow = new Flow(state, channel, {
      failed: (error) => this.#fail(error),
      goodbye: () => this.#leave(),
      lost: (error) => this.#lost(error),
      moved: () => {
        if (this.#over) return;
        this.#readIfDefined();
        this.#endIfIdle();
        this.#endIfGone();
        if (this.#last !== undefined && !this.#flow.running) this.end(this.#last.problem, this.#last.reason);
      },
      waiting: () => this.#bring(),
    });
    const { expiresAt } = state.identity;
    if (expiresAt !== undefined) this.#endAt(expiresAt);
  }

  get identity(): Identity {
    return this.#state.identity;
  }

  get role(): string {
    return this.#state.role.name;
  }

  get nextRole(): string | undefined {
    return this.#state.change?.role;
  }

  get state(): SessionActivity {
    return activityOf(this.#state);
  }

  onData(chunk: Buffer): boolean {
    return this.#flow.fromClient(chunk);
  }

  onDrain(): void {
    this.#flow.clientDrained();
  }

  onClose(error: Error | undefined): void {
    // Behind a Terminate the server finishes what it was sent before.
    if (this.#state.wait === Wait.end && this.#last === undefined) return;
    const reason = error === undefined ? "closed the connection" : `connection failed: ${error.message}`;
    this.#gone = `client ${reason}`;
    this.#endIfGone();
    // What it left may wait for a statement that never ends; it has as long for that as behind a Terminate.
    if (!this.#over)
      this.#timers.push(setTimeout(() => this.#end(`client ${reason}`), terminateGrace).unref());
  }

  /** Cancels what runs, on the client's request. */
  cancel(): void {
    const { expected, asked } = this.#state;
    if (expected.length > 0) this.#cancel();
    else asked?.abandoned.abort();
  }

  /** Ends the session as soon as it is idle, or after a grace in milliseconds. */
  endWhenIdle(problem: Problem, grace = idleGrace): void {
    this.#ending = problem;
    this.#endIfIdle();
    if (!this.#over) this.#timers.push(setTimeout(() => this.end(problem), grace).unref());
  }

  /**
   * Takes nothing more from the client, and ends the session when what runs is done, or after a grace in milliseconds: a
   * transaction that is open is rolled back.
   */
  endAfterStatement(problem: Problem, grace = idleGrace, reason = problem.message): void {
    if (this.#over) return;
    if (grace === 0 || !this.#flow.running) return this.end(problem, reason);
    const by = Date.now() + grace;
    // It is told so again and again while it finishes.
    if (this.#last !== undefined && this.#last.by <= by) return;
    this.#last = { problem, reason, by };
    this.#flow.readNoMore();
    this.#timers.push(setTimeout(() => this.end(problem, reason), grace).unref());
  }

  /** Tells the client why and ends the session now. `reason`: what is on record. */
  end(problem: Problem, reason = problem.message): void {
    if (this.#over) return;
    if (this.#flow.inReply || this.#state.fatal) this.#channel.end();
    else this.#channel.end(errorResponse(problem, "FATAL"));
    this.#end(reason);
  }

  /** Behind what a client sent before it left there may be a Terminate, and then all of it is done. */
  #endIfGone(): void {
    if (
      this.#gone !== undefined &&
      !this.#flow.unread &&
      (this.#last !== undefined || this.#state.wait !== Wait.end)
    )
      this.#end(this.#gone);
  }

  #endIfIdle(): void {
    if (this.#ending !== undefined && this.#flow.idle) this.end(this.#ending);
  }

  /** `time`: in milliseconds since the epoch. */
  #endAt(time: number): void {
    const wait = Math.max(0, time - Date.now());
    const reached = (): void => (wait > longestTimer ? this.#endAt(time) : this.endAfterStatement(expired));
    this.#timers.push(setTimeout(reached, Math.min(wait, longestTimer)).unref());
  }

  /** Brings what the session waits for. */
  #bring(): void {
    const session = this.#state;
    const { change, asked } = session;
    if (session.wait === Wait.turn) {
      setImmediate(() => this.#flow.wake());
    } else if (session.wait === Wait.verdict && asked !== undefined) {
      if (asked.begun) return;
      asked.begun = true;
      void session.database.judgeElsewhere(asked).then((parts) => {
        asked.parts = parts;
        return this.#flow.wake();
      });
    } else if (session.wait === Wait.catalog) {
      this.#readCatalog(() => this.#flow.wake());
    } else if (change !== undefined) {
      session.openRole(change.role, session).then(
        (opened) => {
          change.opened = opened;
          if (this.#over) opened.connection.close();
          return this.#flow.wake();
        },
        (error: unknown) => {
          change.problem = problemOf(error);
          this.#flow.wake();
        },
      );
    }
  }

  /** A definition was committed: the catalog is read behind it, once for all that came by then. */
  #readIfDefined(): void {
    if (this.#reading || !wantsCatalog(this.#state)) return;
    this.#reading = true;
    this.#readCatalog((read) => {
      this.#reading = false;
      // More may have been defined meanwhile. What failed is tried again with the next reply.
      if (read && !this.#over) this.#readIfDefined();
    });
  }

  #readCatalog(then: (read: boolean) => void): void {
    const session = this.#state;
    const { defined } = session.locals;
    const committed = session.transaction === "I";
    session.database.refresh().then(
      (read) => {
        if (read && committed) catalogRead(session, defined);
        return then(read);
      },
      (error: unknown) => this.#fail(error),
    );
  }

  /** However often a client asks, one cancel is on its way at a time, and one behind it that may still find work. */
  #cancel(): void {
    if (this.#cancels === 2) return;
    this.#cancels++;
    if (this.#cancels === 1) this.#sendCancel();
  }

  #sendCancel(): void {
    const { role, log, expected } = this.#state;
    role.connection
      .cancel()
      .catch((error: unknown) => log.warn({ err: error }, notCancelled))
      .finally(() => {
        this.#cancels--;
        if (this.#cancels === 0) return;
        if (expected.length > 0) this.#sendCancel();
        else this.#cancels = 0;
      });
  }

  /** The client said Terminate, and the server has been told: it closes when it has done what came before. */
  #leave(): void {
    if (this.#over) return;
    this.#timers.push(setTimeout(() => this.#end(goodbye), terminateGrace).unref());
  }

  /** The server closed the connection. */
  #lost(error: Error | undefined): void {
    if (this.#state.wait === Wait.end && this.#last === undefined) return this.#end(goodbye);
    if (error !== undefined) this.#state.log.warn({ err: error }, "the connection to the database was lost");
    return this.end(closed);
  }

  #fail(error: unknown): void {
    const problem = problemOf(error);
    if (problem.code === "internal") this.#state.log.error({ err: error }, "a session failed");
    this.end(problem);
  }

  #end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    const session = this.#state;
    for (const timer of this.#timers) clearTimeout(timer);
    // Left alone, the server would finish it for nobody, and what was sent in advance for somebody who may not any more.
    if (session.expected.length > 0)
      session.role.connection
        .abandon()
        .catch((error: unknown) => session.log.warn({ err: error }, notCancelled));
    session.change?.opened?.connection.close();
    session.asked?.abandoned.abort();
    this.#channel.end();
    this.#flow.stop();
    session.record.end(reason);
    session.metrics.sessions--;
    this.#ended(reason);
  }
}
