import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { text as readAll } from "node:stream/consumers";
import { Writable } from "node:stream";
import type { Command } from "commander";
import { makeVerifier, saltBytes } from "../scram/verifier.ts";

/** Adds `rolegate password` to the program. */
export function registerPassword(program: Command): void {
  program
    .command("password")
    .description("print the SCRAM-SHA-256 verifier of a password, for identities in rolegate.yaml")
    .option("-i, --iterations <count>", "how costly a guess is; it costs each log-in as much", "4096")
    .addHelpText(
      "after",
      "\nThe password is asked for on a terminal, and otherwise read from standard input.",
    )
    .action(async (options: { iterations: string }, command: Command) => {
      const iterations = Number(options.iterations);
      if (!/^[0-9]+$/.test(options.iterations) || iterations < 4096 || iterations > 10_000_000) {
        command.error(`error: --iterations: found ${options.iterations}, expected 4096 to 10000000`, {
          exitCode: 2,
        });
      }
      const password = process.stdin.isTTY
        ? await ask()
        : (await readAll(process.stdin)).replace(/\r?\n$/, "");
      if (password === undefined) command.error("error: the two passwords differ", { exitCode: 1 });
      else if (password === "")
        command.error("error: found no password, expected one on standard input", { exitCode: 2 });
      else
        process.stdout.write(
          `${await makeVerifier(password, { iterations, salt: randomBytes(saltBytes) })}\n`,
        );
    });
}

/** The password, typed twice without echo; undefined if the two differ. */
async function ask(): Promise<string | undefined> {
  const first = await askOnce("Password: ");
  if (first === "") return first;
  return (await askOnce("Again: ")) === first ? first : undefined;
}

/** Prompts go to standard error, so that standard output is the verifier alone. */
function askOnce(prompt: string): Promise<string> {
  process.stderr.write(prompt);
  // readline does the line editing; what it would echo goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  return new Promise((resolve) => {
    let answer = "";
    lines.once("line", (line) => {
      answer = line;
      lines.close();
    });
    lines.once("SIGINT", () => {
      process.stderr.write("\n");
      process.exit(130);
    });
    lines.once("close", () => {
      process.stderr.write("\n");
      resolve(answer);
    });
  });
}
