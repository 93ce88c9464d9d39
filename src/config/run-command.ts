import { execFile, execFileSync } from "node:child_process";
import { custom, type IssueSink } from "../document/mapping.ts";
import { printable } from "../document/validate.ts";
import { maxBytes, type Sources, withoutLineEnd } from "./sources.ts";

/** Longer than a command that asks a secret store needs, in milliseconds. */
const commandTimeout = 10_000;

/** What both ways of running a command share. No shell: a word is an argument, whatever characters it holds. */
function commandOptions({ directory, env }: Sources) {
  return {
    cwd: directory,
    env,
    timeout: commandTimeout,
    killSignal: "SIGKILL",
    maxBuffer: maxBytes,
    encoding: "utf8",
  } as const;
}

/** What a command prints; undefined, with an issue, if it fails. */
export function runCommand(
  program: string,
  args: readonly string[],
  sources: Sources,
  sink: IssueSink,
): string | undefined {
  try {
    // Its standard error goes to ours.
    return withoutLineEnd(
      execFileSync(program, args, { ...commandOptions(sources), stdio: ["ignore", "pipe", "inherit"] }),
    );
  } catch (error) {
    const expected = `the command ${printable(program)} to print the value`;
    sink.addIssue(custom(expected, commandFailure(error), "the command failed"));
    return undefined;
  }
}

/**
 * Runs a command as at the start, without holding up anything else.
 * @returns rejects, naming the program and nothing that it was given or printed, if it fails.
 */
export function runCommandAgain(
  [program = "", ...args]: readonly string[],
  sources: Sources,
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, commandOptions(sources), (error, stdout) => {
      if (error === null) resolve(withoutLineEnd(stdout));
      else reject(new Error(`the command ${program} no longer prints the secret`));
    });
  });
}

function commandFailure(error: unknown): string {
  if (!(error instanceof Error)) return "an error";
  if ("code" in error && error.code === "ENOENT") return "no such program";
  if ("code" in error && error.code === "ETIMEDOUT") return `no end within ${commandTimeout / 1000} s`;
  if ("status" in error && typeof error.status === "number") return `exit code ${error.status}`;
  return "code" in error ? `an error (${String(error.code)})` : "an error";
}
