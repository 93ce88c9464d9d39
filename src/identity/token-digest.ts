import { createHash } from "node:crypto";

/**
 * What a token is known by: SHA-256, in hex, of what its issuer signed, header and payload with the dot between them. Not of
 * the signature: of ECDSA there is a second one that fits, which anybody can work out, and a token that was taken away would
 * be another one with it.
 */
export function tokenDigest(token: string): string {
  return createHash("sha256")
    .update(token.slice(0, Math.max(0, token.lastIndexOf("."))))
    .digest("hex");
}
