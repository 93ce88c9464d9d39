import { readFileSync } from "node:fs";
import path from "node:path";
import { custom, type IssueSink } from "../document/mapping.ts";
import { printable } from "../document/validate.ts";
import { runCommand } from "./run-command.ts";

/** Where values come from that do not stand in the configuration file itself. */
export type Sources = {
  /** The directory that relative paths start from: the configuration file's. */
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
};

/** A value that stands elsewhere, as the file writes it. */
export type Reference =
  | { readonly kind: "env"; readonly name: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "command"; readonly words: readonly string[] };

/** More than any value: a certificate chain or a key set has some tens of kilobytes. */
export const maxBytes = 1_048_576;

/** `{ env: NAME }`, `{ file: path }` or `{ command: [program, …] }`; undefined for anything else. */
export function readReference(value: unknown): Reference | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const [entry, ...more] = Object.entries(value) as [string, unknown][];
  if (entry === undefined || more.length > 0) return undefined;
  const [key, target] = entry;
  if (key === "env" && typeof target === "string") return { kind: "env", name: target };
  if (key === "file" && typeof target === "string") return { kind: "file", path: target };
  if (key === "command" && isWords(target)) return { kind: "command", words: target };
  return undefined;
}

function isWords(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((word) => typeof word === "string" && !word.includes("\0"))
  );
}

/**
 * What a reference stands for, without one line end at its end; undefined, with an issue, if there is nothing.
 * What was read is never part of the issue.
 */
export function resolveReference(
  reference: Reference,
  sources: Sources,
  sink: IssueSink,
): string | undefined {
  if (reference.kind === "env") return fromEnvironment(reference.name, sources, sink);
  if (reference.kind === "file") {
    return notEmpty(readText(reference.path, sources, sink), `the file ${printable(reference.path)}`, sink);
  }
  const [program = "", ...args] = reference.words;
  return notEmpty(runCommand(program, args, sources, sink), `the output of ${printable(program)}`, sink);
}

function fromEnvironment(name: string, { env }: Sources, sink: IssueSink): string | undefined {
  // What is no name may be the secret itself, written here by mistake: it is not quoted.
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    sink.addIssue(
      custom(
        "{ env: NAME } with the name of an environment variable",
        "text that is no variable's name",
        "wrong value",
      ),
    );
    return undefined;
  }
  const value = env[name];
  if (value === undefined) {
    sink.addIssue(
      custom(`the environment variable ${name} to be set`, "no such variable", "missing variable"),
    );
    return undefined;
  }
  return notEmpty(value, `the environment variable ${name}`, sink);
}

function notEmpty(value: string | undefined, what: string, sink: IssueSink): string | undefined {
  if (value !== "") return value;
  sink.addIssue(custom(`${what} to hold a value`, "an empty one", "empty value"));
  return undefined;
}

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
