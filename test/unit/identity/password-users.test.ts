import { describe, expect, test } from "vitest";
import { passwordIdentity, verifierFor, type PasswordUser } from "../../../src/identity/password-users.ts";

const user = (name: string, iterations: number): PasswordUser => ({
  name,
  attributes: { tenant: 1 },
  verifier: {
    iterations,
    salt: Buffer.alloc(16, 1),
    storedKey: Buffer.alloc(32, 2),
    serverKey: Buffer.alloc(32, 3),
    mock: false,
  },
});

const users = new Map(
  [user("alice", 4096), user("bob", 10_000), user("carol", 10_000)].map((one) => [one.name, one]),
);
const secret = Buffer.alloc(32, 7);

describe("verifierFor", () => {
  test("gives a user's own verifier", () => {
    expect(verifierFor(users, "alice", secret)).toBe(users.get("alice")?.verifier);
  });

  test.each(["mallory", "__proto__", "constructor", "Alice", ""])(
    "gives %j a mock one, as costly as most",
    (name) => {
      const verifier = verifierFor(users, name, secret);
      expect(verifier).toMatchObject({ mock: true, iterations: 10_000 });
      expect(verifier).toEqual(verifierFor(users, name, secret));
      expect(verifier.salt).not.toEqual(verifierFor(users, `${name}x`, secret).salt);
      expect(verifier.salt).toHaveLength(16);
    },
  );

  test("works without any user", () => {
    expect(verifierFor(new Map(), "x", secret)).toMatchObject({ mock: true, iterations: 4096 });
  });
});

test("passwordIdentity knows only users", () => {
  expect(passwordIdentity(users, "alice")).toEqual({
    name: "alice",
    method: "password",
    attributes: { tenant: 1 },
    expiresAt: undefined,
  });
  expect(passwordIdentity(users, "constructor")).toBeUndefined();
});
