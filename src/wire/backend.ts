import { refuse } from "../errors.ts";
import { headerBytes } from "./frame-table.ts";
import { BodyReader } from "./reader.ts";
import { int16, int32, message, text } from "./writer.ts";

// The messages of a server: those that we send in its place, and what we read of those that pass. Readers take one
// message as `buffer[start, end)` and throw RolegateError protocol_violation where it is malformed.

/** Transaction status in ReadyForQuery: idle, in a transaction, in a failed transaction. */
export type TransactionStatus = "I" | "T" | "E";

export const noData = message("n");
export const parseComplete = message("1");
export const bindComplete = message("2");
export const closeComplete = message("3");
export const emptyQueryResponse = message("I");

const ready = {
  I: message("Z", Buffer.from("I")),
  T: message("Z", Buffer.from("T")),
  E: message("Z", Buffer.from("E")),
} as const;

export function readyForQuery(status: TransactionStatus): Buffer {
  return ready[status];
}

/** The status that a ReadyForQuery gives. */
export function readReadyForQuery(buffer: Buffer, start: number, end: number): TransactionStatus {
  const status = end - start === headerBytes + 1 ? buffer[start + headerBytes] : undefined;
  if (status === 0x49) return "I";
  if (status === 0x54) return "T";
  if (status === 0x45) return "E";
  return refuse("protocol_violation", "invalid transaction status of a ReadyForQuery message");
}

/** @throws RolegateError encoding_invalid for a NUL in either */
export function parameterStatus(name: string, value: string): Buffer {
  return message("S", text(name, "setting's name"), text(value, "setting's value"));
}

export type ParameterStatus = { readonly name: string; readonly value: string };

export function readParameterStatus(buffer: Buffer, start: number, end: number): ParameterStatus {
  const body = new BodyReader(buffer, start, end);
  const name = body.text().toString("utf8");
  const value = body.text().toString("utf8");
  body.done();
  return { name, value };
}

/** `key`: 4 bytes in protocol 3.0, up to 256 in 3.2. */
export function backendKeyData(processId: number, key: Uint8Array): Buffer {
  return message("K", int32(processId), key);
}

export type BackendKeyData = { readonly processId: number; readonly key: Buffer };

export function readBackendKeyData(buffer: Buffer, start: number, end: number): BackendKeyData {
  const body = new BodyReader(buffer, start, end);
  const processId = body.int32();
  return { processId, key: Buffer.from(body.bytes(body.remaining)) };
}

/** @throws RolegateError encoding_invalid for a NUL in it */
export function commandComplete(tag: string): Buffer {
  return message("C", text(tag, "command tag"));
}

/** ParameterDescription of a statement without parameters. */
export const noParameters = message("t", int16(0));

/** The type of all columns that are ours: `text`, of any length, in pg_type.dat. */
const textColumn = Buffer.concat([
  int32(0), // of no table
  int16(0),
  int32(25),
  int16(0xffff), // -1
  int32(-1),
  int16(0), // as text
]);

/** RowDescription of columns that are all text. @throws RolegateError encoding_invalid for a NUL in a name */
export function textColumns(names: readonly string[]): Buffer {
  return message(
    "T",
    int16(names.length),
    ...names.flatMap((name) => [text(name, "column's name"), textColumn]),
  );
}

/** DataRow of texts. */
export function textRow(values: readonly string[]): Buffer {
  const fields = values.flatMap((value) => {
    const bytes = Buffer.from(value, "utf8");
    return [int32(bytes.length), bytes];
  });
  return message("D", int16(values.length), ...fields);
}

/** The command tag: `SELECT 5`, `BEGIN`, `INSERT 0 1`. */
export function readCommandTag(buffer: Buffer, start: number, end: number): string {
  const body = new BodyReader(buffer, start, end);
  const tag = body.text().toString("latin1");
  body.done();
  return tag;
}

/** The count at the end of a CommandComplete's tag; undefined where it has none. Reads the bytes in place. */
export function readRowCount(buffer: Buffer, start: number, end: number): number | undefined {
  let at = end - 2;
  let count = 0;
  let unit = 1;
  const first = start + headerBytes;
  for (; at > first; at--, unit *= 10) {
    const digit = buffer[at]! - 0x30;
    if (digit < 0 || digit > 9) break;
    count += digit * unit;
  }
  return at < end - 2 && buffer[at] === 0x20 ? count : undefined;
}
