import { describe, expect, test } from "vitest";
import { compileCondition, type AccessConnection, type Outcome } from "../../../src/access/condition.ts";
import type { Identity } from "../../../src/identity/identity.ts";

const alice: Identity = {
  name: "alice",
  method: "password",
  attributes: { groups: ["analysts", "eu"], tenant: 1, level: 2.5, on_call: false, org: "acme" },
  credential: { kind: "password" },
  signedInAt: 0,
  mfa: false,
  expiresAt: undefined,
};
const connection: AccessConnection = {
  address: "::ffff:10.1.2.3",
  tls: true,
  database: "shop",
  applicationName: "psql",
};
/** A Wednesday, 14:30 UTC. */
const now = Date.UTC(2026, 0, 14, 14, 30);
const attributes = new Set(["groups", "tenant", "level", "on_call", "org", "clearance"]);

function evaluate(text: string): Outcome {
  const compiled = compileCondition(text, attributes);
  if (compiled.kind === "refused") throw new Error(compiled.found);
  return compiled.condition.evaluate(alice, connection, now);
}

describe("a condition that fits", () => {
  test.each([
    '"analysts" in identity.groups',
    'identity.name == "alice" && identity.method == "password"',
    "identity.tenant == 1",
    "identity.tenant in [1, 2]",
    "identity.level > 2.0 && identity.level < 3.0",
    "!identity.on_call",
    'identity["org"].startsWith("ac")',
    'identity.groups.exists(g, g == "eu")',
    "has(identity.tenant) && !has(identity.clearance)",
    'connection.address == "10.1.2.3"',
    'connection.tls && connection.database == "shop" && connection.application_name == "psql"',
    "now.getHours() >= 9 && now.getHours() < 18",
    'now.getDayOfWeek("Europe/Berlin") == 3',
    'now < timestamp("2026-02-01T00:00:00Z")',
    "identity.tenant == 1 ?\n  true :\n  false",
    "true",
  ])("%s", (text) => {
    expect(evaluate(text)).toEqual({ kind: "fits" });
  });
});

describe("a condition that does not fit", () => {
  test.each([
    '"admins" in identity.groups',
    "identity.on_call",
    "identity.tenant == 2",
    'identity.tenant == "1"',
    "false",
    'identity.groups == "analysts"',
  ])("%s", (text) => {
    expect(evaluate(text)).toEqual({ kind: "does not fit" });
  });
});

describe("a condition that cannot be evaluated fails, and never fits", () => {
  test.each([
    ["an attribute that the identity lacks", "identity.clearance > 3", "No such key: clearance"],
    ["its negation too", "!(identity.clearance > 3)", "No such key: clearance"],
    ["a division by zero", "1 / 0 == 1", "division by zero"],
    ["a text", "identity.org", "neither true nor false"],
    ["a number", "identity.tenant", "neither true nor false"],
    ["a list", "identity.groups", "neither true nor false"],
    ["a wrong time zone", 'now.getHours("Nowhere") < 25', "it cannot be evaluated"],
    ["a broken regular expression", '"a".matches(identity.org + "(")', "Invalid regular expression"],
  ])("%s", (_name, text, reason) => {
    const outcome = evaluate(text);
    expect(outcome.kind).toBe("failed");
    expect(outcome.kind === "failed" && outcome.reason).toContain(reason);
  });
});

describe("a condition is refused at the start for", () => {
  test.each<[string, string, string, number]>([
    ["a syntax error", '"a" in', "Unexpected token: EOF", 0],
    ["nothing", " ", "Unexpected token: EOF", 0],
    ["an unknown variable", "conection.tls", "Unknown variable: conection", 0],
    ["an unknown field", "connection.tsl", "No such key: tsl", 0],
    ["an unknown function", "exec(identity.name)", "found no matching overload for 'exec(", 0],
    ["a number", "1 + 1", "an expression of type int", 0],
    ["a text", '"true"', "an expression of type string", 0],
    ["a map", "identity", "an expression of type map", 0],
    ["types that cannot be compared", "connection.tls == 1", "", 0],
    ["an unknown attribute", "identity.grups == 1", "identity.grups", 0],
    ["an unknown attribute in brackets", 'identity["grups"] == 1', "identity.grups", 0],
    ["an unknown attribute within has", "has(identity.grups)", "identity.grups", 0],
    [
      "an unknown attribute deep inside, by its line",
      'connection.tls &&\n  [1].exists(x,\n    "a" in identity.grups)',
      "identity.grups",
      2,
    ],
    ["an attribute of every object", "identity.constructor == 1", "identity.constructor", 0],
    ["the prototype", "identity.__proto__ == 1", "identity.__proto__", 0],
    ["a syntax error, by its line", "true &&\n\n  )", "Unexpected token", 2],
    ["deep nesting", `${"(".repeat(100)}true${")".repeat(100)}`, "Exceeded", 0],
  ])("%s", (_name, text, found, line) => {
    const compiled = compileCondition(text, attributes);
    expect(compiled).toMatchObject({ kind: "refused", line });
    expect(compiled.kind === "refused" && compiled.found).toContain(found);
    expect(compiled.kind === "refused" && compiled.found).not.toContain("\n");
  });

  test("a typing error is answered with what was probably meant", () => {
    expect(compileCondition("identity.grups == 1", attributes)).toMatchObject({
      expected: expect.stringContaining("did you mean identity.groups?"),
    });
  });
});

test("what a client names its application is cut where the server cuts it", () => {
  const compiled = compileCondition("connection.application_name.size() == 63", attributes);
  if (compiled.kind === "refused") throw new Error(compiled.found);
  const long = { ...connection, applicationName: "a".repeat(1000) };
  expect(compiled.condition.evaluate(alice, long, now)).toEqual({ kind: "fits" });
});
