import { expect, test } from "vitest";
import { identityAs } from "../../../src/cli/explain-identity.ts";
import { goodFiles, load } from "../config/operator-files.ts";

const loaded = load(goodFiles);
if (loaded.kind === "refused") throw new Error(JSON.stringify(loaded.problems));
const { config } = loaded;

test("a password user has the attributes of the configuration", () => {
  expect(identityAs("alice", { attributes: [], signedInAt: 0 }, config)).toMatchObject({
    method: "password",
    attributes: { tenant: 1, groups: ["analysts"] },
  });
});

test("a token's identity has those that are given, as JSON where they are", () => {
  const given = ["tenant=7", 'groups=["a","b"]'];
  expect(identityAs("bob@example.com", { attributes: given, signedInAt: 0 }, config)).toMatchObject({
    name: "bob@example.com",
    method: "jwt",
    attributes: { tenant: 7, groups: ["a", "b"] },
  });
  expect(identityAs("bob", { attributes: ["tenant=acme=1"], signedInAt: 0 }, config).attributes).toEqual({
    tenant: "acme=1",
  });
});

test.each([
  ["tenat=1", "did you mean tenant?"],
  ["tenant", "expected name=value"],
  ["name=x", "not name, method, mfa or age"],
  ['tenant={"a":1}', "expected text, a number"],
  ["tenant=9007199254740993", "expected text, a number"],
])("%s is no attribute", (text, expected) => {
  expect(() => identityAs("bob", { attributes: [text], signedInAt: 0 }, config)).toThrow(expected);
});

test("a token comes as the rules of authentication say", () => {
  const { identities } = config;
  const withRule = (method: "jwt" | "oauth") => ({
    ...config,
    identities: { ...identities, rules: [{ ...identities.rules[0]!, method }] },
  });
  const given = { attributes: ["tenant=7"], signedInAt: 0 };
  expect(identityAs("bob", given, withRule("oauth")).method).toBe("oauth");
  expect(() => identityAs("bob", { ...given, method: "jwt" }, withRule("oauth"))).toThrow(/expected .*oauth/);
  expect(() => identityAs("bob", { ...given, method: "oauth" }, withRule("jwt"))).toThrow(/expected .*jwt/);
});
