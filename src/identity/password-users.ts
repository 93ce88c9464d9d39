import { mockVerifier, type Verifier, type VerifierForm } from "../scram/verifier.ts";
import type { AttributeValue, Identity } from "./identity.ts";

/** A user that proves itself with a password; only the verifier is known, never the password. */
export type PasswordUser = {
  readonly name: string;
  readonly verifier: Verifier;
  /** When the password ends, in milliseconds since the epoch; undefined: never. */
  readonly validUntil: number | undefined;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
};

/** By name. A Map, because a name from the wire may be `__proto__`. */
export type PasswordUsers = ReadonlyMap<string, PasswordUser>;

/**
 * Whether a user's password has ended (VALID UNTIL of PostgreSQL's roles; CVE-2025-2291 is a proxy that did not look).
 * @param now milliseconds since the epoch
 */
export function hasEnded({ validUntil }: PasswordUser, now: number): boolean {
  return validUntil !== undefined && validUntil <= now;
}

/**
 * The verifier to run the SCRAM exchange with: the user's own, or for a name that does not exist or a password that has
 * ended a mock one, whose exchange looks the same and always fails.
 * @param secret random, the same for longer than a process lives
 * @param now milliseconds since the epoch
 */
export function verifierFor(users: PasswordUsers, name: string, secret: Buffer, now: number): Verifier {
  // Made even where it is not needed, so that the time taken does not tell whether the name exists.
  const mock = mockVerifier(name, secret, usualForm(users));
  const user = users.get(name);
  if (user === undefined) return mock;
  // What is shown of it stays its own: a salt that changes would tell that the password has ended.
  const { iterations, salt } = user.verifier;
  return hasEnded(user, now) ? { ...mock, iterations, salt } : user.verifier;
}

/**
 * The identity of a user whose SCRAM exchange has succeeded; undefined for a name that does not exist.
 * @param now milliseconds since the epoch
 */
export function passwordIdentity(users: PasswordUsers, name: string, now: number): Identity | undefined {
  const user = users.get(name);
  return (
    user && {
      name: user.name,
      method: "password",
      attributes: user.attributes,
      credential: { kind: "password" },
      signedInAt: now,
      mfa: false,
      expiresAt: user.validUntil,
    }
  );
}

const usual = new WeakMap<PasswordUsers, VerifierForm>();

/** The iterations and the length of salt that most users have: a mock verifier with others would stand out. */
function usualForm(users: PasswordUsers): VerifierForm | undefined {
  let form = usual.get(users);
  if (form === undefined && users.size > 0) {
    const forms = [...users.values()].map(({ verifier }) => formOf(verifier));
    const counts = Map.groupBy(forms, ({ iterations, saltBytes }) => `${iterations} ${saltBytes}`);
    // Where two are as frequent the cheaper one, whatever the order of the file.
    [form] = [...counts.values()]
      .toSorted((a, b) => b.length - a.length || a[0]!.iterations - b[0]!.iterations)
      .map(([first]) => first!);
    usual.set(users, form!);
  }
  return form;
}

function formOf({ iterations, salt }: Verifier): VerifierForm {
  return { iterations, saltBytes: salt.length };
}
