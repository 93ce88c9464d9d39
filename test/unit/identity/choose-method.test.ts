import { describe, expect, test } from "vitest";
import { chooseMethod, mayReceiveToken, type MethodConfig } from "../../../src/identity/choose-method.ts";
import type { PasswordUser } from "../../../src/identity/password-users.ts";

const users: ReadonlyMap<string, PasswordUser> = new Map();
const config = (has: { password: boolean; jwt: boolean; loopback?: boolean }): MethodConfig => ({
  passwordUsers: has.password ? users : undefined,
  jwt: has.jwt ? ["an issuer"] : [],
  plaintextTokensOnLoopback: has.loopback ?? false,
  roleNames: new Set(["analyst"]),
});

describe("chooseMethod", () => {
  test.each([
    ["analyst", "scram"],
    ["bob@example.com", "scram"],
    ["bob", "scram"],
  ])("only passwords: %s → %s", (name, method) => {
    expect(chooseMethod(name, config({ password: true, jwt: false }))).toBe(method);
  });

  test.each([
    ["analyst", "token"],
    ["bob@example.com", "token"],
    ["bob", "token"],
    ["", "token"],
  ])("only tokens: %s → %s", (name, method) => {
    expect(chooseMethod(name, config({ password: false, jwt: true }))).toBe(method);
  });

  test.each([
    ["analyst", "token"],
    ["Analyst", "scram"],
    ["bob@example.com", "token"],
    ["@", "token"],
    ["bob", "scram"],
    ["", "scram"],
    ["__proto__", "scram"],
  ])("both: %s → %s", (name, method) => {
    expect(chooseMethod(name, config({ password: true, jwt: true }))).toBe(method);
  });
});

test.each([
  [true, "10.0.0.1", false, true],
  [true, "10.0.0.1", true, true],
  [false, "10.0.0.1", true, false],
  [false, "127.0.0.1", true, true],
  [false, "127.0.0.1", false, false],
  [false, "", true, false],
])(
  "encrypted %j from %s with loopback allowed %j: token %j",
  (encrypted, remoteAddress, loopback, expected) => {
    const connection = { encrypted, remoteAddress };
    expect(mayReceiveToken(connection, config({ password: true, jwt: true, loopback }))).toBe(expected);
  },
);
