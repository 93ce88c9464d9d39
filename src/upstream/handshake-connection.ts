import { EventEmitter } from "node:events";
import { Socket } from "node:net";
import { Connection } from "pg";
import { parse } from "pg-protocol";
import { frameTable, type FrameTable, type Treatment } from "../wire/frame-table.ts";
import { FrameReader, Step } from "../wire/frames.ts";
import { backendLimits } from "../wire/limits.ts";
import type { UpstreamTarget } from "../config/config.ts";
import { readBackendKeyData, type CancelKey } from "../wire/cancel-request.ts";
import { judgeVersion, type ProtocolMinor } from "../wire/negotiate-protocol-version.ts";
import { assertWellFormed } from "../wire/well-formed.ts";
import { RequiredBinding } from "./required-binding.ts";
import { startupMessage } from "./startup-message.ts";
import { tlsOptions } from "./target.ts";
import { withoutListenersSince, listenersOf, type Listeners } from "./listeners.ts";

/** Bytes; no message of an honest server's login comes near, and a lying one cannot make us collect more. */
const longestOfLogin = 65_535;

// What a server may send from its first byte to the answer of a simple query; anything else ends the connection.
const types = ["R", "S", "K", "v", "Z", "E", "N", "A", "T", "D", "C"] as const;

function tableUpTo(longest: number): FrameTable {
  return frameTable(
    forEachType((type) => Math.min(backendLimits[type], longest)),
    forEachType((): Treatment => ({ whole: longest })),
  );
}

function forEachType<Value>(value: (type: (typeof types)[number]) => Value) {
  return Object.fromEntries(types.map((type) => [type, value(type)])) as Record<
    (typeof types)[number],
    Value
  >;
}

/**
 * pg's connection, fed one message at a time and only up to a ReadyForQuery of our choice: from there on the socket
 * is paused, free of pg's listeners, and holds every byte that came after that message.
 */
export class HandshakeConnection extends Connection {
  readonly #handOverAt: number;
  readonly #table: FrameTable;
  readonly #socket: Socket;
  readonly #own: Listeners;
  #stream: Socket;
  #streamOwn: Listeners;
  #readyForQueries = 0;
  readonly #minor: ProtocolMinor;
  readonly #binding: RequiredBinding | undefined;
  #key: CancelKey | undefined;

  /**
   * @param handOverAt which ReadyForQuery is the last that pg sees, counted from 1
   * @param longest bytes of the longest message to take
   */
  constructor(
    { tls, minor = 2, bound = false }: UpstreamTarget,
    handOverAt: number,
    longest = longestOfLogin,
  ) {
    const socket = new Socket();
    const own = listenersOf(socket);
    super({ ssl: tls === undefined ? false : tlsOptions(tls), stream: () => socket });
    this.#minor = minor;
    if (bound) this.#binding = new RequiredBinding();
    this.#handOverAt = handOverAt;
    this.#table = tableUpTo(longest);
    this.#socket = this.#stream = socket;
    this.#own = this.#streamOwn = own;
  }

  /** The socket to go on with: the TLS one where TLS is used. */
  get socketInUse(): Socket {
    return this.#stream;
  }

  /** What that runs on; the same where there is no TLS. */
  get transport(): Socket {
    return this.#socket;
  }

  /** What the server gave for cancelling; undefined: nothing, or nothing yet. */
  get cancelKey(): CancelKey | undefined {
    return this.#key;
  }

  get handedOver(): boolean {
    return this.#readyForQueries >= this.#handOverAt;
  }

  /** Called by pg to send the StartupMessage; its own would add a client_encoding that wins over every other. */
  startup(parameters: Readonly<Record<string, string>>): void {
    this.#stream.write(startupMessage(parameters, this.#minor));
  }

  /** Called by pg with the stream from which it would read messages. */
  attachListeners(stream: Socket): void {
    if (stream !== this.#socket) {
      this.#stream = stream;
      this.#streamOwn = listenersOf(stream);
    }
    const messages = new EventEmitter();
    void parse(messages as unknown as NodeJS.ReadableStream, (message) => {
      this.emit(message.name === "error" ? "errorMessage" : message.name, message);
    });
    const reader = new FrameReader(this.#table);
    let unread = 0;
    stream.on("data", (chunk: Buffer) => {
      unread += chunk.length;
      try {
        reader.feed(chunk);
        for (let step = reader.next(); step !== Step.end; step = reader.next()) {
          if (step !== Step.frame || reader.rest > 0) throw new Error("message too long for a login");
          assertWellFormed(reader.buffer, reader.start, reader.end);
          unread -= reader.length;
          if (reader.type === 0x5a) this.#readyForQueries++;
          if (this.#keep(reader)) continue;
          // Before pg sees it: what it then does (a callback, a promise) must find the socket already ours.
          if (this.handedOver) this.#handOver(chunk.subarray(chunk.length - unread));
          messages.emit("data", reader.buffer.subarray(reader.start, reader.end));
          if (this.handedOver) return;
        }
      } catch (error) {
        stream.destroy(error instanceof Error ? error : new Error("login failed", { cause: error }));
      }
    });
  }

  /**
   * Takes what pg does not know as protocol 3.2 has it.
   * @throws Error for a version that was not asked for, and for a login without the binding that was
   */
  #keep({ type, buffer, start, end }: FrameReader): boolean {
    if (type === 0x52) this.#binding?.receive(buffer.subarray(start, end), this.#stream);
    if (type === 0x4b) this.#key = readBackendKeyData(buffer, start, end);
    else if (type === 0x76) judgeVersion(buffer, start, end, this.#minor);
    else return false;
    return true;
  }

  #handOver(unread: Buffer): void {
    const stream = this.#stream;
    stream.pause();
    withoutListenersSince(stream, this.#streamOwn);
    if (stream !== this.#socket) withoutListenersSince(this.#socket, this.#own);
    // Until its new owner listens, a connection that breaks must not end the process.
    stream.on("error", () => {});
    if (unread.length > 0) stream.unshift(unread);
  }
}
