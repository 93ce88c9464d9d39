import { refuse } from "../errors.ts";
import { maxNameBytes } from "./limits.ts";

// Texts on the wire end with a NUL and are handled here in two forms. The byte form is a string with one character per
// byte (latin1): it is exact for any bytes and cheap to make, so it serves as a key. The decoded form is what people
// and the parser read, and exists only where the bytes are valid UTF-8.

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Offset of the NUL that ends the text at `from`.
 * @throws RolegateError protocol_violation if there is none before `end`
 */
export function endOfText(buffer: Buffer, from: number, end: number): number {
  // Most names are empty or short, and a loop finds their end sooner than a call into the runtime.
  for (let at = from, near = Math.min(end, from + 16); at < near; at++) if (buffer[at] === 0) return at;
  const found = buffer.indexOf(0, from);
  if (found < 0 || found >= end) refuse("protocol_violation", "invalid string in message");
  return found;
}

/** The decoded form of `buffer[start, end)`; undefined if it is not valid UTF-8. A byte order mark is kept. */
export function decodeUtf8(buffer: Uint8Array, start: number, end: number): string | undefined {
  try {
    return strict.decode(buffer.subarray(start, end));
  } catch {
    return undefined;
  }
}

/** The decoded form of a byte form; undefined if it is not valid UTF-8. */
export function decodeBytes(bytes: string): string | undefined {
  const buffer = Buffer.from(bytes, "latin1");
  return decodeUtf8(buffer, 0, buffer.length);
}

/** Byte form of the name of a statement or portal in `buffer[start, end)`, cut as the server cuts it. */
export function wireName(buffer: Buffer, start: number, end: number): string {
  if (start === end) return "";
  return buffer.toString("latin1", start, Math.min(end, start + maxNameBytes));
}

/** The same byte form for a name in decoded form, such as that of an SQL PREPARE: both share one namespace. */
export function wireNameOf(name: string): string {
  const bytes = Buffer.from(name, "utf8");
  return wireName(bytes, 0, bytes.length);
}
