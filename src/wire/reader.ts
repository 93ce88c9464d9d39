import { refuse } from "../errors.ts";
import { headerBytes } from "./frame-table.ts";
import { endOfText } from "./text.ts";

/**
 * Reads the fields of one message in the order of its definition (protocol chapter, "Message Formats").
 * Every method throws RolegateError protocol_violation where the body ends too early.
 */
export class BodyReader {
  readonly #buffer: Buffer;
  readonly #end: number;
  #at: number;

  /** `start` is the message's type byte, `end` the offset after its last byte. */
  constructor(buffer: Buffer, start: number, end: number) {
    this.#buffer = buffer;
    this.#at = start + headerBytes;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  byte(): number {
    return this.#buffer[this.#advance(1)]!;
  }

  /** Counts are unsigned: a Bind may carry 65,535 parameters. */
  uint16(): number {
    return this.#buffer.readUInt16BE(this.#advance(2));
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#advance(4));
  }

  uint32(): number {
    return this.#buffer.readUInt32BE(this.#advance(4));
  }

  /** A text up to its NUL, as bytes. */
  text(): Buffer {
    const start = this.#at;
    const end = endOfText(this.#buffer, start, this.#end);
    this.#at = end + 1;
    return this.#buffer.subarray(start, end);
  }

  /** The next `count` bytes; a view of the message, not a copy. */
  bytes(count: number): Buffer {
    const start = this.#advance(count);
    return this.#buffer.subarray(start, start + count);
  }

  /** A length of four bytes and that many bytes; undefined for the length -1, which means NULL. */
  value(): Buffer | undefined {
    const length = this.int32();
    if (length === -1) return undefined;
    return this.bytes(length);
  }

  /** The message must end here. */
  done(): void {
    if (this.#at !== this.#end) refuse("protocol_violation", "invalid message format");
  }

  #advance(count: number): number {
    const at = this.#at;
    if (count < 0 || count > this.#end - at)
      refuse("protocol_violation", "insufficient data left in message");
    this.#at = at + count;
    return at;
  }
}
