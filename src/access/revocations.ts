import type { Credential, Identity } from "../identity/identity.ts";

/** What can be taken away. */
export type RevocationKind = "name" | "session" | "token" | "key" | "certificate" | "role";

/** Something that was taken away, by whom and why. */
export type Revocation = {
  readonly id: string;
  readonly kind: RevocationKind;
  /** The identity's name, the session's id, the token's `jti` or digest, the key's `kid`, the fingerprint, the role. */
  readonly value: string;
  /** Of a token or a key; undefined: of any. */
  readonly issuer: string | undefined;
  /** Of a role; undefined: in all. */
  readonly database: string | undefined;
  readonly reason: string;
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** When it ends by itself, in milliseconds since the epoch. */
  readonly until: number | undefined;
};

/** Whom a revocation may concern: who is there, as what, and where. */
export type Subject = {
  readonly identity: Identity;
  /** Undefined: it has not begun. */
  readonly session?: string;
  /** The role in force, and the one that is being taken. */
  readonly roles: readonly string[];
  readonly database: string;
};

/** Revocations by what they concern. A look-up costs the same however many there are. */
export type Revocations = ReadonlyMap<string, readonly Revocation[]>;

export const noRevocations: Revocations = new Map();

export function indexRevocations(list: readonly Revocation[]): Revocations {
  const index = new Map<string, Revocation[]>();
  for (const revocation of list)
    for (const place of placesOf(revocation)) {
      const others = index.get(place);
      if (others === undefined) index.set(place, [revocation]);
      else others.push(revocation);
    }
  return index;
}

/** A key stands in a second place: for tokens that do not say which one signed them. */
function placesOf({ kind, value, issuer }: Revocation): string[] {
  return kind === "key" ? [place(kind, value), place("unnamed key", issuer ?? "")] : [place(kind, value)];
}

/** No kind holds a NUL, so none can be another with a longer value. */
function place(kind: string, value: string): string {
  return `${kind}\0${value}`;
}

/**
 * The revocation that keeps the subject out, or undefined.
 * @param now milliseconds since the epoch
 */
export function revokedBy(index: Revocations, subject: Subject, now: number): Revocation | undefined {
  if (index.size === 0) return undefined;
  for (const at of placesFor(subject))
    for (const revocation of index.get(at) ?? []) if (holds(revocation, subject, now)) return revocation;
  return undefined;
}

function placesFor({ identity, session, roles }: Subject): string[] {
  const places = [place("name", identity.name), ...roles.map((role) => place("role", role))];
  if (session !== undefined) places.push(place("session", session));
  // Also where it stood beside a password or a token: one that is taken away is worth nothing in any place.
  for (const fingerprint of identity.fingerprints ?? []) places.push(place("certificate", fingerprint));
  return [...places, ...placesOfCredential(identity.credential)];
}

function placesOfCredential(credential: Credential): string[] {
  switch (credential.kind) {
    case "password":
      break;
    case "certificate":
      return [place("certificate", credential.fingerprint)];
    case "token": {
      const { id, key, digest, issuer } = credential;
      const places = [place("token", digest), ...(id === undefined ? [] : [place("token", id)])];
      // A thief of the key can leave its name out of what he signs, and the only key of a set fits without.
      if (key === undefined) places.push(place("unnamed key", issuer), place("unnamed key", ""));
      else places.push(place("key", key));
      return places;
    }
  }
  return [];
}

function holds({ until, issuer, database }: Revocation, subject: Subject, now: number): boolean {
  if (until !== undefined && until <= now) return false;
  if (database !== undefined && database !== subject.database) return false;
  const { credential } = subject.identity;
  return issuer === undefined || (credential.kind === "token" && credential.issuer === issuer);
}

/** What the one is told whom it concerns, once it is proved who that is. */
export function revocationMessage(revocation: Revocation): string {
  // It is somebody's text, and goes to a terminal.
  const { kind, value, reason } = revocation;
  // It is somebody's text, and goes to a terminal.
  return `${revokedThings[kind](value)}: ${reason.replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ")}`;
}

const revokedThings: Readonly<Record<RevocationKind, (value: string) => string>> = {
  name: (value) => `access of "${value}" was revoked`,
  session: () => "the session was ended",
  token: () => "the token was revoked",
  key: () => "the key that signed the token was revoked",
  certificate: () => "the certificate was revoked",
  role: (value) => `the role "${value}" was revoked`,
};
