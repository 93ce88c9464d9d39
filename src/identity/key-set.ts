import { createLocalJWKSet, createRemoteJWKSet, type JWTVerifyGetKey } from "jose";

/** A slow key server must not hold up log-ins for longer than this, in milliseconds. */
const fetchTimeout = 5000;
/** An unknown `kid` causes a fetch; anyone can send one, so at most one fetch in this time, in milliseconds. */
const cooldown = 30_000;
/** How long a key that the issuer has withdrawn may still be believed, in milliseconds. */
const cacheMaxAge = 10 * 60_000;

/**
 * The keys at a URL, fetched when first needed, then kept. Redirects are not followed. Each look-up throws while
 * there is no key set to be had: no keys, no log-in.
 */
export function remoteKeySet(url: URL): JWTVerifyGetKey {
  return createRemoteJWKSet(url, { timeoutDuration: fetchTimeout, cooldownDuration: cooldown, cacheMaxAge });
}

export type KeySetReading =
  | { readonly kind: "keys"; readonly keys: JWTVerifyGetKey }
  /** In the words of a configuration problem. */
  | { readonly kind: "refused"; readonly found: string };

/** What `localKeySet` takes, in words. */
export const keySetExpected =
  "a JSON Web Key Set (RFC 7517) with public keys: RSA of 2048 bits or more, EC or OKP";

/** The keys of a JWKS document (RFC 7517, section 5). A private or a shared key in it is refused: it has no place here. */
export function localKeySet(json: string): KeySetReading {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { kind: "refused", found: "text that is not JSON" };
  }
  const keys = typeof value === "object" && value !== null && "keys" in value ? value.keys : undefined;
  if (!Array.isArray(keys)) return { kind: "refused", found: "JSON without a list of keys" };
  if (keys.length === 0) return { kind: "refused", found: "an empty list of keys" };
  for (const [index, key] of keys.entries()) {
    const fault = keyFault(key);
    if (fault !== undefined) return { kind: "refused", found: `${fault} (keys[${index}])` };
  }
  return { kind: "keys", keys: createLocalJWKSet({ keys }) };
}

function keyFault(key: unknown): string | undefined {
  if (typeof key !== "object" || key === null || !("kty" in key)) return "something that is not a key";
  if ("d" in key) return "a private key";
  switch (key.kty) {
    case "RSA": {
      const modulus =
        "n" in key && typeof key.n === "string" ? Buffer.from(key.n, "base64url") : Buffer.alloc(0);
      return modulus.length < 256 ? "an RSA key of less than 2048 bits" : undefined;
    }
    case "EC":
    case "OKP":
      return "crv" in key && "x" in key ? undefined : "an incomplete key";
    case "oct":
      return "a shared secret (kty oct)";
    default:
      return "a key of another type";
  }
}
