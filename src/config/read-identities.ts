import * as z from "zod";
import { isMapping, type Path, valueAt } from "../document/document.ts";
import { mapping } from "../document/mapping.ts";
import { identityNameExpected, isIdentityName } from "../identity/identity-name.ts";
import type { CertificateName } from "../identity/certificate-names.ts";
import type { PasswordUser } from "../identity/password-users.ts";
import { mockSecretSetting } from "./mock-secret.ts";
import { type PlacedIssuer, readIssuer } from "./read-issuer.ts";
import { type Reading, itemsAt, keysAt, read, report } from "./reading.ts";

type PlacedNames = { readonly names: readonly CertificateName[]; readonly path: Path };
type PlacedUser = {
  readonly user: PasswordUser | undefined;
  readonly name: string;
  readonly path: Path;
};

export type IdentitiesReading = {
  readonly issuers: readonly PlacedIssuer[];
  /** Undefined: there is no `password` entry. */
  readonly users: readonly PlacedUser[] | undefined;
  readonly certificates: readonly PlacedNames[];
  /** Whether there is a `jwt` entry, even a wrong one. */
  readonly hasJwt: boolean;
  /** Undefined: none is given. */
  readonly mockSecret: (() => Buffer) | undefined;
  /** Every attribute that some identity can have, those of wrong entries included. */
  readonly attributes: ReadonlySet<string>;
};

/** `identities`, entry by entry and user by user. */
export function readIdentities(reading: Reading): IdentitiesReading {
  const items = itemsAt(reading, ["identities"], "a list of jwt, password and certificate entries") ?? [];
  const issuers: PlacedIssuer[] = [];
  const certificates: PlacedNames[] = [];
  const attributes = new Set<string>();
  let users: PlacedUser[] | undefined;
  let hasJwt = false;
  let mockSecret: (() => Buffer) | undefined;
  for (const [index, item] of items.entries()) {
    const path = ["identities", index];
    const type = isMapping(item) ? item["type"] : undefined;
    if (type === "password") {
      users ??= [];
      const secret = readMockSecret(reading, path);
      if (secret !== undefined && mockSecret !== undefined)
        report(reading, [...path, "mockSecret"], "given twice", "it in one password entry", "a second one");
      mockSecret ??= secret;
      users.push(...readUsers(reading, path, attributes));
    } else if (type === "jwt") {
      hasJwt = true;
      addKeys(attributes, valueAt(reading.document, [...path, "attributes"]));
      const issuer = readIssuer(reading, path);
      if (issuer !== undefined) issuers.push(issuer);
    } else if (type === "certificate") {
      const match = valueAt(reading.document, [...path, "match"]);
      for (const entry of Array.isArray(match) ? match : [])
        if (isMapping(entry)) addKeys(attributes, entry["attributes"]);
      const given = read(reading, path, reading.schemas.certificate);
      certificates.push({ names: given?.match ?? [], path });
    } else if (!isMapping(item)) {
      report(reading, path, "wrong type", "a mapping with type: jwt, password or certificate");
    } else {
      const message = type === undefined ? "missing" : "wrong value";
      report(reading, [...path, "type"], message, "jwt, password or certificate");
    }
  }
  return { issuers, users, certificates, hasJwt, attributes, mockSecret };
}

/** What stands beside the users, who are read one by one. */
function readMockSecret(reading: Reading, path: Path): (() => Buffer) | undefined {
  const keys = mapping({
    type: z.unknown().optional(),
    users: z.unknown().optional(),
    mockSecret: mockSecretSetting(reading.sources).optional(),
  });
  return read(reading, path, keys)?.mockSecret;
}

function readUsers(reading: Reading, path: Path, attributes: Set<string>): PlacedUser[] {
  const names = keysAt(reading, [...path, "users"], "a mapping of names to verifiers") ?? [];
  return names.map((name) => {
    const userPath = [...path, "users", name];
    addKeys(attributes, valueAt(reading.document, [...userPath, "attributes"]));
    if (!isIdentityName(name))
      report(reading, userPath, "not a usable name", identityNameExpected, "another name");
    const user = read(reading, userPath, reading.schemas.user);
    return { name, path: userPath, user: user && { name, ...user, validUntil: user.validUntil } };
  });
}

function addKeys(attributes: Set<string>, value: unknown): void {
  if (isMapping(value)) for (const key of Object.keys(value)) attributes.add(key);
}
