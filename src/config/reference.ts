import { custom, type IssueSink } from "../document/mapping.ts";
import { printable } from "../document/validate.ts";
import { runCommand } from "./run-command.ts";
import { readText, type Sources } from "./sources.ts";

/** A value that stands elsewhere, as the file writes it. */
export type Reference =
  | { readonly kind: "env"; readonly name: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "command"; readonly words: readonly string[] };

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

const role = "{role}";

/** True if what the reference stands for is another thing for each role. */
export function namesRole(reference: Reference): boolean {
  return textsOf(reference).some((text) => text.includes(role));
}

/** The reference with `{role}` filled in. */
export function forRole(reference: Reference, name: string): Reference {
  const fill = (text: string): string => text.replaceAll(role, () => name);
  if (reference.kind === "env") return { kind: "env", name: fill(reference.name) };
  if (reference.kind === "file") return { kind: "file", path: fill(reference.path) };
  return { kind: "command", words: reference.words.map(fill) };
}

function textsOf(reference: Reference): readonly string[] {
  if (reference.kind === "env") return [reference.name];
  return reference.kind === "file" ? [reference.path] : reference.words;
}
