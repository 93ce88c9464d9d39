import { describe, expect, test } from "vitest";
import { passwordIdentity, verifierFor, type PasswordUser } from "../../../src/identity/password-users.ts";

const user = (name: string, iterations: number): PasswordUser => ({
  name,
  attributes: { tenant: 1 },
  validUntil: undefined,
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

const salted = (name: string, bytes: number) => {
  const { verifier, ...rest } = user(name, 4096);
  return [name, { ...rest, verifier: { ...verifier, salt: Buffer.alloc(bytes) } }] as const;
};

describe("verifierFor", () => {
  test("gives a user's own verifier", () => {
    expect(verifierFor(users, "alice", secret, 0)).toBe(users.get("alice")?.verifier);
  });

  test.each(["mallory", "__proto__", "constructor", "Alice", ""])(
    "gives %j a mock one, as costly as most",
    (name) => {
      const verifier = verifierFor(users, name, secret, 0);
      expect(verifier).toMatchObject({ mock: true, iterations: 10_000 });
      expect(verifier).toEqual(verifierFor(users, name, secret, 0));
      expect(verifier.salt).not.toEqual(verifierFor(users, `${name}x`, secret, 0).salt);
      expect(verifier.salt).toHaveLength(16);
    },
  );

  test("gives a mock one the length of salt that most have", () => {
    for (const bytes of [1, 12, 32, 64]) {
      const some = new Map([salted("a", bytes), salted("b", bytes), salted("c", 16)]);
      expect(verifierFor(some, "x", secret, 0).salt).toHaveLength(bytes);
    }
  });

  test("gives a mock one that looks as the user's own, once the password has ended", () => {
    const ended = { ...user("alice", 5000), validUntil: 1000 };
    const some = new Map([["alice", ended]]);
    expect(verifierFor(some, "alice", secret, 999)).toBe(ended.verifier);
    const { salt, iterations } = ended.verifier;
    const after = verifierFor(some, "alice", secret, 1000);
    expect(after).toMatchObject({ mock: true, salt, iterations });
    expect(after.storedKey).not.toEqual(ended.verifier.storedKey);
  });

  test("works without any user", () => {
    expect(verifierFor(new Map(), "x", secret, 0)).toMatchObject({ mock: true, iterations: 4096 });
  });
});

test("passwordIdentity knows only users", () => {
  expect(passwordIdentity(users, "alice", 7)).toEqual({
    name: "alice",
    method: "password",
    attributes: { tenant: 1 },
    credential: { kind: "password" },
    signedInAt: 7,
    mfa: false,
    expiresAt: undefined,
  });
  expect(passwordIdentity(users, "constructor", 7)).toBeUndefined();
});
