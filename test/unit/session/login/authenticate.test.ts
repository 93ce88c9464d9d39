import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect, test } from "vitest";
import type { MethodRule } from "../../../../src/identity/choose-method.ts";
import type { JwtIssuer } from "../../../../src/identity/jwt-issuer.ts";
import { fixedKeySet } from "../../../../src/identity/key-set.ts";
import { authenticate, type Premises } from "../../../../src/session/login/authenticate.ts";
import type { Inbox } from "../../../../src/session/login/inbox.ts";
import { message, text } from "../../../../src/wire/writer.ts";

const name = "https://id.test";
const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
const issuer: JwtIssuer = {
  issuer: name,
  scope: "openid",
  audience: ["rolegate"],
  authorizedParties: undefined,
  algorithms: ["ES256"],
  keys: fixedKeySet(createLocalJWKSet({ keys: [await exportJWK(publicKey)] })),
  nameClaim: ["sub"],
  attributes: new Map(),
  mfaAcr: new Set(),
  clockTolerance: 0,
};

/** A client that answers with this token. */
async function withToken(seconds: number): Promise<Inbox> {
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const token = await new SignJWT({ iss: name, aud: "rolegate", sub: "sam", exp })
    .setProtectedHeader({ alg: "ES256" })
    .sign(privateKey);
  const next = () => Promise.resolve(message("p", text(token, "token")));
  return { channel: { write: () => true }, next } as unknown as Inbox;
}

const validTo = Date.now() + 60_000;

function premises(certificate: boolean | undefined): Premises {
  const every = { addresses: undefined, tls: undefined, databases: undefined, users: undefined };
  const rule: MethodRule = { ...every, certificate, method: "jwt", source: "a test" };
  const shown = { fingerprint: "f1", otherFingerprints: ["f2"], validTo, der: Buffer.alloc(0) };
  return {
    stranger: { user: "sam", database: "shop", address: "192.0.2.1", encrypted: true, certified: true },
    identities: { jwt: [issuer], rules: [rule], plaintextTokensOnLoopback: false },
    clientCertificate: { kind: "valid", certificate: shown },
    certificateHash: undefined,
  } as unknown as Premises;
}

test("a certificate that a rule asks for beside something else ends the session with it", async () => {
  expect(await authenticate(await withToken(600), premises(true))).toMatchObject({
    expiresAt: validTo,
    fingerprints: ["f1", "f2"],
  });
  const { expiresAt } = await authenticate(await withToken(5), premises(true));
  expect(expiresAt).toBeLessThan(validTo);
});

test("one that was shown and not asked for does not, and is known all the same", async () => {
  const { expiresAt, fingerprints } = await authenticate(await withToken(600), premises(undefined));
  expect(expiresAt).toBeGreaterThan(validTo);
  expect(fingerprints).toEqual(["f1", "f2"]);
});
