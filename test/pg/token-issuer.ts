import { exportJWK, generateKeyPair, SignJWT } from "jose";

export const issuerName = "https://id.test";
export const audience = "rolegate";

export type TokenIssuer = {
  /** A `jwt` entry of `identities`. */
  entry(more?: object): object;
  /** A token that is good, but for what `claims` changes; `expiresIn` in seconds. */
  sign(
    claims: Record<string, unknown>,
    expiresIn?: number,
    header?: { readonly kid?: string },
  ): Promise<string>;
  /** The key set, which is public: an attacker may take it for a shared secret. */
  readonly keySet: string;
};

/** An issuer with one key, whose key set stands in the configuration itself. */
export async function createTokenIssuer(): Promise<TokenIssuer> {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const keySet = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "one" }] });
  return {
    entry: (more = {}) => ({
      type: "jwt",
      issuer: issuerName,
      audience,
      jwks: keySet,
      name: "email",
      attributes: { tenant: "org.id", groups: "groups" },
      clockTolerance: "1s",
      ...more,
    }),
    sign: (claims, expiresIn = 60, header = { kid: "one" }) =>
      new SignJWT({
        iss: issuerName,
        aud: audience,
        exp: Math.floor(Date.now() / 1000) + expiresIn,
        email: "sam@example.com",
        ...claims,
      })
        .setProtectedHeader({ alg: "ES256", ...header })
        .sign(privateKey),
    keySet,
  };
}
