import type { AttributeValue, Identity } from "./identity.ts";

/** A user that proves itself with a password; only the verifier is known, never the password. */
export type PasswordUser = {
  readonly name: string;
  /** As `rolegate password` prints it: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`. A secret: it lets a guess be tested offline. */
  readonly verifier: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
};

/** By name. A Map, because a name from the wire may be `__proto__`. */
export type PasswordUsers = ReadonlyMap<string, PasswordUser>;

/** The identity of a user whose SCRAM exchange has succeeded. */
export function passwordIdentity(user: PasswordUser): Identity {
  return { name: user.name, method: "password", attributes: user.attributes, expiresAt: undefined };
}
