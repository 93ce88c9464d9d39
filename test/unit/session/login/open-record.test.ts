import { expect, test } from "vitest";
import type { Credential, Identity } from "../../../../src/identity/identity.ts";
import { credentialFacts } from "../../../../src/session/login/open-record.ts";

const proved = (credential: Credential, fingerprints?: readonly string[]): Identity => ({
  name: "alice",
  method: "password",
  attributes: {},
  credential,
  fingerprints,
  signedInAt: 0,
  mfa: false,
  expiresAt: undefined,
});
const token = { kind: "token", issuer: "i", id: undefined, key: undefined, digest: "d" } as const;
const certificate = { kind: "certificate", fingerprint: "f", serial: "s", issuer: "ca" } as const;

test.each<[string, Identity, object | undefined]>([
  ["nothing of a password", proved({ kind: "password" }), undefined],
  ["the certificate beside a password", proved({ kind: "password" }, ["f", "g"]), { fingerprint: "f" }],
  ["what a token has", proved(token), { issuer: "i", digest: "d" }],
  [
    "all of a token",
    proved({ ...token, id: "t", key: "k" }, ["f"]),
    { issuer: "i", token: "t", key: "k", digest: "d", fingerprint: "f" },
  ],
  ["a certificate", proved(certificate, ["g"]), { issuer: "ca", serial: "s", fingerprint: "f" }],
])("%s is told", (_what, identity, facts) => {
  expect(credentialFacts(identity)).toEqual(facts);
});
