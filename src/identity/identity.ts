/** A value that an identity's attribute may have; numbers are finite. */
export type AttributeValue = string | number | boolean | null | readonly (string | number | boolean)[];

/**
 * The ways to prove who one is. `jwt` and `oauth` are the same tokens, given as the password or in the exchange of
 * OAUTHBEARER (RFC 7628).
 */
export type Method = (typeof methods)[number];

export const methods = ["password", "jwt", "oauth", "certificate"] as const;

/** What rules of roles know of an identity. */
export type Subject = {
  /** The name that the record shows: the password user's name, the token's name claim, the certificate's. */
  readonly name: string;
  /** How it was proved. */
  readonly method: Method;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
};

/** Who a client proved to be. Immutable for the life of the session. */
export type Identity = Subject & {
  readonly credential: Credential;
  /**
   * SHA-256 of the client certificate that was shown, in all forms that it can have, whatever it was that proved the
   * identity: a rule of `authentication` or a token may have asked for it beside.
   */
  readonly fingerprints?: readonly string[] | undefined;
  /** When the person signed in, in milliseconds since the epoch: the token's word, else the time of this login. */
  readonly signedInAt: number;
  /** True if whoever vouches for the identity says that more than one factor was used. */
  readonly mfa: boolean;
  /** When the proof ends, in milliseconds since the epoch; undefined: with the session. */
  readonly expiresAt: number | undefined;
};

/** What proved it: by this it is named on record, and taken away. Holds no secret. */
export type Credential =
  | { readonly kind: "password" }
  | {
      readonly kind: "token";
      readonly issuer: string;
      /** `jti`, where the token has one. */
      readonly id: string | undefined;
      /** `kid` of the key that signed it, where its header names one. */
      readonly key: string | undefined;
      /** By which it is known where it has no `jti` (token-digest.ts). */
      readonly digest: string;
    }
  | {
      readonly kind: "certificate";
      /** SHA-256 of the certificate (DER), in lower-case hex. */
      readonly fingerprint: string;
      /** In lower-case hex. */
      readonly serial: string;
      /** The issuer's distinguished name. */
      readonly issuer: string;
    };
