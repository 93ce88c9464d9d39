import type { Recorder, SessionRecord } from "../../audit/recorder.ts";
import type { Identity } from "../../identity/identity.ts";
import type { LiveSession } from "../live-sessions.ts";

/** Puts on record that a session begins. `role`: empty in rolegate's own database. */
export function openRecord(
  recorder: Recorder,
  {
    id,
    identity,
    role,
    connection,
    client,
  }: Pick<LiveSession, "id" | "identity" | "role" | "connection" | "client">,
): SessionRecord {
  return recorder.openSession({
    session: id,
    identity: identity.name,
    role,
    method: identity.method,
    credential: credentialFacts(identity),
    database: connection.database,
    client,
    applicationName: connection.applicationName,
    tls: connection.tls,
  });
}

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
