import type { KeySet } from "./key-set.ts";

/** The only signature algorithms that are ever accepted: no `none`, and no HS*, whose key would be a shared secret (RFC 8725 §3.1). */
export const tokenAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

type TokenAlgorithm = (typeof tokenAlgorithms)[number];

/** The steps from the claims set to one claim: `["org", "id"]` for `{ org: { id } }`. */
export type ClaimPath = readonly string[];

/** One `jwt` entry of `identities`: whose tokens are believed, and what they say. */
export type JwtIssuer = {
  readonly issuer: string;
  /** What clients of OAUTHBEARER are told to ask the issuer for: names with spaces between them. */
  readonly scope: string;
  /** A token must name at least one of them. */
  readonly audience: readonly string[];
  /** The clients that may have got the token (`azp`, `client_id`); undefined: any. */
  readonly authorizedParties: ReadonlySet<string> | undefined;
  readonly algorithms: readonly TokenAlgorithm[];
  readonly keys: KeySet;
  readonly nameClaim: ClaimPath;
  /** Attribute → claim. */
  readonly attributes: ReadonlyMap<string, ClaimPath>;
  /** Values of `acr` that mean more than one factor. */
  readonly mfaAcr: ReadonlySet<string>;
  /** Seconds by which `exp` and `nbf` may be off. */
  readonly clockTolerance: number;
};
