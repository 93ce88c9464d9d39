import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { readMockSecret } from "../../../src/config/mock-secret.ts";
import { changed, goodEnv, load } from "./operator-files.ts";

function directory(): Disposable & { readonly file: string } {
  const made = mkdtempSync(path.join(tmpdir(), "rolegate-mock-"));
  return {
    file: path.join(made, "var", "mock-secret"),
    [Symbol.dispose]: () => rmSync(made, { recursive: true, force: true }),
  };
}

function failed(error: unknown): void {
  throw error;
}

describe("the secret for names that do not exist", () => {
  test("is made once, for its owner alone, and stays", () => {
    using place = directory();
    const given = { kind: "kept", file: place.file } as const;
    const secret = readMockSecret(given, failed);
    expect(secret).toHaveLength(32);
    expect(readMockSecret(given, failed)).toEqual(secret);
    expect(statSync(place.file).mode & 0o777).toBe(0o600);
    expect(readdirSync(path.dirname(place.file))).toEqual(["mock-secret"]);
    using other = directory();
    expect(readMockSecret({ kind: "kept", file: other.file }, failed)).not.toEqual(secret);
  });

  test("that cannot be kept is good for this process, and somebody hears of it", () => {
    using place = directory();
    symlinkSync("nowhere", path.dirname(place.file));
    const heard: unknown[] = [];
    const given = { kind: "kept", file: place.file } as const;
    expect(readMockSecret(given, (error) => heard.push(error))).toHaveLength(32);
    expect(heard).toHaveLength(1);
  });

  test("in a file that holds something else is an error that does not show it", () => {
    using place = directory();
    readMockSecret({ kind: "kept", file: place.file }, failed);
    writeFileSync(place.file, "hunter2");
    expect(() => readMockSecret({ kind: "kept", file: place.file }, failed)).toThrow(
      `${place.file}: expected 64 hexadecimal digits`,
    );
    expect(readFileSync(place.file, "utf8")).toBe("hunter2");
  });
});

const given = (value: string) =>
  changed("  - type: password\n", `  - type: password\n    mockSecret: ${value}\n`);

describe("mockSecret of a password identity", () => {
  const long = "0123456789abcdef0123456789abcdef";

  test("is read from elsewhere, and else kept beside the configuration", () => {
    const loaded = load(given("{ env: MOCK }"), { ...goodEnv, MOCK: long });
    if (loaded.kind === "refused") throw new Error(JSON.stringify(loaded.problems));
    expect(readMockSecret(loaded.config.identities.mockSecret, failed)).toEqual(Buffer.from(long));
    const usual = load(changed("log: { level: warn }", "log: { level: warn }"));
    expect(usual).toMatchObject({
      config: {
        identities: { mockSecret: { kind: "kept", file: expect.stringMatching(/\/var\/mock-secret$/) } },
      },
    });
  });

  test.each([
    ["{ env: MOCK }", { MOCK: "short" }, "wrong value", "a shorter one"],
    [long, {}, "wrong value", "text"],
    ["{ env: NOWHERE }", {}, expect.any(String), expect.any(String)],
  ])("%s is refused, and not shown", (value, env, message, found) => {
    expect(load(given(value), { ...goodEnv, ...env })).toMatchObject({
      kind: "refused",
      problems: [{ line: 22, setting: "identities[1].mockSecret", message, found }],
    });
  });
});
