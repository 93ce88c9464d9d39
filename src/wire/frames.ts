import { refuse } from "../errors.ts";
import { type FrameTable, headerBytes } from "./frame-table.ts";

/** What `FrameReader.next` found; plain numbers, so that the hot path makes no object. */
export const Step = {
  /** The chunk is used up: feed the next one. */
  end: 0,
  /** `buffer[start, end)` holds passed-over messages: any number of them, and any parts. */
  run: 1,
  /** `buffer[start, end)` is a message from its type byte on: all of it if `rest` is 0, else its beginning. */
  frame: 2,
  /** `buffer[start, end)` continues the message that the last `frame` began; `rest` more bytes follow. */
  rest: 3,
} as const;
export type Step = (typeof Step)[keyof typeof Step];

const nothing = Buffer.alloc(0);

/** Up to here a piece is allocated on the word of its header; beyond, only as its bytes arrive. */
const trustedBytes = 65_536;

/**
 * Walks over the messages in a stream of chunks that split them anywhere.
 *
 * Each byte that is fed is reported exactly once, in order: in place (`buffer` is the chunk) wherever the chunk holds
 * enough of the message, else in a fresh buffer of its own, which the caller may keep. What a step reports is in the
 * reader's fields until the next call. A message that is passed over or streamed is never collected, however long.
 *
 * ```ts
 * reader.feed(chunk);
 * for (let step = reader.next(); step !== Step.end; step = reader.next()) …
 * ```
 */
export class FrameReader {
  /** Applies to every message whose header is read from now on; may be changed between two steps. */
  table: FrameTable;
  /** Type byte of the message that `frame` and `rest` speak of. */
  type = 0;
  /** Length of that message, type byte included. */
  length = 0;
  /** Bytes of that message that are still to be reported. */
  rest = 0;
  buffer: Buffer = nothing;
  start = 0;
  end = 0;

  #chunk: Buffer = nothing;
  #at = 0;
  /** Bytes still to come of a passed-over message. */
  #passing = 0;
  /** The beginning of a message, gathered over several chunks: `#held` bytes of it so far. */
  #carry: Buffer = nothing;
  #held = 0;
  /** How much of that message is wanted in one piece; 0 while its header is incomplete. */
  #wanted = 0;

  constructor(table: FrameTable) {
    this.table = table;
  }

  /** True while part of a message has been reported and the rest has not arrived: no message of ours fits in here. */
  get inMessage(): boolean {
    return this.#passing > 0 || this.rest > 0;
  }

  /** True while the chunk is not used up. */
  get pending(): boolean {
    return this.#at < this.#chunk.length;
  }

  /** Bytes that have arrived and are not reported yet, because a message is incomplete. */
  get heldBytes(): number {
    return this.#held;
  }

  /** Takes back what has arrived and is not reported, for another reader; this one is at the end then. */
  unread(): Buffer {
    const rest = this.#chunk.subarray(this.#at);
    const unread = this.#held === 0 ? rest : Buffer.concat([this.#carry.subarray(0, this.#held), rest]);
    // The one that was reported last too: a login's reader lives on, and would hold its chunk for ever.
    this.#chunk = this.#carry = this.buffer = nothing;
    this.start = this.end = this.#at = this.#held = this.#wanted = 0;
    return unread;
  }

  /** Begins a chunk; the last one must be used up. */
  feed(chunk: Buffer): void {
    if (this.pending) throw new TypeError("the last chunk is not used up");
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * Finds the next thing in the chunk.
   * @throws RolegateError protocol_violation for a refused type or a length outside its limits; the bytes before it
   *   have been reported by then, and every further call throws the same
   */
  next(): Step {
    if (this.#held > 0) return this.#resume();
    const chunk = this.#chunk;
    const size = chunk.length;
    let at = this.#at;
    if (at < size && this.rest > 0) {
      const taken = Math.min(this.rest, size - at);
      this.rest -= taken;
      return this.#report(Step.rest, chunk, at, at + taken);
    }
    const from = at;
    if (this.#passing > 0) {
      const taken = Math.min(this.#passing, size - at);
      this.#passing -= taken;
      at += taken;
    }
    const { limits, needs } = this.table;
    while (size - at >= headerBytes) {
      const type = chunk[at]!;
      const length = frameLength(chunk, at);
      const need = needs[type]!;
      if (length < headerBytes || length > limits[type]! || need > 0) {
        // What was passed over comes first, so that a violation or a change of table takes effect exactly here.
        if (at > from) break;
        if (length < headerBytes || length > limits[type]!) return violation(type, limits[type]!);
        const taken = Math.min(length, size - at);
        if (taken < need && taken < length) return this.#hold(Math.min(need, length));
        this.type = type;
        this.length = length;
        this.rest = length - taken;
        return this.#report(Step.frame, chunk, at, at + taken);
      }
      const taken = Math.min(length, size - at);
      at += taken;
      this.#passing = length - taken;
    }
    if (at > from) return this.#report(Step.run, chunk, from, at);
    if (at < size) return this.#hold(0);
    this.#chunk = nothing;
    this.#at = 0;
    this.buffer = nothing;
    return Step.end;
  }

  #report(step: Step, buffer: Buffer, start: number, end: number): Step {
    this.buffer = buffer;
    this.start = start;
    this.end = end;
    if (buffer === this.#chunk) this.#at = end;
    return step;
  }

  /** Keeps what is left of the chunk, the beginning of a message of which `wanted` bytes are needed at once. */
  #hold(wanted: number): Step {
    this.#wanted = wanted;
    this.#gather(wanted === 0 ? headerBytes : wanted);
    return this.next();
  }

  /** Adds to the held bytes what the chunk has, up to `target` in all; true once they are together. */
  #gather(target: number): boolean {
    const chunk = this.#chunk;
    const held = this.#held + Math.min(target - this.#held, chunk.length - this.#at);
    if (held > this.#carry.length) {
      // A header may promise a gigabyte: memory follows what has arrived, not what was promised.
      const size = Math.min(target, Math.max(trustedBytes, 2 * held));
      const carry = Buffer.allocUnsafe(size);
      this.#carry.copy(carry, 0, 0, this.#held);
      this.#carry = carry;
    }
    chunk.copy(this.#carry, this.#held, this.#at, this.#at + held - this.#held);
    this.#at += held - this.#held;
    this.#held = held;
    return held === target;
  }

  /** Goes on with a message that an earlier chunk began. */
  #resume(): Step {
    if (this.#wanted === 0) {
      if (!this.#gather(headerBytes)) return this.#exhausted();
      const type = this.#carry[0]!;
      const length = frameLength(this.#carry, 0);
      const limit = this.table.limits[type]!;
      if (length < headerBytes || length > limit) return violation(type, limit);
      const need = this.table.needs[type]!;
      if (need === 0) {
        this.#passing = length - headerBytes;
        return this.#release(Step.run, headerBytes);
      }
      this.#wanted = Math.min(need, length);
    }
    if (!this.#gather(this.#wanted)) return this.#exhausted();
    this.type = this.#carry[0]!;
    this.length = frameLength(this.#carry, 0);
    this.rest = this.length - this.#wanted;
    return this.#release(Step.frame, this.#wanted);
  }

  /** Reports the held bytes; their buffer is the caller's from here on. */
  #release(step: Step, end: number): Step {
    const carry = this.#carry;
    this.#carry = nothing;
    this.#held = 0;
    this.#wanted = 0;
    return this.#report(step, carry, 0, end);
  }

  #exhausted(): Step {
    this.#chunk = nothing;
    this.#at = 0;
    this.buffer = nothing;
    return Step.end;
  }
}

/**
 * Length of the message whose header stands at `at`, type byte included. Unsigned: as a signed number a length of
 * 2^31 and more would pass every upper limit. Below 5 where the length word is below the 4 that it counts itself.
 */
function frameLength(buffer: Buffer, at: number): number {
  return (
    1 + buffer[at + 1]! * 0x1000000 + ((buffer[at + 2]! << 16) | (buffer[at + 3]! << 8) | buffer[at + 4]!)
  );
}

function violation(type: number, limit: number): never {
  // As the server does, the byte is named by number: it may be anything.
  if (limit === 0) refuse("protocol_violation", `message type ${type} is not allowed here`);
  refuse("protocol_violation", `invalid length of a message of type ${type}`);
}
