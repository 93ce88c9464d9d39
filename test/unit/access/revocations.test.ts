import { expect, test } from "vitest";
import {
  indexRevocations,
  revocationMessage,
  revokedBy,
  type Revocation,
  type Subject,
} from "../../../src/access/revocations.ts";
import type { Credential, Identity } from "../../../src/identity/identity.ts";

const now = 1_700_000_000_000;

const revocation = (more: Partial<Revocation> & Pick<Revocation, "kind" | "value">): Revocation => ({
  id: "1",
  issuer: undefined,
  database: undefined,
  reason: "because",
  by: "ops@host",
  at: now - 1,
  until: undefined,
  ...more,
});

const token: Credential = { kind: "token", issuer: "https://id", id: "jti-1", key: "kid-1", digest: "d1" };
const certificate: Credential = { kind: "certificate", fingerprint: "f1", serial: "01", issuer: "CN=ca" };
const someone = (credential: Credential, more: Partial<Subject> = {}): Subject => {
  const identity: Identity = {
    name: "alice",
    method: "jwt",
    attributes: {},
    credential,
    signedInAt: now,
    mfa: false,
    expiresAt: undefined,
  };
  return { identity, session: "s1", roles: ["analyst"], database: "shop", ...more };
};
const shows = (fingerprint: string, { identity, ...subject }: Subject): Subject => ({
  ...subject,
  identity: { ...identity, fingerprints: ["f0", fingerprint] },
});
const password = someone({ kind: "password" });
const withToken = someone(token);
const withoutKid = someone({ ...token, key: undefined });

test.each<[Partial<Revocation> & Pick<Revocation, "kind" | "value">, Subject, boolean]>([
  [{ kind: "name", value: "alice" }, password, true],
  [{ kind: "name", value: "alice" }, withToken, true],
  [{ kind: "name", value: "Alice" }, password, false],
  [{ kind: "name", value: "analyst" }, password, false],
  [{ kind: "session", value: "s1" }, password, true],
  [{ kind: "session", value: "s2" }, password, false],
  [{ kind: "token", value: "jti-1" }, withToken, true],
  [{ kind: "token", value: "d1" }, withToken, true],
  [{ kind: "token", value: "jti-1", issuer: "https://id" }, withToken, true],
  [{ kind: "token", value: "jti-1", issuer: "https://other" }, withToken, false],
  [{ kind: "token", value: "kid-1" }, withToken, false],
  [{ kind: "token", value: "jti-1" }, password, false],
  [{ kind: "key", value: "kid-1" }, withToken, true],
  [{ kind: "key", value: "kid-1", issuer: "https://id" }, withToken, true],
  [{ kind: "key", value: "kid-1", issuer: "https://other" }, withToken, false],
  [{ kind: "key", value: "kid-2" }, withToken, false],
  // A token that does not name its key could be signed by the one that was revoked.
  [{ kind: "key", value: "kid-2", issuer: "https://id" }, withoutKid, true],
  [{ kind: "key", value: "kid-2" }, withoutKid, true],
  [{ kind: "key", value: "kid-2", issuer: "https://other" }, withoutKid, false],
  [{ kind: "certificate", value: "f1" }, someone(certificate), true],
  [{ kind: "certificate", value: "01" }, someone(certificate), false],
  [{ kind: "certificate", value: "f2" }, shows("f2", password), true],
  [{ kind: "certificate", value: "f2" }, shows("f2", withToken), true],
  [{ kind: "certificate", value: "f2" }, shows("f3", password), false],
  [{ kind: "role", value: "analyst" }, password, true],
  [{ kind: "role", value: "analyst", database: "shop" }, password, true],
  [{ kind: "role", value: "analyst", database: "other" }, password, false],
  [{ kind: "role", value: "next" }, someone(token, { roles: ["analyst", "next"] }), true],
  [{ kind: "role", value: "alice" }, password, false],
  [{ kind: "name", value: "alice", until: now + 1 }, password, true],
  [{ kind: "name", value: "alice", until: now }, password, false],
])("%o against a subject: %#", (given, subject, concerned) => {
  const list = [revocation({ kind: "name", value: "somebody else" }), revocation(given)];
  expect(revokedBy(indexRevocations(list), subject, now) !== undefined).toBe(concerned);
});

test("of two for one thing, one that has ended does not hide the other", () => {
  const list = [
    revocation({ kind: "name", value: "alice", until: now - 1 }),
    revocation({ id: "2", kind: "name", value: "alice" }),
  ];
  expect(revokedBy(indexRevocations(list), password, now)?.id).toBe("2");
});

test("a value cannot pass for another kind, nor for a property of objects", () => {
  for (const value of ["__proto__", "constructor", "role\0analyst", "'; drop table x; --"]) {
    const index = indexRevocations([revocation({ kind: "name", value })]);
    expect(revokedBy(index, password, now)).toBeUndefined();
    const named = { ...password, identity: { ...password.identity, name: value } };
    expect(revokedBy(index, named, now)?.value).toBe(value);
  }
});

test("the reason is told on one line", () => {
  const told = revocationMessage(
    revocation({ kind: "role", value: "analyst", reason: "left\n\u001b[2Jnow" }),
  );
  expect(told).toBe('the role "analyst" was revoked: left [2Jnow');
});
