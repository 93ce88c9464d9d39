import { PassThrough, Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { type PasswordInput, verifierFrom } from "../../../src/cli/password.ts";
import { makeVerifier, parseVerifier } from "../../../src/scram/verifier.ts";

/** Whether a verifier is that of a password. */
async function isVerifierOf(password: string, verifier: string): Promise<boolean> {
  const parsed = parseVerifier(verifier);
  if (parsed === undefined) return false;
  return (await makeVerifier(password, { iterations: parsed.iterations, salt: parsed.salt })) === verifier;
}

const nowhere = () => new PassThrough().resume();

describe("a password that is piped in", () => {
  test.each([
    ["hunter2\n", "hunter2"],
    ["hunter2\r\n", "hunter2"],
    ["hunter2", "hunter2"],
    [" two words \n", " two words "],
    ["pässwörd\n\n", "pässwörd\n"],
  ])("%j is read as %j", async (input, password) => {
    const verifier = await verifierFrom(Readable.from([Buffer.from(input)]), nowhere(), "4096");
    expect(await isVerifierOf(password, verifier)).toBe(true);
  });

  test("gets a new salt each time", async () => {
    const one = await verifierFrom(Readable.from(["x"]), nowhere(), "5000");
    expect(one).toMatch(/^SCRAM-SHA-256\$5000:/);
    expect(await verifierFrom(Readable.from(["x"]), nowhere(), "5000")).not.toBe(one);
  });

  test.each(["", "\n"])("%j is none", async (input) => {
    await expect(verifierFrom(Readable.from([input]), nowhere(), "4096")).rejects.toThrow(
      "found no password",
    );
  });

  test.each(["4095", "0", "-1", "1e9", "many", "", "99999999"])(
    "%j iterations are refused",
    async (iterations) => {
      await expect(verifierFrom(Readable.from(["x"]), nowhere(), iterations)).rejects.toThrow("--iterations");
    },
  );
});

/** Types into a terminal, line by line as it is prompted, and gives what it showed. */
async function typed(answers: readonly string[]): Promise<{ verifier: Promise<string>; shown: string }> {
  const input: PasswordInput = Object.assign(new PassThrough(), { isTTY: true });
  const prompts = new PassThrough();
  const remaining = [...answers];
  let shown = "";
  prompts.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
    if (chunk.includes(": ")) setImmediate(() => (input as PassThrough).write(remaining.shift() ?? "\u0003"));
  });
  const verifier = verifierFrom(input, prompts, "4096");
  await verifier.catch(() => undefined);
  return { verifier, shown };
}

describe("a password that is typed", () => {
  test("is asked for twice", async () => {
    const { verifier } = await typed(["hunter2\r", "hunter2\r"]);
    expect(await isVerifierOf("hunter2", await verifier)).toBe(true);
  });

  test("may be corrected while typing", async () => {
    const { verifier } = await typed(["huntex\u007fr2\r", "x\u0015hunter2\r"]);
    expect(await isVerifierOf("hunter2", await verifier)).toBe(true);
  });

  test.each([
    [["hunter2\r", "hunter3\r"], "found two passwords that differ"],
    [["\r"], "found no password"],
    [["hunt\u0003"], "found no password"],
    [["hunter2\r", "\u0003"], "found no password"],
  ])("%j is refused", async (answers, message) => {
    const { verifier } = await typed(answers);
    await expect(verifier).rejects.toThrow(message);
  });

  test("is never shown", async () => {
    const { shown } = await typed(["hunter2\r", "hunter2\r"]);
    expect(shown).toBe("Password: \nAgain: \n");
  });
});
