import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { ReadBuffers, readInPlace } from "./read-in-place.ts";

/** One end of a byte stream: what a session sees of a client or of the database. */
export type Channel = {
  /**
   * Writes at once, or queues. False: the peer reads slowly; produce nothing more until `onDrain`. Does nothing once
   * the channel is ending or closed.
   */
  write(bytes: Uint8Array): boolean;
  /** True while bytes that were given to `write` may still be read from where they lay: their buffer must not change. */
  readonly retains: boolean;
  /** No chunk that `onData` kept is needed any more: the buffers may be read into again. */
  release(): void;
  /** Nothing more arrives until `resume`; the peer is slowed down. */
  pause(): void;
  resume(): void;
  /** Writes what is queued, then `last`, then closes; what the peer still sends is thrown away. */
  end(last?: Uint8Array): void;
  /** Closes now; what is queued is lost. */
  destroy(): void;
  readonly encrypted: boolean;
};

export type ChannelEvents = {
  /** `chunk` is valid until the call returns; return true if it is still needed then. */
  onData(chunk: Buffer): boolean;
  onDrain(): void;
  /** Exactly once, and nothing is called afterwards; with the error that closed it, one that `onData` threw included. */
  onClose(error: Error | undefined): void;
};

/** How long `end` waits for the peer to take the last bytes and close its side. */
const endDeadline = 5_000;

/** Idle time after which TCP asks whether the peer is still there; without it a vanished peer holds a session for ever. */
const keepAliveDelay = 60_000;

const nothing = Buffer.alloc(0);

/** Below this, what would be queued is copied: a queue of small views would each hold a whole read buffer. */
const copyBelow = 16_384;

/** Begins to read from a connected socket, which then belongs to the channel: no other listener may be on it. */
export function openChannel(socket: Socket, events: ChannelEvents): Channel {
  return new SocketChannel(socket, events);
}

class SocketChannel implements Channel {
  readonly encrypted: boolean;
  readonly #socket: Socket;
  readonly #events: ChannelEvents;
  #state: "open" | "ending" | "closed" = "open";
  #error: Error | undefined;
  readonly #buffers = new ReadBuffers();
  #retains = false;
  #awaitsDrain = false;

  constructor(socket: Socket, events: ChannelEvents) {
    this.#socket = socket;
    this.#events = events;
    this.encrypted = socket instanceof TLSSocket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveDelay);
    // Also where it reads in place: bytes that were read before, or given back with unshift, come as an event.
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    if (this.encrypted) socket.on("drain", () => this.#drained());
    socket.on("error", (error) => (this.#error ??= error));
    socket.on("end", () => this.#ended());
    socket.on("close", () => this.#closed());
    readInPlace(socket, (chunk) => this.#receive(chunk), this.#buffers);
    if (socket.closed) process.nextTick(() => this.#closed());
    else socket.resume();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#state !== "open") return true;
    const socket = this.#socket;
    // TLS always queues, if only for a moment, and takes more until the stream says no.
    if (this.encrypted && bytes.length < copyBelow) return socket.write(Buffer.from(bytes));
    if (socket.writableLength > 0 && bytes.length < copyBelow) {
      socket.write(Buffer.from(bytes));
      return false;
    }
    const takesMore = socket.write(bytes);
    if (socket.writableLength === 0) return true;
    this.#retains = true;
    if (this.encrypted) return takesMore;
    // The system's buffer is full. Going on up to the stream's own limit would gain nothing but copies in memory.
    if (!this.#awaitsDrain) {
      this.#awaitsDrain = true;
      socket.write(nothing, this.#written);
    }
    return false;
  }

  /** Behind everything that was queued when it was asked for. */
  readonly #written = (): void => {
    this.#awaitsDrain = false;
    if (this.#socket.writableLength === 0) return this.#drained();
    this.#awaitsDrain = true;
    this.#socket.write(nothing, this.#written);
  };

  get retains(): boolean {
    if (this.#retains && this.#socket.writableLength === 0) this.#retains = false;
    return this.#retains;
  }

  release(): void {
    this.#buffers.release();
  }

  pause(): void {
    if (this.#state === "open") this.#socket.pause();
  }

  resume(): void {
    if (this.#state === "open") this.#socket.resume();
  }

  end(last?: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    if (last === undefined) this.#socket.end();
    else this.#socket.end(last);
    // Bytes left unread would make the kernel reset the connection, and the peer lose our last ones.
    this.#socket.resume();
    const timer = setTimeout(() => this.#socket.destroy(), endDeadline);
    timer.unref();
    this.#socket.once("close", () => clearTimeout(timer));
  }

  destroy(): void {
    if (this.#state === "open") this.#state = "ending";
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): boolean {
    if (this.#state !== "open") return false;
    try {
      return this.#events.onData(chunk);
    } catch (error) {
      // Nothing above could answer it any more. One connection's bytes must not end the process.
      this.#socket.destroy(error instanceof Error ? error : new Error("onData failed", { cause: error }));
      return true;
    }
  }

  #drained(): void {
    if (this.#state === "open") this.#events.onDrain();
  }

  /** The peer has closed its side: a Postgres peer that does is gone, and takes no answer. */
  #ended(): void {
    if (this.#state === "open") this.#socket.destroy();
  }

  #closed(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#events.onClose(this.#error);
  }
}
