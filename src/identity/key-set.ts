import { createLocalJWKSet, type JWTVerifyGetKey } from "jose";

/** The keys of an issuer, as they are at the time of asking. */
export type KeySet = {
  /** Finds the key for a token's header; throws when there is none or the key set cannot be had. */
  readonly find: JWTVerifyGetKey;
  /** Whom to tell from now on what becomes of the keys; before that nobody is told. */
  readonly observe: (observer: (event: KeySetEvent) => void) => void;
};

export type KeySetEvent =
  /** They were fetched, or read again from their changed file. */
  | { readonly kind: "fetched" }
  /** They could not be; `lastKeys`: whether there are earlier ones that are still believed. Holds no secret. */
  | { readonly kind: "failed"; readonly reason: string; readonly lastKeys: boolean }
  /** A token was looked up among earlier keys, because there are no newer ones to be had. */
  | { readonly kind: "stale" };

export type KeySetReading =
  | { readonly kind: "keys"; readonly keys: JWTVerifyGetKey }
  /** In the words of a configuration problem. */
  | { readonly kind: "refused"; readonly found: string };

/** What `localKeySet` takes, in words. */
export const keySetExpected =
  "a JSON Web Key Set (RFC 7517) with public keys: RSA of 2048 bits or more, EC or OKP";

/** Keys that never change. */
export function fixedKeySet(keys: JWTVerifyGetKey): KeySet {
  return { find: keys, observe: () => {} };
}

/** How often a file of keys is looked at, in milliseconds, and only when a token has come. */
const lookInterval = 1000;

/**
 * Keys of a file, which is read again when it has changed. What cannot be used is told of, and the keys before it stay.
 * @param look undefined: the file is as it was the last time.
 */
export function fileKeySet(first: JWTVerifyGetKey, look: () => KeySetReading | undefined): KeySet {
  let keys = first;
  let looked = Date.now();
  let observer: ((event: KeySetEvent) => void) | undefined;
  return {
    find: (header, token) => {
      if (Math.abs(Date.now() - looked) >= lookInterval) {
        looked = Date.now();
        const reading = look();
        if (reading?.kind === "keys") {
          ({ keys } = reading);
          observer?.({ kind: "fetched" });
        } else if (reading !== undefined) {
          observer?.({ kind: "failed", reason: reading.found, lastKeys: true });
        }
      }
      return keys(header, token);
    },
    observe: (next) => {
      observer = next;
    },
  };
}

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
