import { openChannel, type Channel } from "../net/channel.ts";
import { flush, terminate } from "../wire/frontend-rewrite.ts";
import { FrameReader, Step } from "../wire/frames.ts";
import { receive } from "./conversation.ts";
import { clientTable, copyInTable, hidingTable, serverTable } from "./frame-tables.ts";
import { hidesRows, relay } from "./replies.ts";
import type { OpenRole } from "./role-change.ts";
import type { SessionState } from "./state.ts";
import { isOver, mostOutstanding, Wait, waitFor } from "./wait.ts";

export type FlowEvents = {
  /** The session cannot go on. */
  readonly failed: (error: unknown) => void;
  /** The client said Terminate, and everything before that has been sent. */
  readonly goodbye: () => void;
  /** The server closed the connection. */
  readonly lost: (error: Error | undefined) => void;
  /** The server has answered something, or what was waited for has come. */
  readonly moved: () => void;
  /** What was read has to wait for something that the server's replies do not bring. */
  readonly waiting: () => void;
};

/**
 * The bytes of one session, both ways: reads messages out of what comes, gives each to `receive` or `relay`, writes
 * what they leave once for each chunk, and holds either side back for the other.
 */
export class Flow {
  readonly #state: SessionState;
  readonly #client: Channel;
  readonly #events: FlowEvents;
  readonly #requests = new FrameReader(clientTable);
  #replies = new FrameReader(serverTable);
  #server: Channel;
  /** The role whose connection `#server` is. */
  #role: OpenRole;
  /** The server takes no more for now. */
  #serverFull = false;
  #clientPaused = false;
  /** Bytes wait for the record. */
  #flushing = false;
  #stopped = false;
  /** What came while something has to be waited for: one chunk, read so that a client that leaves is noticed. */
  #ahead: Buffer | undefined;
  /** The client sent a message that is none: what comes behind it is dropped, and read only to notice its end. */
  #violation: unknown;

  constructor(state: SessionState, client: Channel, events: FlowEvents) {
    this.#state = state;
    this.#client = client;
    this.#events = events;
    this.#role = state.role;
    this.#server = this.#open(state.role);
  }

  /** True while part of a message has been sent to the client: another would be taken for its rest. */
  get inReply(): boolean {
    return this.#replies.inMessage;
  }

  /** True if nothing is under way and the server is outside a transaction. */
  get idle(): boolean {
    const { expected, transaction } = this.#state;
    return expected.length === 0 && transaction === "I" && !this.#flushing;
  }

  /** True while the server is at something that the client sent whole. */
  get running(): boolean {
    return this.#state.expected.length > 0 && !this.#state.copyIn;
  }

  /** True while the client has sent whole messages, maybe, that are still to be read: a Terminate may be among them. */
  get unread(): boolean {
    if (this.#violation !== undefined || this.#state.wait === Wait.end) return false;
    return this.#state.again || this.#ahead !== undefined || this.#requests.pending;
  }

  /** The client's bytes. @returns true if they are needed for longer. */
  fromClient(chunk: Buffer): boolean {
    const session = this.#state;
    session.now = performance.now();
    session.metrics.bytes.fromClients += chunk.length;
    if (this.#violation !== undefined || session.wait === Wait.end) return false;
    if (session.wait !== Wait.nothing) {
      this.#ahead = chunk;
      this.#throttle();
      return true;
    }
    this.#requests.feed(chunk);
    this.#read();
    const waits = session.toServer.bytes > 0 && session.toServer.detach(chunk);
    return waits || this.#server.retains || session.wait !== Wait.nothing;
  }

  /** The client has taken what was waiting for it. */
  clientDrained(): void {
    this.#server.release();
    this.#server.resume();
  }

  /** Reads on: what was waited for has come. */
  wake(): void {
    if (this.#stopped || this.#state.wait === Wait.end) return;
    this.#state.wait = Wait.nothing;
    this.#read();
    this.#events.moved();
  }

  /** Drops what the client still sends. */
  readNoMore(): void {
    waitFor(this.#state, Wait.end, false);
    this.#throttle();
  }

  /** Ends the connection to the server; no event comes any more. */
  stop(): void {
    this.#stopped = true;
    this.#server.end(terminate);
    this.#role.connection.close();
  }

  /** Reads on from the client until its bytes are used up or something has to be waited for. */
  #read(): void {
    if (this.#violation !== undefined) return this.#events.failed(this.#violation);
    const session = this.#state;
    const reader = this.#requests;
    try {
      if (session.again) {
        session.again = false;
        receive(session, reader);
      }
      while (session.wait === Wait.nothing) {
        reader.table = session.copyIn ? copyInTable : clientTable;
        const step = this.#step();
        if (step === Step.end) {
          if (this.#ahead === undefined || this.#violation !== undefined) break;
          reader.feed(this.#ahead);
          this.#ahead = undefined;
        } else if (step === Step.frame) {
          receive(session, reader);
          if (session.expected.length > mostOutstanding && reader.rest === 0) this.#makeRoom();
        } else if (step === Step.run || !session.skipsRest) {
          session.toServer.keep(reader.buffer, reader.start, reader.end);
        }
      }
    } catch (error) {
      return this.#events.failed(error);
    }
    this.#send();
    if (session.wait !== Wait.nothing) this.#startWait();
    return this.#throttle();
  }

  /**
   * The next step in what the client sent. A message that is none ends the session, but as on the server what came
   * before it is answered first.
   */
  #step(): Step {
    const session = this.#state;
    try {
      return this.#requests.next();
    } catch (error) {
      // A server that takes COPY data answers nothing before it has them.
      if (session.copyIn || session.expected.length === 0) throw error;
      this.#violation = error;
      session.toServer.add(flush);
      waitFor(session, Wait.answered, false);
      return Step.end;
    }
  }

  /** A client that sends and sends without reading: its replies are asked for, and it has to wait. */
  #makeRoom(): void {
    const session = this.#state;
    if (session.wait !== Wait.nothing) return;
    session.toServer.add(flush);
    waitFor(session, Wait.room, false);
  }

  #startWait(): void {
    const { wait } = this.#state;
    if (wait === Wait.end && !this.#flushing) this.#events.goodbye();
    else if (wait >= Wait.catalog && wait !== Wait.end) this.#events.waiting();
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
    const waited = this.#flushing;
    this.#flushing = false;
    if (this.#stopped) return;
    if (error !== undefined) return this.#events.failed(error);
    this.#state.toServer.flush(this.#writeServer);
    if (waited && this.#state.wait === Wait.end) this.#events.goodbye();
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
    const held = this.#serverFull || this.#ahead !== undefined || this.#state.wait === Wait.end;
    const paused = held && this.#violation === undefined;
    if (paused === this.#clientPaused) return;
    this.#clientPaused = paused;
    if (paused) this.#client.pause();
    else this.#client.resume();
  }

  #open(role: OpenRole): Channel {
    const channel: Channel = openChannel(role.connection.socket, {
      onData: (chunk) => this.#fromServer(chunk),
      onDrain: () => {
        this.#serverFull = false;
        // A chunk is still needed while part of it waits to be judged, or to be on record.
        if (this.#state.wait === Wait.nothing && this.#state.toServer.bytes === 0) this.#client.release();
        this.#throttle();
      },
      onClose: (error) => {
        if (this.#server === channel && !this.#stopped) this.#events.lost(error);
      },
    });
    return channel;
  }

  /** The server's bytes. @returns true if they are needed for longer. */
  #fromServer(chunk: Buffer): boolean {
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
      this.#events.failed(error);
      return false;
    }
    session.toClient.flush(this.#writeClient);
    if (session.role !== this.#role) this.#swap();
    if (session.wait !== Wait.nothing && isOver(session)) this.wake();
    this.#events.moved();
    return this.#client.retains;
  }

  /** Another role is in force: its connection takes the place of the old one. */
  #swap(): void {
    const [before, server] = [this.#role, this.#server];
    this.#role = this.#state.role;
    this.#replies = new FrameReader(serverTable);
    this.#serverFull = false;
    this.#server = this.#open(this.#role);
    server.end(terminate);
    before.connection.close();
  }
}
