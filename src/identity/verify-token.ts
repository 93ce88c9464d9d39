import { decodeJwt, errors, jwtVerify, type JWTPayload } from "jose";
import { attributeValue } from "./attributes.ts";
import type { AttributeValue, Credential, Identity } from "./identity.ts";
import { unconfirmed } from "./confirmation.ts";
import { isIdentityName } from "./identity-name.ts";
import { tokenDigest } from "./token-digest.ts";
import type { ClaimPath, JwtIssuer } from "./jwt-issuer.ts";

export type TokenResult =
  | { readonly kind: "identity"; readonly identity: Identity }
  /** `reason` is for the log and the record only, and holds nothing of the token: the client is told one thing for all of them. */
  | {
      readonly kind: "refused";
      readonly reason: string;
      /** It was right until it expired, or nobody can tell: whoever brings it is not locked out for that. */
      readonly noGuess?: true;
    };

/** How a token came. */
export type Presentation = {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly method: "jwt" | "oauth";
  /** DER of the certificate that the client proved to have by TLS; undefined: none. */
  readonly clientCertificate?: Buffer | undefined;
};

/** As the server's own limit for a password message (PG_MAX_AUTH_TOKEN_LENGTH, libpq/auth.h). */
const maxTokenLength = 65_535;

/**
 * Verifies a JWT (RFC 7519, RFC 8725): signed by a key of a configured issuer with one of the allowed algorithms,
 * for our audience, with an expiry that has not passed, and by who may bring it.
 * @returns never throws for anything that a client or a key server can cause.
 */
export async function verifyToken(
  token: string,
  issuers: readonly JwtIssuer[],
  presentation: Presentation,
): Promise<TokenResult> {
  if (token.length > maxTokenLength) return refused("the token is too long");
  // Not yet verified: only picks the issuer whose keys, audience and issuer are then insisted on.
  const claimed = unverifiedIssuer(token);
  const issuer = issuers.find((candidate) => candidate.issuer === claimed);
  if (issuer === undefined)
    return refused(claimed === undefined ? "not a JWT" : "the token is from another issuer");
  try {
    const { payload, protectedHeader } = await jwtVerify(token, issuer.keys.find, {
      issuer: issuer.issuer,
      audience: [...issuer.audience],
      algorithms: [...issuer.algorithms],
      clockTolerance: issuer.clockTolerance,
      requiredClaims: ["exp"],
      currentDate: new Date(presentation.now),
    });
    const credential: TokenCredential = {
      kind: "token",
      issuer: issuer.issuer,
      id: payload.jti,
      key: protectedHeader.kid,
      digest: tokenDigest(token),
    };
    const reason =
      otherPurpose(protectedHeader.typ) ??
      otherParty(payload, issuer.authorizedParties) ??
      unconfirmed(payload, presentation.clientCertificate);
    return reason === undefined ? identityOf(payload, credential, issuer, presentation) : refused(reason);
  } catch (error) {
    const reason = reasonOf(error);
    return isNoGuess(error) ? { kind: "refused", reason, noGuess: true } : refused(reason);
  }
}

/**
 * Why a token is not for this: an issuer makes tokens of other types too, such as logout tokens, and one must not be taken
 * for the other (RFC 8725, section 3.11; RFC 9068 for access tokens). Many leave the type out.
 */
function otherPurpose(type: string | undefined): string | undefined {
  const known = type === undefined || /^(?:application\/)?(?:at\+)?jwt$/i.test(type);
  return known ? undefined : "the token is of another type";
}

function unverifiedIssuer(token: string): string | undefined {
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === "string" ? iss : undefined;
  } catch {
    return undefined;
  }
}

type TokenCredential = Extract<Credential, { kind: "token" }>;

function identityOf(
  payload: JWTPayload,
  credential: TokenCredential,
  issuer: JwtIssuer,
  { now, method }: Presentation,
): TokenResult {
  const name = claimAt(payload, issuer.nameClaim);
  if (typeof name !== "string")
    return refused(
      `the claim ${issuer.nameClaim.join(".")}, which should name the person, is not there as text`,
    );
  if (!isIdentityName(name)) return refused(`the claim ${issuer.nameClaim.join(".")} is not a usable name`);
  const attributes: Record<string, AttributeValue> = {};
  for (const [attribute, path] of issuer.attributes) {
    const claim = claimAt(payload, path);
    // Absent (or null) is the absence of the attribute: roles whose rules need it are then refused.
    if (claim === undefined || claim === null) continue;
    const value = attributeValue(claim);
    if (value === undefined)
      return refused(`the claim ${path.join(".")} has a type that an attribute cannot have`);
    attributes[attribute] = value;
  }
  const expiresAt = (Number(payload.exp) + issuer.clockTolerance) * 1000;
  const signedInAt = signInTime(payload, now, issuer.clockTolerance);
  if (signedInAt === undefined) return refused("the claim auth_time is not as required");
  const identity: Identity = {
    name,
    method,
    attributes,
    credential,
    signedInAt,
    mfa: usedSeveralFactors(payload, issuer.mfaAcr),
    expiresAt,
  };
  return { kind: "identity", identity };
}

/**
 * When the person signed in (OpenID Connect Core, section 2: `auth_time`), else when the token was made; a service's has
 * nothing else. In milliseconds, and never in the future: whoever has yet to sign in would be young for too long.
 * @returns undefined where `auth_time` cannot be read: what stands beside it is later, and would make an old sign-in a new one
 */
function signInTime({ auth_time: signIn, iat }: JWTPayload, now: number, tolerance: number) {
  if (signIn === undefined || signIn === null) return Math.min(iat === undefined ? now : iat * 1000, now);
  if (typeof signIn !== "number" || signIn * 1000 > now + tolerance * 1000) return undefined;
  return Math.min(signIn * 1000, now);
}

/** True if `amr` (RFC 8176) says so, or `acr` is one that the operator knows to mean it; a token without either counts as one factor. */
function usedSeveralFactors({ amr, acr }: JWTPayload, mfaAcr: ReadonlySet<string>): boolean {
  return (Array.isArray(amr) && amr.includes("mfa")) || (typeof acr === "string" && mfaAcr.has(acr));
}

/**
 * Why the client that got the token is not one that may use it here; undefined: it is. `azp` (OpenID Connect Core, section
 * 2) is what most issuers write, `client_id` what RFC 9068 does; a token with neither proves nothing.
 */
function otherParty(payload: JWTPayload, parties: ReadonlySet<string> | undefined): string | undefined {
  if (parties === undefined) return undefined;
  const named = [payload["azp"], payload["client_id"]].filter((party) => party !== undefined);
  const known = named.every((party) => typeof party === "string" && parties.has(party));
  return named.length > 0 && known
    ? undefined
    : "the token was issued to another client, or does not say to which";
}

/** Own properties only: a claim path `constructor` finds nothing. */
function claimAt(payload: JWTPayload, path: ClaimPath): unknown {
  let value: unknown = payload;
  for (const step of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, step))
      return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

function refused(reason: string): TokenResult {
  return { kind: "refused", reason };
}

/** The signature is looked at before the expiry; and a key set that is away is not the client's fault. */
function isNoGuess(error: unknown): boolean {
  if (error instanceof errors.JWTExpired || error instanceof errors.JWKSTimeout) return true;
  return reasonOf(error) === keysAway;
}

const keysAway = "the issuer's key set cannot be had or used";

/** In our words: a library's message may quote what the client sent. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return "the token has expired";
  if (error instanceof errors.JWTClaimValidationFailed)
    return `the claim ${knownClaim(error.claim)} is ${error.reason === "missing" ? "missing" : "not as required"}`;
  if (error instanceof errors.JOSEAlgNotAllowed) return "the signature algorithm is not allowed";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "the signature is wrong";
  if (error instanceof errors.JWKSNoMatchingKey) return "the issuer has no such key";
  if (error instanceof errors.JWKSMultipleMatchingKeys)
    return "several keys of the issuer fit and the token names none";
  if (error instanceof errors.JWKSTimeout) return "the issuer's key set did not come in time";
  if (error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid)
    return "not a well-formed JWT";
  // A fetch that fails has the generic code, as has an answer that is not 200.
  if (
    error instanceof errors.JOSEError &&
    error.code !== "ERR_JOSE_GENERIC" &&
    error.code !== "ERR_JWKS_INVALID"
  )
    return `the token or the key set is refused (${error.code})`;
  return keysAway;
}

function knownClaim(claim: string): string {
  return ["iss", "aud", "exp", "nbf", "iat"].includes(claim) ? claim : "in question";
}
