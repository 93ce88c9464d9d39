import { mockVerifier, type Verifier } from "../scram/verifier.ts";
import type { AttributeValue, Identity } from "./identity.ts";

/** A user that proves itself with a password; only the verifier is known, never the password. */
export type PasswordUser = {
  readonly name: string;
  readonly verifier: Verifier;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
};

/** By name. A Map, because a name from the wire may be `__proto__`. */
export type PasswordUsers = ReadonlyMap<string, PasswordUser>;

/**
 * The verifier to run the SCRAM exchange with: the user's own, or for a name that does not exist a mock one, whose
 * exchange looks the same and always fails.
 * @param secret random, kept for the life of the process.
 */
export function verifierFor(users: PasswordUsers, name: string, secret: Buffer): Verifier {
  // Made even where it is not needed, so that the time taken does not tell whether the name exists.
  const mock = mockVerifier(name, secret, usualIterations(users));
  return users.get(name)?.verifier ?? mock;
}

/** The identity of a user whose SCRAM exchange has succeeded; undefined for a name that does not exist. */
export function passwordIdentity(users: PasswordUsers, name: string): Identity | undefined {
  const user = users.get(name);
  return user && { name: user.name, method: "password", attributes: user.attributes, expiresAt: undefined };
}

const usual = new WeakMap<PasswordUsers, number>();

/** The iteration count that most users have: a mock verifier with another one would stand out. */
function usualIterations(users: PasswordUsers): number | undefined {
  let iterations = usual.get(users);
  if (iterations === undefined && users.size > 0) {
    const counts = [...users.values()].map((user) => user.verifier.iterations).toSorted((a, b) => a - b);
    iterations = mode(counts);
    usual.set(users, iterations);
  }
  return iterations;
}

function mode(sorted: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of sorted) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best = sorted[0] ?? 0;
  for (const [value, count] of counts) if (count > (counts.get(best) ?? 0)) best = value;
  return best;
}
