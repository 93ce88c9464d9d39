import { RolegateError, type Problem } from "../../errors.ts";
import { openChannel, type Channel, type ChannelEvents } from "../../net/channel.ts";
import type { Socket } from "node:net";
import { frameTable, type FrameTable } from "../../wire/frame-table.ts";
import { FrameReader, Step } from "../../wire/frames.ts";

/** Nothing may come; whatever does is a violation. */
const nothing = frameTable({}, {});

/** The client went away by itself: psql does when it is asked for a password that it has to ask for first. */
export class ClientGone extends Error {}

/** The client's channel while it logs in: one message at a time, when it is asked for, then handed to the session. */
export class Inbox implements ChannelEvents {
  readonly channel: Channel;
  readonly #reader = new FrameReader(nothing);
  #waiting:
    | { readonly resolve: (message: Buffer) => void; readonly reject: (error: Error) => void }
    | undefined;
  #failure: Error | undefined;
  #waits: ((error: Error) => void) | undefined;
  /** Once set, everything goes there. */
  #successor: ChannelEvents | undefined;

  constructor(socket: Socket) {
    this.channel = openChannel(socket, this);
    this.channel.pause();
  }

  /**
   * The next message, whole; a type that the table does not allow fails the login. A copy: it may be kept.
   * @throws RolegateError protocol_violation, or the reason with which the login was aborted
   */
  next(table: FrameTable): Promise<Buffer> {
    this.#reader.table = table;
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#waiting = { resolve, reject };
      this.#take();
      if (this.#waiting !== undefined) this.channel.resume();
      return undefined;
    });
  }

  /**
   * Waits, holding nothing but the connection.
   * @throws the reason with which the login was aborted meanwhile
   */
  wait(milliseconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      const timer = setTimeout(() => {
        this.#waits = undefined;
        resolve();
      }, milliseconds);
      this.#waits = (error) => {
        clearTimeout(timer);
        reject(error);
      };
      return undefined;
    });
  }

  /** Fails what is waited for, now and later. */
  abort(problem: Problem): void {
    this.#fail(new RolegateError(problem));
  }

  /** Why there is no client to log in any more: it has gone, or the login was aborted. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /**
   * From here on the channel's events go to `successor`, and first of all what the client has sent without waiting
   * for the end of the login: as the server does, it is taken for the session's first messages.
   * @throws what ended the login meanwhile
   */
  handOver(successor: ChannelEvents): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#successor = successor;
    this.channel.resume();
    const early = this.#reader.unread();
    if (early.length > 0) successor.onData(early);
  }

  onData(chunk: Buffer): boolean {
    if (this.#successor !== undefined) return this.#successor.onData(chunk);
    // A copy, for the buffer may be read into again while we wait; a login has few bytes.
    this.#reader.feed(Buffer.from(chunk));
    this.channel.pause();
    this.#take();
    if (this.#waiting !== undefined) this.channel.resume();
    return false;
  }

  onDrain(): void {
    this.#successor?.onDrain();
  }

  onClose(error: Error | undefined): void {
    if (this.#successor !== undefined) return this.#successor.onClose(error);
    return this.#fail(new ClientGone("the client closed the connection", { cause: error }));
  }

  #take(): void {
    if (this.#waiting === undefined) return;
    try {
      const step = this.#reader.next();
      if (step === Step.end) return;
      const { buffer, start, end } = this.#reader;
      const { resolve } = this.#waiting;
      this.#waiting = undefined;
      resolve(Buffer.from(buffer.subarray(start, end)));
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error("login failed", { cause: error }));
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    const { reject } = this.#waiting ?? {};
    this.#waiting = undefined;
    reject?.(this.#failure);
    this.#waits?.(this.#failure);
    this.#waits = undefined;
  }
}
