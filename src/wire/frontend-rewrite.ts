import { headerBytes } from "./frame-table.ts";
import { readParse } from "./frontend.ts";
import { message, text } from "./writer.ts";

// What we send upstream in place of a client's message, or of our own.

/** Sync. */
export const sync = message("S");

/** Flush. */
export const flush = message("H");

/** Terminate. */
export const terminate = message("X");

/**
 * Query with the SQL given.
 * @throws RolegateError encoding_invalid for a NUL in it; statement_too_complex where it would be too long
 */
export function query(sql: string): Buffer {
  return message("Q", text(sql, "statement"));
}

const terminator = Buffer.alloc(1);

/** The Parse in `buffer[start, end)` with another SQL, in UTF-8 without NUL; name and parameter types stay. */
export function parseWithSql(buffer: Buffer, start: number, end: number, sql: Uint8Array): Buffer {
  const { typesStart } = readParse(buffer, start, end);
  const nameEnd = buffer.indexOf(0, start + headerBytes) + 1;
  const name = buffer.subarray(start + headerBytes, nameEnd);
  return message("P", name, sql, terminator, buffer.subarray(typesStart, end));
}

/** The Execute in `buffer[start, end)` without a limit of rows. */
export function executeWithoutLimit(buffer: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.from(buffer.subarray(start, end));
  copy.writeInt32BE(0, copy.length - 4);
  return copy;
}
