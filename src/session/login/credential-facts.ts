import type { Identity } from "../../identity/identity.ts";

/**
 * What proved an identity, as the record tells it: by this it can be revoked. Undefined for a password alone, of which
 * there is nothing to tell.
 */
export function credentialFacts({
  credential,
  fingerprints = [],
}: Identity): Readonly<Record<string, string>> | undefined {
  const facts: Record<string, string> = {};
  if (credential.kind === "token") {
    facts["issuer"] = credential.issuer;
    if (credential.id !== undefined) facts["token"] = credential.id;
    if (credential.key !== undefined) facts["key"] = credential.key;
    facts["digest"] = credential.digest;
  } else if (credential.kind === "certificate") {
    facts["issuer"] = credential.issuer;
    facts["serial"] = credential.serial;
    facts["fingerprint"] = credential.fingerprint;
  }
  const [shown] = fingerprints;
  if (shown !== undefined) facts["fingerprint"] ??= shown;
  return Object.keys(facts).length === 0 ? undefined : facts;
}
