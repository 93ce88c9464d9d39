import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

const newline = 0x0a;

/** Append-only, never through a link that somebody else planted, never waiting on a named pipe. */
const flags =
  constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** A write that ended early: `written` of its bytes are in the file. */
export class WriteError extends Error {
  readonly written: number;

  constructor(written: number, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = "WriteError";
    this.written = written;
  }
}

/** What the journal needs of a file; tests put a failing one in its place. */
export type AppendFile = {
  /** Writes the first `length` bytes, all of them. Throws WriteError. */
  write(bytes: Buffer, length: number): void;
  /** False if the file was removed or renamed, so that nobody would find what is written to it. */
  stillThere(): boolean;
  close(): void;
};

/** The name of a day's file, for `2026-01-31`: `2026-01-31.jsonl`. */
export function dayFileName(day: string): string {
  return `${day}.jsonl`;
}

/**
 * Opens the day's file for appending; creates the directory (0700) and the file (0600) where they are missing.
 * A last line that has no end (the disk was full, the machine lost power) is ended, so that it cannot swallow
 * the next one; readers skip it. Throws the system's error.
 */
export function openDayFile(directory: string, day: string): AppendFile {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, dayFileName(day));
  const fd = openSync(path, flags, 0o600);
  const file = new DayFile(path, fd);
  try {
    if (!fstatSync(fd).isFile()) throw new Error(`${path}: not a regular file`);
    if (isTorn(fd)) file.write(Buffer.of(newline), 1);
  } catch (error) {
    file.close();
    throw error;
  }
  return file;
}

/** True if more than the owner may create, rename and remove files of the record. */
export function isWritableByOthers(directory: string): boolean {
  return (statSync(directory).mode & 0o022) !== 0;
}

/** An open file of the record. */
export class DayFile implements AppendFile {
  readonly #path: string;
  readonly #fd: number;

  constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  write(bytes: Buffer, length: number): void {
    let written = 0;
    try {
      // A nearly full disk takes a part of the bytes and says so; asking again for the rest gets the error.
      while (written < length) written += writeSync(this.#fd, bytes, written, length - written);
    } catch (error) {
      throw new WriteError(written, error);
    }
  }

  stillThere(): boolean {
    const named = lstatSync(this.#path, { throwIfNoEntry: false });
    const open = fstatSync(this.#fd);
    return named !== undefined && named.ino === open.ino && named.dev === open.dev;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function isTorn(fd: number): boolean {
  const { size } = fstatSync(fd);
  const last = Buffer.alloc(1);
  return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== newline;
}
