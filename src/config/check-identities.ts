import path from "node:path";
import { valueAt } from "../document/document.ts";
import { usualRules, type MethodRule } from "../identity/choose-method.ts";
import type { PasswordUser, PasswordUsers } from "../identity/password-users.ts";
import type { IdentitiesConfig, ListenConfig } from "./config.ts";
import { mockSecretFile, type MockSecret } from "./mock-secret.ts";
import type { IdentitiesReading } from "./read-identities.ts";
import type { PlacedIssuer } from "./read-issuer.ts";
import { type Reading, report } from "./reading.ts";

/**
 * Holds the entries of `identities` against each other, and against what they need of `listen`.
 * @param listen undefined: it is wrong itself, so nothing is said about it here.
 * @param roleNames the role names of `access`.
 * @param rules those of `authentication`; undefined: there are none.
 */
export function checkIdentities(
  reading: Reading,
  identities: IdentitiesReading,
  listen: ListenConfig | undefined,
  { roleNames, rules }: { roleNames: ReadonlySet<string>; rules: readonly MethodRule[] | undefined },
): IdentitiesConfig {
  const { issuers } = identities;
  const plaintext = issuers.length > 0 && issuers.every((placed) => placed.plaintext);
  checkIssuers(reading, issuers);
  if (listen !== undefined && listen.tls?.clientCa === undefined)
    for (const { path } of identities.certificates)
      report(reading, path, "nobody could show one", "listen.tls.clientCa", "a certificate entry without it");
  checkScopes(reading, issuers, rules ?? []);
  if (listen !== undefined) for (const placed of issuers) checkTransport(reading, placed, listen);
  return {
    mockSecret: identities.users && mockSecret(reading, identities),
    passwordUsers:
      identities.users && passwordUsers(reading, identities, rules === undefined ? roleNames : undefined),
    certificates: identities.certificates.flatMap(({ names }) => names),
    jwt: issuers.map(({ issuer }) => issuer),
    plaintextTokensOnLoopback: plaintext,
    rules:
      rules ??
      usualRules({
        certificates: identities.certificates.length > 0,
        passwords: identities.users !== undefined,
        tokens: identities.hasJwt,
        roleNames,
      }),
    attributes: identities.attributes,
  };
}

function mockSecret({ sources }: Reading, { mockSecret: secret }: IdentitiesReading): MockSecret {
  if (secret !== undefined) return { kind: "given", secret };
  return { kind: "kept", file: path.resolve(sources.directory, mockSecretFile) };
}

function checkIssuers(reading: Reading, issuers: readonly PlacedIssuer[]): void {
  const [first] = issuers;
  for (const [index, { issuer, plaintext, path }] of issuers.entries()) {
    if (issuers.slice(0, index).some((other) => other.issuer.issuer === issuer.issuer)) {
      report(reading, [...path, "issuer"], "two entries for one issuer", "one jwt entry for each issuer");
    }
    // Whether a token may be asked for is decided before it is known whose it is.
    if (plaintext !== first?.plaintext) {
      const expected =
        "the same value in every jwt entry, because the issuer is not known before the token was sent";
      report(reading, [...path, "allowPlaintextOnLoopback"], "entries differ", expected, String(plaintext));
    }
  }
}

/** A scope that no client is ever told. */
function checkScopes(reading: Reading, issuers: readonly PlacedIssuer[], rules: readonly MethodRule[]): void {
  for (const { issuer, path } of issuers) {
    const told = rules.some((rule) => rule.method === "oauth" && rule.issuer === issuer.issuer);
    if (!told && valueAt(reading.document, [...path, "scope"]) !== undefined)
      report(reading, [...path, "scope"], "has no effect", "a rule of authentication with method oauth");
  }
}

/** A way to log in that can never be taken is a rule that silently does nothing. */
function checkTransport(reading: Reading, { plaintext, path }: PlacedIssuer, listen: ListenConfig): void {
  const setting = [...path, "allowPlaintextOnLoopback"];
  if (listen.tls === undefined && !plaintext) {
    const expected =
      "listen.tls, or allowPlaintextOnLoopback: true: a token is sent only over TLS or on this machine";
    report(reading, path, "no token could ever arrive", expected, "a jwt entry without listen.tls");
  }
  if (listen.tls?.mode === "require" && plaintext) {
    report(
      reading,
      setting,
      "has no effect",
      "listen.tls.mode: optional, or false",
      "true with listen.tls.mode: require",
    );
  }
}

function passwordUsers(
  reading: Reading,
  identities: IdentitiesReading,
  tokenNames: ReadonlySet<string> | undefined,
): PasswordUsers {
  const users = new Map<string, PasswordUser>();
  const seen = new Set<string>();
  for (const { name, user, path } of identities.users ?? []) {
    if (seen.has(name))
      report(reading, path, "two entries for one user", "each user once", "a user of an entry above");
    seen.add(name);
    // Without rules the method is chosen by the form of the name (choose-method.ts): these names are asked for a token.
    if (identities.hasJwt && tokenNames !== undefined && (name.includes("@") || tokenNames.has(name))) {
      const expected =
        "a name without @ that is no role of access, because with jwt such names log in with a token";
      report(
        reading,
        path,
        "the user could never log in",
        expected,
        name.includes("@") ? "a name with @" : "the name of a role",
      );
    }
    if (user !== undefined) users.set(name, user);
  }
  return users;
}
