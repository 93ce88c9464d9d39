import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { readTarget, type TargetOptions } from "../../../src/cli/revocation-target.ts";

const now = Date.parse("2026-06-01T00:00:00Z");
const issuers = ["https://id"];
const read = (name: string | undefined, options: TargetOptions = {}, among = issuers) =>
  readTarget(name, options, { issuers: among, now });

test("one thing is taken away", () => {
  expect(read('o\'Neil "x"')).toMatchObject({ kind: "name", value: 'o\'Neil "x"' });
  expect(read(undefined, { session: "s" })).toMatchObject({ kind: "session", value: "s" });
  expect(read(undefined, { role: "r", database: "d" })).toMatchObject({
    kind: "role",
    value: "r",
    database: "d",
  });
  expect(() => read(undefined)).toThrow(/found nothing to revoke, expected one of: a name/);
  expect(() => read("alice", { role: "r" })).toThrow(/found name and role/);
  expect(() => read("alice", { database: "d" })).toThrow(/--database goes with --role/);
  expect(() => read("alice", { issuer: "https://id" })).toThrow(/--issuer goes with/);
  expect(() => read("")).toThrow(/1 to 1024 characters/);
});

test("a token stands for its digest, and never goes on itself", () => {
  const jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJldmUifQ.c2lnbmF0dXJl";
  expect(read(undefined, { token: jwt })).toMatchObject({
    value: createHash("sha256").update("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJldmUifQ").digest("hex"),
  });
  expect(read(undefined, { token: "Jti-1" })).toMatchObject({ value: "Jti-1", issuer: undefined });
});

test("a key is some issuer's", () => {
  expect(read(undefined, { key: "k" })).toMatchObject({ kind: "key", value: "k", issuer: "https://id" });
  expect(read(undefined, { key: "k", issuer: "https://old" })).toMatchObject({ issuer: "https://old" });
  expect(() => read(undefined, { key: "k" }, ["https://a", "https://b"])).toThrow(
    /one of https:\/\/a, https:\/\/b/,
  );
  expect(() => read(undefined, { key: "k" }, [])).toThrow(/--issuer: found none/);
});

test("a fingerprint as openssl prints it", () => {
  const hex = "AB".repeat(32);
  const colons = hex.match(/../g)!.join(":");
  expect(read(undefined, { certificate: colons })).toMatchObject({ value: hex.toLowerCase() });
  expect(() => read(undefined, { certificate: "abcd" })).toThrow(/64 hex digits/);
});

test.each([
  ["90m", now + 90 * 60_000],
  ["8h", now + 8 * 3_600_000],
  ["7d", now + 7 * 86_400_000],
  ["2026-06-02", now + 86_400_000],
  ["2026-06-01T12:00", now + 12 * 3_600_000],
  ["2026-06-01T12:00+02:00", now + 10 * 3_600_000],
])("until %s", (until, time) => {
  expect(read("alice", { until }).until).toBe(time);
});

test.each(["yesterday", "2026-05-31", "2026-06-01T00:00Z", "0h", "8", "99999999d", "2026-13-01"])(
  "not until %s",
  (until) => {
    expect(() => read("alice", { until })).toThrow(/--until/);
  },
);
