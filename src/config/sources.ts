import { readFileSync } from "node:fs";
import path from "node:path";
import { custom, type IssueSink } from "../document/mapping.ts";
import { printable } from "../document/validate.ts";

/** Where values come from that do not stand in the configuration file itself. */
export type Sources = {
  /** The directory that relative paths start from: the configuration file's. */
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  /** Commands run when what they print is needed, and not now: while sessions run nothing may wait for one. */
  readonly commandsLater?: boolean;
};

/** More than any value: a certificate chain or a key set has some tens of kilobytes. */
export const maxBytes = 1_048_576;

/** A file's text, without one line end at its end; relative paths start at the configuration file's directory. */
export function readText(file: string, { directory }: Sources, sink: IssueSink): string | undefined {
  try {
    const bytes = readFileSync(path.resolve(directory, file));
    if (bytes.length > maxBytes) {
      sink.addIssue(
        custom(
          `at most ${maxBytes} bytes in ${printable(file)}`,
          `${bytes.length} bytes`,
          "the file is too large",
        ),
      );
      return undefined;
    }
    return withoutLineEnd(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    const found =
      error instanceof Error && "code" in error
        ? readFailure(String(error.code))
        : "a file that is not UTF-8 text";
    sink.addIssue(custom(`a readable text file at ${printable(file)}`, found, "unreadable file"));
    return undefined;
  }
}

function readFailure(code: string): string {
  switch (code) {
    case "ENOENT":
      return "no such file";
    case "EACCES":
      return "a file that this user may not read";
    case "EISDIR":
      return "a directory";
    case "ERR_ENCODING_INVALID_ENCODED_DATA":
      return "a file that is not UTF-8 text";
    default:
      return `an error (${code})`;
  }
}

/** Editors and `echo` end a file with one line end that is not part of the value. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, "");
}
