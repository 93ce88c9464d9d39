import { refuse } from "../errors.ts";
import { headerBytes } from "./frame-table.ts";

/** MaxAllocSize of PostgreSQL's utils/memutils.h: no peer takes a longer message. */
const maxLength = 0x3fffffff;

/**
 * The length word of a message whose body has `bodyBytes`.
 * @throws RolegateError statement_too_complex where it would not fit. A length that wraps around lets the body's end
 *   pass for the next message: that was message smuggling in four drivers (CVE-2024-27304, CVE-2024-32655,
 *   RUSTSEC-2024-0363, RUSTSEC-2024-0365).
 */
export function lengthWord(bodyBytes: number): number {
  const length = bodyBytes + 4;
  if (!Number.isSafeInteger(length) || length > maxLength) {
    refuse("statement_too_complex", "a message would be longer than the protocol allows");
  }
  return length;
}

/** One message: its type, then the parts of its body one after another. */
export function message(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const bodyBytes = parts.reduce((sum, part) => sum + part.length, 0);
  const length = lengthWord(bodyBytes);
  const buffer = Buffer.allocUnsafe(headerBytes + bodyBytes);
  buffer[0] = type.charCodeAt(0);
  buffer.writeUInt32BE(length, 1);
  let at = headerBytes;
  for (const part of parts) {
    buffer.set(part, at);
    at += part.length;
  }
  return buffer;
}

/**
 * A text in UTF-8 with its NUL.
 * @throws RolegateError encoding_invalid, naming `field` and not its value, for a text that holds a NUL itself: what
 *   stands behind it would be read as the next field
 */
export function text(value: string, field: string): Buffer {
  if (value.includes("\0")) refuse("encoding_invalid", `${field} contains a NUL byte`);
  return Buffer.from(`${value}\0`, "utf8");
}

export function int16(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(2);
  buffer.writeUInt16BE(value, 0);
  return buffer;
}

export function int32(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeInt32BE(value, 0);
  return buffer;
}
