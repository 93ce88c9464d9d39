import { createHash, X509Certificate } from "node:crypto";
import {
  exportJWK,
  generateKeyPair,
  importJWK,
  SignJWT,
  UnsecuredJWT,
  base64url,
  type JWTPayload,
} from "jose";
import { describe, expect, test } from "vitest";
import { tokenAlgorithms, type JwtIssuer } from "../../../src/identity/jwt-issuer.ts";
import { fixedKeySet, localKeySet } from "../../../src/identity/key-set.ts";
import { type Presentation, verifyToken } from "../../../src/identity/verify-token.ts";
import { ecdsaSha256, ecdsaSha384 } from "../net/certificates.ts";

const now = Date.UTC(2026, 0, 1);
const seconds = now / 1000;
const es = await generateKeyPair("ES256", { extractable: true });
const rs = await generateKeyPair("RS256", { extractable: true });
const other = await generateKeyPair("ES256", { extractable: true });
const ps = await importJWK(await exportJWK(rs.privateKey), "PS512");
const set = localKeySet(
  JSON.stringify({
    keys: [
      { ...(await exportJWK(es.publicKey)), kid: "es" },
      { ...(await exportJWK(rs.publicKey)), kid: "rs" },
    ],
  }),
);
if (set.kind !== "keys") throw new Error(set.found);

const issuer: JwtIssuer = {
  issuer: "https://id.example.com",
  scope: "openid",
  audience: ["rolegate"],
  authorizedParties: undefined,
  algorithms: tokenAlgorithms,
  keys: fixedKeySet(set.keys),
  nameClaim: ["email"],
  attributes: new Map([
    ["tenant", ["org", "id"]],
    ["groups", ["groups"]],
    ["region", ["https://example.com/region"]],
    ["inherited", ["constructor"]],
  ]),
  mfaAcr: new Set(["urn:example:gold"]),
  clockTolerance: 5,
};

const good = {
  iss: "https://id.example.com",
  aud: "rolegate",
  exp: seconds + 60,
  email: "sam@example.com",
  org: { id: 2 },
  groups: ["support"],
};

type Made = {
  header?: { alg?: string; kid?: string; [key: string]: unknown };
  key?: Parameters<SignJWT["sign"]>[0];
};

function sign(
  changes: Record<string, unknown> = {},
  { header, key = es.privateKey }: Made = {},
): Promise<string> {
  const payload: Record<string, unknown> = { ...good, ...changes };
  for (const [claim, value] of Object.entries(payload)) if (value === undefined) delete payload[claim];
  return new SignJWT(payload).setProtectedHeader({ alg: "ES256", kid: "es", ...header }).sign(key);
}

const verify = (token: string, issuers: readonly JwtIssuer[] = [issuer], how: Partial<Presentation> = {}) =>
  verifyToken(token, issuers, { now, method: "jwt", ...how });

describe("verifyToken takes from the token", () => {
  test.each<[string, JWTPayload, object]>([
    ["its identifier", { jti: "t-1" }, { credential: { id: "t-1" } }],
    ["when the person signed in", { auth_time: 1000, iat: 2000 }, { signedInAt: 1_000_000 }],
    ["when it was made", { iat: 2000 }, { signedInAt: 2_000_000 }],
    ["no time that has yet to come", { iat: seconds + 50 }, { signedInAt: now }],
    ["nor a sign-in, within the tolerance", { auth_time: seconds + 2 }, { signedInAt: now }],
    ["several factors", { amr: ["pwd", "mfa"] }, { mfa: true }],
    ["no factors that it does not name", { amr: "mfa" }, { mfa: false }],
    ["several factors by a class that the operator knows", { acr: "urn:example:gold" }, { mfa: true }],
    ["none by another class", { acr: "urn:example:golden" }, { mfa: false }],
    ["none by classes that are no text", { acr: ["urn:example:gold"] }, { mfa: false }],
  ])("%s", async (_what, claims, identity) => {
    expect(await verify(await sign(claims))).toMatchObject({ kind: "identity", identity });
  });
});

test.each([["1000"], [(seconds + 10) * 1000], [seconds + 10], [[1000]], [false]])(
  "a sign-in at a time that is none is no reason to believe the token's own age (%o)",
  async (auth_time) => {
    const reason = "the claim auth_time is not as required";
    expect(await verify(await sign({ auth_time, iat: seconds }))).toEqual({ kind: "refused", reason });
  },
);

describe("a token for a client", () => {
  const restricted = [{ ...issuer, authorizedParties: new Set(["cli", "web"]) }];

  test.each<[string, JWTPayload, boolean]>([
    ["that may", { azp: "web" }, true],
    ["that may, by RFC 9068", { client_id: "cli" }, true],
    ["in both ways", { azp: "cli", client_id: "cli" }, true],
    ["that may not", { azp: "other" }, false],
    ["that is not named", {}, false],
    ["that is no text", { azp: ["web"] }, false],
    ["that is null", { azp: null }, false],
    ["that may not, behind one that may", { azp: "web", client_id: "other" }, false],
  ])("%s", async (_what, claims, believed) => {
    expect(await verify(await sign(claims), restricted)).toMatchObject(
      believed
        ? { kind: "identity" }
        : { reason: "the token was issued to another client, or does not say to which" },
    );
  });
});

describe("a token that is bound to a key", () => {
  const certificate = new X509Certificate(ecdsaSha256.certificate).raw;
  const other = new X509Certificate(ecdsaSha384.certificate).raw;
  const thumbprint = createHash("sha256").update(certificate).digest("base64url");
  const bound = { cnf: { "x5t#S256": thumbprint } };

  test("is believed on a connection that showed that client certificate, and on no other", async () => {
    const token = await sign(bound);
    const reason = async (clientCertificate?: Buffer) => {
      const result = await verify(token, [issuer], { clientCertificate });
      return result.kind === "refused" ? result.reason : result.identity.name;
    };
    expect(await reason(certificate)).toBe("sam@example.com");
    expect(await reason(other)).toBe("the token is bound to another client certificate");
    expect(await reason()).toBe("the token is bound to a client certificate, and the client showed none");
  });

  test.each<[string, unknown]>([
    ["a key of DPoP", { jkt: thumbprint }],
    ["a key itself", { jwk: { kty: "EC" } }],
    ["the certificate and a key of DPoP", { ...bound.cnf, jkt: thumbprint }],
    ["an older thumbprint", { x5t: thumbprint }],
    ["nothing", {}],
    ["null", null],
    ["a text", thumbprint],
    ["a list", [bound.cnf]],
  ])("is refused where that is %s", async (_what, cnf) => {
    expect(await verify(await sign({ cnf }), [issuer], { clientCertificate: certificate })).toEqual({
      kind: "refused",
      reason: "the token is bound to a key in a way that is not supported",
    });
  });

  test.each([`${thumbprint}=`, thumbprint.slice(1), "", 7, null, [thumbprint]])(
    "is refused where the thumbprint is %j",
    async (wrong) => {
      const token = await sign({ cnf: { "x5t#S256": wrong } });
      expect(await verify(token, [issuer], { clientCertificate: certificate })).toMatchObject({
        reason: "the token is bound to another client certificate",
      });
    },
  );
});

describe("verifyToken accepts", () => {
  test("a token of the issuer, and takes name and attributes from it", async () => {
    const token = await sign({ "https://example.com/region": "eu" });
    expect(await verify(token)).toEqual({
      kind: "identity",
      identity: {
        name: "sam@example.com",
        method: "jwt",
        attributes: { tenant: 2, groups: ["support"], region: "eu" },
        // Not of the signature: another one that fits is no other token.
        credential: {
          kind: "token",
          issuer: issuer.issuer,
          id: undefined,
          key: "es",
          digest: createHash("sha256").update(token.split(".").slice(0, 2).join(".")).digest("hex"),
        },
        signedInAt: now,
        mfa: false,
        expiresAt: (seconds + 65) * 1000,
      },
    });
  });

  test.each<[string, JWTPayload, Made]>([
    ["RS256", {}, { header: { alg: "RS256", kid: "rs" }, key: rs.privateKey }],
    ["PS512", {}, { header: { alg: "PS512", kid: "rs" }, key: ps }],
    ["one audience of several", { aud: ["other", "rolegate"] }, {}],
    ["an expiry within the tolerance", { exp: seconds - 4 }, {}],
    ["a beginning within the tolerance", { nbf: seconds + 4 }, {}],
    ["no attributes", { org: undefined, groups: undefined }, {}],
    ["null attributes, as absent", { groups: null }, {}],
  ])("%s", async (_name, claims, made) => {
    expect((await verify(await sign(claims, made))).kind).toBe("identity");
  });

  test("the issuer that the token names, of several", async () => {
    const second = { ...issuer, issuer: "https://two.example.com", nameClaim: ["sub"] };
    const result = await verify(await sign({ iss: "https://two.example.com", sub: "svc" }), [issuer, second]);
    expect(result).toMatchObject({ kind: "identity", identity: { name: "svc" } });
  });
});

const made = (changes: Record<string, unknown>, how?: Made) => () => sign(changes, how);

/** With a header that must be understood and is not (RFC 7515, 4.1.11). */
function critical(): Promise<string> {
  return new SignJWT(good)
    .setProtectedHeader({ alg: "ES256", kid: "es", crit: ["x"], x: 1 })
    .sign(es.privateKey, { crit: { x: true } });
}

/** An HMAC token keyed with the public key's text: accepted wherever the algorithm is taken from the token (RFC 8725, 2.1). */
async function confused(): Promise<string> {
  const spki = new TextEncoder().encode(JSON.stringify(await exportJWK(rs.publicKey)));
  return sign({}, { header: { alg: "HS256", kid: "rs" }, key: spki });
}

const unreachable = () => Promise.reject(new TypeError("fetch failed https://user:hunter2@id.example.com"));

describe("verifyToken refuses", () => {
  test.each<[string, () => Promise<string>, string]>([
    ["another issuer", made({ iss: "https://evil.example.com" }), "the token is from another issuer"],
    ["no issuer", made({ iss: undefined }), "not a JWT"],
    ["an issuer that is no text", made({ iss: ["https://id.example.com"] }), "not a JWT"],
    ["another audience", made({ aud: "billing" }), "the claim aud is not as required"],
    ["no audience", made({ aud: undefined }), "the claim aud is missing"],
    ["an expired token", made({ exp: seconds - 6 }), "the token has expired"],
    ["no expiry", made({ exp: undefined }), "the claim exp is missing"],
    ["an expiry that is no number", made({ exp: "never" }), "the claim exp is not as required"],
    ["a token of tomorrow", made({ nbf: seconds + 60 }), "the claim nbf is not as required"],
    ["another key", made({}, { key: other.privateKey }), "the signature is wrong"],
    ["an unknown kid", made({}, { header: { kid: "nope" } }), "the issuer has no such key"],
    ["an HMAC with the public key", confused, "the signature algorithm is not allowed"],
    ["an unknown critical header", critical, "the token or the key set is refused"],
    [
      "no name",
      made({ email: undefined }),
      "the claim email, which should name the person, is not there as text",
    ],
    [
      "a name that is no text",
      made({ email: ["sam"] }),
      "the claim email, which should name the person, is not there as text",
    ],
    ["an empty name", made({ email: "" }), "the claim email is not a usable name"],
    ["a name with a NUL", made({ email: "sam\0" }), "the claim email is not a usable name"],
    ["a name with a line end", made({ email: "sam\nroot" }), "the claim email is not a usable name"],
    ["a long name", made({ email: "x".repeat(256) }), "the claim email is not a usable name"],
    ["an object as attribute", made({ groups: { a: 1 } }), "the claim groups has a type"],
    ["a nested list as attribute", made({ groups: [["a"]] }), "the claim groups has a type"],
    ["a number that lost digits", made({ org: { id: 2 ** 53 } }), "the claim org.id has a type"],
  ])("%s", async (_name, token, reason) => {
    const result = await verify(await token());
    expect(result.kind).toBe("refused");
    expect(result.kind === "refused" && result.reason).toContain(reason);
  });

  test("a token without signature", async () => {
    const unsigned = new UnsecuredJWT(good).encode();
    expect((await verify(unsigned)).kind).toBe("refused");
    const [, payload] = (await sign()).split(".");
    for (const alg of ["none", "NONE", "nOnE"]) {
      const header = base64url.encode(JSON.stringify({ alg, kid: "es" }));
      expect((await verify(`${header}.${payload}.`)).kind).toBe("refused");
    }
  });

  test.each(["logout+jwt", "secevent+jwt", "dpop+jwt", "JWS", ""])("a token of the type %j", async (typ) => {
    expect(await verify(await sign({}, { header: { alg: "ES256", kid: "es", typ } }))).toEqual({
      kind: "refused",
      reason: "the token is of another type",
    });
  });

  test.each(["JWT", "jwt", "at+jwt", "application/at+jwt"])("but not one of the type %s", async (typ) => {
    const token = await sign({}, { header: { alg: "ES256", kid: "es", typ } });
    expect((await verify(token)).kind).toBe("identity");
  });

  test("an algorithm that the issuer does not use", async () => {
    expect(await verify(await sign(), [{ ...issuer, algorithms: ["RS256"] }])).toEqual({
      kind: "refused",
      reason: "the signature algorithm is not allowed",
    });
  });

  test("every token with one changed character", async () => {
    const token = await sign();
    for (let at = 0; at < token.length; at += 7) {
      const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
      // The last character of a part may hold unused bits, which jose refuses too.
      expect((await verify(changed)).kind).toBe("refused");
    }
  });

  test.each(["", ".", "..", "a.b.c", "hunter2", "eyJ9.eyJ9.x", "x".repeat(70_000), "\0", "é.é.é"])(
    "%j",
    async (token) => {
      const result = await verify(token);
      expect(result.kind).toBe("refused");
      expect(JSON.stringify(result)).not.toContain("hunter2");
    },
  );

  test("everything while the keys cannot be had, without repeating the error", async () => {
    expect(await verify(await sign(), [{ ...issuer, keys: fixedKeySet(unreachable) }])).toEqual({
      kind: "refused",
      reason: "the issuer's key set cannot be had or used",
      noGuess: true,
    });
  });

  test("everything of an empty list of issuers", async () => {
    expect((await verify(await sign(), [])).kind).toBe("refused");
  });
});
