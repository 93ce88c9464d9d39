import { RolegateError, type Problem } from "../errors.ts";
import type { Channel, ChannelEvents } from "../net/channel.ts";
import { openChannel } from "../net/channel.ts";
import { errorResponse } from "../wire/error-fields.ts";
import { flush, terminate } from "../wire/frontend-rewrite.ts";
import { FrameReader, Step } from "../wire/frames.ts";
import { receive } from "./conversation.ts";
import { clientTable, copyInTable, hidingTable, serverTable } from "./frame-tables.ts";
import { hidesRows, relay } from "./replies.ts";
import type { OpenRole } from "./role-change.ts";
import type { SessionState } from "./state.ts";
import { isOver, mostOutstanding, Wait, waitFor } from "./wait.ts";

/** How long the server has, behind a Terminate, to finish what the client sent before it. */
const terminateGrace = 5_000;

const goodbye = "client said goodbye";

/** A session whose time is up and that is busy or in a transaction may go on for this long. */
const idleGrace = 60_000;

/**
 * One logged-in client and its connection to the database: moves bytes between them, holds either side back for the
 * other, and ends both together.
 */
export class Session implements ChannelEvents {
  readonly #state: SessionState;
  readonly #client: Channel;
  readonly #ended: (reason: string) => void;
  readonly #requests = new FrameReader(clientTable);
  #server: Channel;
  #role: OpenRole;
  #replies = new FrameReader(serverTable);
  /** The server's side takes no more for now; the client's reading is stopped. */
  #serverFull = false;
  #paused = false;
  #flushing = false;
  /** What makes the session end at its next idle moment. */
  #ending: Problem | undefined;
  #timers: NodeJS.Timeout[] = [];
  #over = false;

  /**
   * Takes the client's channel, whose events must be passed on to the session from here on, and the connection.
   * @param ended called once, with why the session ended
   */
  constructor(state: SessionState, client: Channel, ended: (reason: string) => void) {
    this.#state = state;
    this.#client = client;
    this.#ended = ended;
    this.#role = state.role;
    this.#server = this.#open(state.role);
    const { expiresAt } = state.identity;
    if (expiresAt !== undefined) this.#endAt(expiresAt);
  }

  /** The client's bytes. */
  onData(chunk: Buffer): boolean {
    const session = this.#state;
    session.now = performance.now();
    session.metrics.bytes.fromClients += chunk.length;
    this.#requests.feed(chunk);
    this.#read();
    const kept = session.toServer.bytes > 0 && session.toServer.detach(chunk);
    return kept || this.#server.retains || session.wait !== Wait.nothing;
  }

  onDrain(): void {
    this.#server.resume();
  }

  onClose(error: Error | undefined): void {
    // Behind a Terminate the server finishes what it was sent before.
    if (this.#state.wait !== Wait.end)
      this.#end(
        error === undefined
          ? "client closed the connection"
          : `connection to the client failed: ${error.message}`,
      );
  }

  /** Cancels what runs, on the client's request. */
  cancel(): void {
    if (this.#state.expected.length > 0) this.#cancelUpstream();
  }

  /** Ends the session as soon as it is idle, or after a grace. */
  endWhenIdle(problem: Problem, grace = idleGrace): void {
    this.#ending = problem;
    if (this.#endIfIdle()) return;
    this.#timers.push(setTimeout(() => this.end(problem), grace).unref());
  }

  /** Tells the client why and ends the session now. */
  end(problem: Problem): void {
    if (this.#over) return;
    // Inside of a message that was begun, another would be taken for a part of it.
    if (this.#replies.inMessage || this.#state.fatal) this.#client.end();
    else this.#client.end(errorResponse(problem, "FATAL"));
    this.#end(problem.message);
  }

  /** Reads on from the client until its bytes are used up or something has to be waited for. */
  #read(): void {
    const session = this.#state;
    const reader = this.#requests;
    try {
      if (session.again && session.wait === Wait.nothing) {
        session.again = false;
        receive(session, reader);
      }
      while (session.wait === Wait.nothing) {
        reader.table = session.copyIn ? copyInTable : clientTable;
        const step = reader.next();
        if (step === Step.end) break;
        if (step === Step.frame) {
          receive(session, reader);
          if (session.expected.length > mostOutstanding && reader.rest === 0) this.#makeRoom();
        } else if (step === Step.run || !session.skipsRest) {
          session.toServer.keep(reader.buffer, reader.start, reader.end);
        }
      }
    } catch (error) {
      return this.#fail(error);
    }
    this.#send();
    if (session.wait !== Wait.nothing) this.#startWait();
    return this.#throttle();
  }

  #makeRoom(): void {
    const session = this.#state;
    if (session.wait !== Wait.nothing) return;
    session.toServer.add(flush);
    waitFor(session, Wait.room, false);
  }

  /** Forwards what was read: at once where nothing has to be put on record first. */
  #send(): void {
    const session = this.#state;
    if (this.#flushing || session.toServer.bytes === 0) return;
    if (!session.unwritten) return this.#flush(undefined);
    session.unwritten = false;
    this.#flushing = true;
    session.recorder.whenWritten(this.#flush);
  }

  /** What the client sent is on record, so the server gets it; without a record it gets nothing. */
  readonly #flush = (error: Error | undefined): void => {
    this.#flushing = false;
    if (this.#over) return;
    if (error !== undefined) return this.#fail(error);
    this.#state.toServer.flush(this.#writeServer);
    if (this.#state.wait === Wait.end) this.#leave();
    this.#throttle();
  };

  readonly #writeServer = (bytes: Buffer): void => {
    if (!this.#server.write(bytes)) this.#serverFull = true;
  };

  readonly #writeClient = (bytes: Buffer): void => {
    if (!this.#client.write(bytes)) this.#server.pause();
  };

  /** Stops or goes on reading from the client. */
  #throttle(): void {
    const paused = this.#serverFull || this.#state.wait !== Wait.nothing;
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (paused) this.#client.pause();
    else this.#client.resume();
  }

  /** Reads on once what was waited for has come. */
  #wake(): void {
    if (this.#over || this.#state.wait === Wait.end) return;
    this.#state.wait = Wait.nothing;
    this.#read();
  }

  /** Begins what only the outside can bring. */
  #startWait(): void {
    const session = this.#state;
    if (session.wait === Wait.catalog) {
      void session.database.refresh().then(
        () => this.#wake(),
        (error: unknown) => this.#fail(error),
      );
    } else if (session.wait === Wait.role && session.change !== undefined) {
      const { change } = session;
      session.openRole(change.role, session).then(
        (opened) => {
          change.opened = opened;
          if (this.#over) opened.connection.close();
          return this.#wake();
        },
        (error: unknown) => {
          change.problem = problemOf(error);
          this.#wake();
        },
      );
    } else if (session.wait === Wait.end && !this.#flushing) this.#leave();
  }

  #open(role: OpenRole): Channel {
    const channel: Channel = openChannel(role.connection.socket, {
      onData: (chunk) => this.#onReply(chunk),
      onDrain: () => {
        this.#serverFull = false;
        this.#throttle();
      },
      onClose: (error) => {
        if (this.#server === channel) this.#lost(error);
      },
    });
    return channel;
  }

  /** The server's bytes. */
  #onReply(chunk: Buffer): boolean {
    const session = this.#state;
    const reader = this.#replies;
    session.now = performance.now();
    session.metrics.bytes.fromServers += chunk.length;
    try {
      reader.feed(chunk);
      for (;;) {
        reader.table = hidesRows(session) ? hidingTable : serverTable;
        const step = reader.next();
        if (step === Step.end) break;
        if (step === Step.frame) relay(session, reader);
        else if (step === Step.run || !session.skipsReply) {
          session.toClient.keep(reader.buffer, reader.start, reader.end);
        }
      }
    } catch (error) {
      this.#fail(error);
      return false;
    }
    session.toClient.flush(this.#writeClient);
    if (session.role !== this.#role) this.#swap();
    if (session.wait !== Wait.nothing && isOver(session)) this.#wake();
    if (this.#ending !== undefined) this.#endIfIdle();
    return this.#client.retains;
  }

  /** Another role is in force: its connection takes the place of the old one. */
  #swap(): void {
    const old = this.#role;
    const server = this.#server;
    this.#role = this.#state.role;
    this.#replies = new FrameReader(serverTable);
    this.#serverFull = false;
    this.#server = this.#open(this.#role);
    server.end(terminate);
    old.connection.close();
  }

  /** The client said goodbye: the server may finish what it was sent before. */
  #leave(): void {
    if (this.#over) return;
    this.#server.end();
    this.#timers.push(setTimeout(() => this.#end(goodbye), terminateGrace).unref());
  }

  /** The connection to the database is gone. */
  #lost(error: Error | undefined): void {
    if (this.#state.wait === Wait.end) {
      this.#client.end();
      return this.#end(goodbye);
    }
    if (error !== undefined) this.#state.log.warn({ err: error }, "the connection to the database was lost");
    return this.end({ code: "session_ended", message: "the database closed the connection" });
  }

  #fail(error: unknown): void {
    const problem = problemOf(error);
    if (problem.code === "internal") this.#state.log.error({ err: error }, "a session failed");
    this.end(problem);
  }

  #endIfIdle(): boolean {
    const { expected, transaction } = this.#state;
    if (this.#ending === undefined || expected.length > 0 || transaction !== "I" || this.#flushing)
      return false;
    this.end(this.#ending);
    return true;
  }

  /** Timers hold at most 2^31 ms. */
  #endAt(time: number): void {
    const problem: Problem = {
      code: "session_ended",
      message: "the token that opened the session has expired",
    };
    const wait = time - Date.now();
    const timer = setTimeout(
      () => (time > Date.now() ? this.#endAt(time) : this.endWhenIdle(problem)),
      Math.min(Math.max(wait, 0), 0x7fffffff),
    );
    this.#timers.push(timer.unref());
  }

  #cancelUpstream(): void {
    this.#role.connection.cancel().catch((error: unknown) => {
      this.#state.log.warn({ err: error }, "a statement could not be cancelled");
    });
  }

  #end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    const session = this.#state;
    for (const timer of this.#timers) clearTimeout(timer);
    session.wait = Wait.end;
    // Whoever is gone cannot want the rest; left alone, the server would finish it for nobody.
    if (session.expected.length > 0) this.#cancelUpstream();
    session.change?.opened?.connection.close();
    this.#client.end();
    this.#server.end(terminate);
    this.#role.connection.close();
    session.record.end(reason);
    session.metrics.sessions--;
    this.#ended(reason);
  }
}

/** What a client is told of an error. */
export function problemOf(error: unknown): Problem {
  if (error instanceof RolegateError) return error.problem;
  return { code: "internal", message: "a fault in rolegate" };
}
