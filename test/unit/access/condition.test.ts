import { describe, expect, test } from "vitest";
import {
  compileCondition,
  type AccessConnection,
  type Condition,
  type Outcome,
} from "../../../src/access/condition.ts";
import type { Identity } from "../../../src/identity/identity.ts";

const alice: Identity = {
  name: "alice",
  method: "password",
  attributes: { groups: ["analysts", "eu"], tenant: 1, level: 2.5, on_call: false, org: "acme" },
  credential: { kind: "password" },
  signedInAt: Date.UTC(2026, 0, 14, 13, 30),
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

function compiled(text: string): Condition {
  const read = compileCondition(text, attributes);
  if (read.kind === "refused") throw new Error(read.found);
  return read.condition;
}

const evaluate = (text: string): Outcome => compiled(text).evaluate(alice, connection, now);

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
    'cidr("10.0.0.0/8").containsIP(connection.address)',
    '["192.168.0.0/16", "10.1.0.0/16"].exists(n, cidr(n).containsIP(connection.address))',
    'cidr("2001:db8::/32").containsIP("2001:db8::1") && !cidr("2001:db8::/32").containsIP("2001:db9::1")',
    'identity.age < duration("8h") && identity.age >= duration("1h")',
    "!identity.mfa",
    'identity.method in ["password", "certificate"]',
    'identity.name.matches("^a.*e$")',
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
    'cidr("10.2.0.0/16").containsIP(connection.address)',
    'cidr("::/0").containsIP(connection.address)',
    'identity.age < duration("59m")',
    "identity.mfa",
  ])("%s", (text) => {
    expect(evaluate(text)).toEqual({ kind: "does not fit" });
  });
});

describe("a condition that cannot be evaluated fails, and never fits", () => {
  test.each([
    ["a division by zero", "1 / 0 == 1", "division by zero"],
    ["a text", "identity.org", "neither true nor false"],
    ["a number", "identity.tenant", "neither true nor false"],
    ["a list", "identity.groups", "neither true nor false"],
    ["a wrong time zone", "now.getHours(identity.org) < 25", "not a time zone: acme"],
    [
      "a wrong network",
      "cidr(identity.org).containsIP(connection.address)",
      "not a network in CIDR form: acme",
    ],
    ["a wrong address", 'cidr("10.0.0.0/8").containsIP(identity.org)', "not an IP address: acme"],
    ["a wrong time", "timestamp(identity.org) < now", "not a time as in RFC 3339"],
    ["a wrong duration", "identity.age < duration(identity.org)", "Invalid duration"],
    ["a broken regular expression", '"a".matches(identity.org + "(")', "Invalid regular expression"],
  ])("%s", (_name, text, reason) => {
    const outcome = evaluate(text);
    expect(outcome.kind).toBe("failed");
    expect(outcome.kind === "failed" && outcome.reason).toContain(reason);
  });
});

describe("an attribute that the identity lacks", () => {
  test.each(["identity.clearance > 3", "!(identity.clearance > 3)", '!("x" in identity["clearance"])'])(
    "does not fit, whatever is said of it, and is no failure: %s",
    (text) => {
      expect(evaluate(text)).toEqual({ kind: "does not fit", lacks: "clearance" });
    },
  );

  test("stands in nobody's way where something else decides", () => {
    expect(evaluate('identity.clearance > 3 || identity.name == "alice"')).toEqual({ kind: "fits" });
    expect(evaluate('identity.clearance > 3 && identity.name == "bob"')).toEqual({ kind: "does not fit" });
  });

  test("is not confused with a key that is missing elsewhere", () => {
    expect(evaluate('{"a": 1}.b == 1')).toMatchObject({ kind: "failed" });
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
    ["a whole variable", "identity", "an expression of type identity", 0],
    ["an age that is no duration", "identity.age < 8", "no such overload: google.protobuf.Duration < int", 0],
    ["a network without its length", 'cidr("10.0.0.1").containsIP(connection.address)', '"10.0.0.1"', 0],
    ["a network with too long a length", 'cidr("10.0.0.0/33").containsIP(connection.address)', '/33"', 0],
    ["an IPv4 network as IPv6", 'cidr("::ffff:10.0.0.0/104").containsIP(connection.address)', '/104"', 0],
    [
      "a network in a list",
      '["10.0.0.0/8",\n"10.0.0.0/99"].exists(n,\n cidr(n).containsIP(connection.address))',
      '"10.0.0.0/99"',
      1,
    ],
    ["a time zone that is none", 'now.getHours("Europe/Berln") < 9', '"Europe/Berln"', 0],
    ["a time zone that is none, within a macro", '[1].all(d, d == now.getDayOfWeek("CEST"))', '"CEST"', 0],
    ["a time without a zone", 'now < timestamp("2026-12-31T18:00:00.000")', '"2026-12-31T18:00:00.000"', 0],
    ["a day that does not exist", 'now < timestamp("2026-02-30T00:00:00Z")', '"2026-02-30T00:00:00Z"', 0],
    ["a duration in days", 'identity.age < duration("8d")', '"8d"', 0],
    ["a broken regular expression", 'identity.name.matches("(a")', '"(a"', 0],
    ["a method that there is none of", 'identity.method == "tokens"', '"tokens"', 0],
    ["one in a list", 'identity.method in ["jwt", "scram"]', '"scram"', 0],
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

describe("a condition is timed", () => {
  test.each([
    "now.getHours() < 18",
    'identity.tenant == 1 || now < timestamp("2026-02-01T00:00:00Z")',
    'identity.age < duration("8h")',
    'identity["age"] < duration("8h")',
    "identity.groups.exists(g, now.getMonth() == 3)",
    "[now].exists(t, t.getHours() == 3)",
    'identity[identity.org] == "x"',
  ])("where it looks at the time: %s", (text) => {
    expect(compiled(text).timed).toBe(true);
  });

  test.each([
    "true",
    '"a" in identity.groups && connection.tls',
    'timestamp(0) < timestamp("2026-02-01T00:00:00Z")',
  ])("and not where it does not: %s", (text) => {
    expect(compiled(text).timed).toBe(false);
  });
});

test("a sign-in in the future is none: its age is 0", () => {
  const later = { ...alice, signedInAt: now + 60_000 };
  expect(compiled('identity.age == duration("0s")').evaluate(later, connection, now)).toEqual({
    kind: "fits",
  });
});
