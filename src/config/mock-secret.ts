import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as z from "zod";
import { custom } from "../document/mapping.ts";
import { readReference, resolveReference } from "./reference.ts";
import { secret } from "./sourced.ts";
import type { Sources } from "./sources.ts";

/**
 * What the answers to names that do not exist are made from. It outlives the process, or a restart would change their salts
 * and those of nobody else; PostgreSQL keeps its mock_authentication_nonce in pg_control for that. It is not made of
 * the verifiers: whoever is shown something that is can guess passwords against it at home.
 */
export type MockSecret =
  | { readonly kind: "given"; readonly secret: () => Buffer }
  /** Absolute path of a file that is made where it is missing. */
  | { readonly kind: "kept"; readonly file: string };

/** Relative to the configuration file. */
export const mockSecretFile = "var/mock-secret";

const expected =
  "{ env: NAME }, { file: path } or { command: [program, argument, …] } with at least 32 characters";

/** `mockSecret` of a password identity. */
export function mockSecretSetting(sources: Sources | undefined): z.ZodType<() => Buffer> {
  if (sources === undefined) return secret(undefined) as unknown as z.ZodType<() => Buffer>;
  return z.unknown().transform((value, context) => {
    const reference = readReference(value);
    const text = reference && resolveReference(reference, sources, context);
    if (text !== undefined && text.length >= 32) {
      const bytes = Buffer.from(text);
      return () => bytes;
    }
    if (reference === undefined || text !== undefined)
      context.addIssue(custom(expected, text === undefined ? undefined : "a shorter one", "wrong value"));
    return z.NEVER;
  });
}

const bytes = 32;

/**
 * The secret; made and kept in its file, for its owner alone, if nobody has made it yet.
 * @param given undefined: nobody is asked for a password, and none is kept
 * @param unkept called where the file cannot be written: the secret is good until the process ends then
 * @throws Error if the file holds something else
 */
export function readMockSecret(given: MockSecret | undefined, unkept: (error: unknown) => void): Buffer {
  if (given === undefined) return randomBytes(bytes);
  if (given.kind === "given") return given.secret();
  const known = kept(given.file);
  if (known !== undefined) return known;
  const made = randomBytes(bytes);
  try {
    keep(given.file, made);
  } catch (error) {
    unkept(error);
    return made;
  }
  return kept(given.file) ?? made;
}

function kept(file: string): Buffer | undefined {
  let text: string;
  try {
    text = readFileSync(file, "latin1").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  if (/^[0-9a-f]{64}$/.test(text)) return Buffer.from(text, "hex");
  throw new Error(`${file}: expected ${bytes * 2} hexadecimal digits, as rolegate writes them`);
}

/** Whole or not at all; another process that was quicker keeps its own. */
function keep(file: string, made: Buffer): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const whole = `${file}.${process.pid}`;
  writeFileSync(whole, `${made.toString("hex")}\n`, { mode: 0o600, flag: "wx" });
  try {
    linkSync(whole, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(whole, { force: true });
  }
}
