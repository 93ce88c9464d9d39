import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { text as readAll } from "node:stream/consumers";
import { type Readable, Writable } from "node:stream";
import type { Command } from "commander";
import { stringify } from "yaml";
import { verifiersOf } from "./import-verifiers.ts";
import { makeVerifier, saltBytes } from "../scram/verifier.ts";

/** A terminal, or what is piped in. */
export type PasswordInput = Readable & { readonly isTTY?: boolean };

type PasswordOptions = {
  readonly iterations: string;
  readonly fromPostgres?: string;
  readonly user?: readonly string[];
};

/** Adds `rolegate password` to the program. */
export function registerPassword(program: Command): void {
  program
    .command("password")
    .description("print the SCRAM-SHA-256 verifier of a password, for identities in rolegate.yaml")
    .option("--from-postgres <url>", "print those that a server keeps of its roles; needs a superuser there")
    .option("-u, --user <name...>", "with --from-postgres: these roles alone")
    .option("-i, --iterations <count>", "how costly a guess is; it costs each log-in as much", "4096")
    .addHelpText(
      "after",
      "\nThe password is asked for on a terminal, and otherwise read from standard input." +
        "\nExit codes: 0 fine, 1 a role of the server was left out, 2 could not run.",
    )
    .action(async ({ iterations, fromPostgres, user }: PasswordOptions) => {
      if (fromPostgres !== undefined) {
        const { users, left } = await verifiersOf(fromPostgres, user);
        process.stdout.write(stringify({ users }, { lineWidth: 0 }));
        for (const { name, why } of left) process.stderr.write(`left out: ${name}: ${why}\n`);
        process.exitCode = left.length === 0 ? 0 : 1;
        return;
      }
      if (user !== undefined) throw new Error("--user: expected --from-postgres with it");
      process.stdout.write(`${await verifierFrom(process.stdin, process.stderr, iterations)}\n`);
    });
}

/**
 * The verifier of the password that `input` gives: asked for twice without echo on a terminal, with the prompts on
 * `prompts`, otherwise all of the input without one line end at its end.
 * @throws Error for iterations out of range, no password, or two that differ
 */
export async function verifierFrom(
  input: PasswordInput,
  prompts: Writable,
  iterations: string,
): Promise<string> {
  const count = /^[0-9]{4,8}$/.test(iterations) ? Number(iterations) : 0;
  if (count < 4096 || count > 10_000_000) {
    throw new Error(`--iterations: found ${iterations}, expected 4096 to 10000000`);
  }
  const password = input.isTTY ? await ask(input, prompts) : (await readAll(input)).replace(/\r?\n$/, "");
  if (password === "") throw new Error("found no password, expected one on standard input");
  return makeVerifier(password, { iterations: count, salt: randomBytes(saltBytes) });
}

async function ask(input: Readable, prompts: Writable): Promise<string> {
  const first = await askOnce("Password: ", input, prompts);
  if (first !== "" && (await askOnce("Again: ", input, prompts)) !== first) {
    throw new Error("found two passwords that differ, expected the same one twice");
  }
  return first;
}

function askOnce(prompt: string, input: Readable, prompts: Writable): Promise<string> {
  prompts.write(prompt);
  // readline does the line editing and sets the terminal to raw mode; what it would echo goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
  return new Promise((resolve, reject) => {
    lines.once("line", resolve);
    lines.once("line", () => lines.close());
    lines.once("SIGINT", () => lines.close());
    // After an answer this changes nothing any more.
    lines.once("close", () => {
      prompts.write("\n");
      reject(new Error("found no password, expected one"));
    });
  });
}
