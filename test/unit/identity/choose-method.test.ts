import { describe, expect, test } from "vitest";
import {
  chooseMethod,
  mayReceiveToken,
  namePattern,
  usualRules,
  type MethodRule,
} from "../../../src/identity/choose-method.ts";

const roleNames: ReadonlySet<string> = new Set(["analyst"]);
const stranger = { user: "alice", database: "shop", address: "10.1.2.3", encrypted: true, certified: false };
const rule: MethodRule = {
  addresses: undefined,
  tls: undefined,
  certificate: undefined,
  databases: undefined,
  users: undefined,
  method: "reject",
  source: "rolegate.yaml:1",
};

const usual = (user: string, passwords: boolean, tokens: boolean) =>
  chooseMethod({ ...stranger, user }, usualRules({ certificates: false, passwords, tokens, roleNames }))
    ?.method;

describe("without rules of one's own", () => {
  test.each(["analyst", "bob@example.com", "bob", ""])("only passwords: %s", (name) => {
    expect(usual(name, true, false)).toBe("password");
  });

  test.each(["analyst", "bob@example.com", "bob", ""])("only tokens: %s", (name) => {
    expect(usual(name, false, true)).toBe("jwt");
  });

  test.each([
    ["analyst", "jwt"],
    ["Analyst", "password"],
    ["bob@example.com", "jwt"],
    ["@", "jwt"],
    ["bob", "password"],
    ["", "password"],
    ["__proto__", "password"],
  ])("both: %s → %s", (name, method) => {
    expect(usual(name, true, true)).toBe(method);
  });
});

describe("rules", () => {
  const own: Record<string, Partial<MethodRule>> = {
    address: { addresses: (address) => address.startsWith("10.") },
    tls: { tls: true },
    certificate: { certificate: false },
    database: { databases: new Set(["shop"]) },
    user: { users: (user) => user === "alice" },
  };

  test.each(Object.keys(own))("fit by %s", (part) => {
    const rules = [{ ...rule, ...own[part] }];
    expect(chooseMethod(stranger, rules)).toBe(rules[0]);
    const other = {
      user: "bob",
      database: "billing",
      address: "192.0.2.1",
      encrypted: false,
      certified: true,
    };
    expect(chooseMethod(other, rules)).toBeUndefined();
  });

  test("fit only by all of their parts", () => {
    const rules = [{ ...rule, ...Object.assign({}, ...Object.values(own)) } as MethodRule];
    expect(chooseMethod(stranger, rules)).toBe(rules[0]);
    for (const change of [
      { user: "bob" },
      { database: "x" },
      { address: "192.0.2.1" },
      { encrypted: false },
      { certified: true },
    ])
      expect(chooseMethod({ ...stranger, ...change }, rules)).toBeUndefined();
  });

  test("decide in their order, and nobody comes in without one", () => {
    const rules = [{ ...rule, tls: false }, { ...rule, method: "password" as const }, rule];
    expect(chooseMethod(stranger, rules)?.method).toBe("password");
    expect(chooseMethod({ ...stranger, encrypted: false }, rules)?.method).toBe("reject");
    expect(chooseMethod(stranger, [])).toBeUndefined();
  });
});

test.each([
  ["alice", "alice", true],
  ["alice", "Alice", false],
  ["alice", "alice2", false],
  ["*@example.com", "a@example.com", true],
  ["*@example.com", "a@example.com.evil.org", false],
  ["*@example.com", "@example.com", true],
  ["svc-*", "svc-1", true],
  ["svc-*", "xsvc-1", false],
  ["svc-*-eu", "svc-eu", false],
  ["svc-*-eu", "svc--eu", true],
  ["a*b*c", "a1b2c", true],
  ["a*b*c", "abc", true],
  ["a*b*c", "acb", false],
  ["a*a", "a", false],
  ["*", "", true],
  ["a.c", "abc", false],
])("the pattern %s and %s: %j", (pattern, name, expected) => {
  expect(namePattern(pattern)(name)).toBe(expected);
});

test.each([
  [true, "10.0.0.1", false, true],
  [true, "10.0.0.1", true, true],
  [false, "10.0.0.1", true, false],
  [false, "127.0.0.1", true, true],
  [false, "127.0.0.1", false, false],
  [false, "", true, false],
])("encrypted %j from %s with loopback allowed %j: token %j", (encrypted, address, loopback, expected) => {
  expect(mayReceiveToken({ encrypted, address }, loopback)).toBe(expected);
});
