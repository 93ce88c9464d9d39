import { randomUUID } from "node:crypto";
import type { AccessConnection } from "../../access/condition.ts";
import { ownDatabase } from "../../config/read-databases.ts";
import { problemOf, refuse } from "../../errors.ts";
import type { Identity } from "../../identity/identity.ts";
import { authenticationOk } from "../../wire/authentication.ts";
import { backendKeyData, parameterStatus, readyForQuery } from "../../wire/backend.ts";
import { cancelKeyBytes, type ProtocolMinor } from "../../wire/negotiate-protocol-version.ts";
import { openRecord } from "../login/open-record.ts";
import type { Inbox } from "../login/inbox.ts";
import type { Gate } from "../login/login.ts";
import { OwnSession } from "./own-session.ts";

/** Everything that a login to rolegate's own database has found out. */
export type OwnStart = {
  readonly identity: Identity;
  /** `user` of the startup packet. */
  readonly user: string;
  readonly connection: AccessConnection;
  /** Address and port of the client. */
  readonly client: string;
  readonly minor: ProtocolMinor;
};

/** Sessions of one identity: they need no role and cost the database nothing, so nothing else bounds them. */
const mostOfOne = 20;

/** What clients look at before they go on; the version is that of the protocol's documentation. */
const parameters = {
  server_version: "18.0 (rolegate)",
  server_encoding: "UTF8",
  client_encoding: "UTF8",
  DateStyle: "ISO, MDY",
  integer_datetimes: "on",
  is_superuser: "off",
  standard_conforming_strings: "on",
  TimeZone: "UTC",
} as const;

/**
 * Lets an identity talk to rolegate itself: it needs no role, and nothing is connected to.
 * @throws RolegateError no_role for a user that is not the identity's own name, too_many_connections
 */
export function startOwnSession(inbox: Inbox, start: OwnStart, gate: Gate): void {
  const { identity, user } = start;
  if (user !== identity.name)
    refuse("no_role", `"${identity.name}" has no role in rolegate's own database`, {
      hint: `Connect as "${identity.name}".`,
    });
  const own = [...gate.sessions].filter(
    (each) => each.connection.database === ownDatabase && each.identity.name === identity.name,
  );
  if (own.length >= mostOfOne)
    refuse("too_many_connections", `"${identity.name}" has ${own.length} sessions in this database already`);
  if (inbox.failure !== undefined) throw inbox.failure;
  // Once more: only from here on it is among the sessions that a revocation ends.
  gate.takenAway?.check({ identity, roles: [], database: start.connection.database });
  const session = begin(inbox, start, gate);
  try {
    inbox.handOver(session);
  } catch (error) {
    session.end(problemOf(error));
  }
}

function begin({ channel }: Inbox, start: OwnStart, gate: Gate): OwnSession {
  const { recorder, metrics, log, cancelKeys, sessions, requests } = gate;
  const { identity, connection, client, minor } = start;
  const id = randomUUID();
  const record = openRecord(recorder, { id, identity, role: "", connection, client });
  // Nothing that runs here can be cancelled, but clients want a key.
  const key = cancelKeys.issue(undefined, cancelKeyBytes(minor), () => {});
  const basis = { id, identity, connection, client, record, recorder, log, requests };
  const session = new OwnSession(basis, channel, () => {
    cancelKeys.revoke(key.processId);
    sessions.remove(session);
    metrics.sessions--;
  });
  sessions.add(session);
  metrics.sessions++;
  const shown = {
    ...parameters,
    session_authorization: identity.name,
    application_name: connection.applicationName,
  };
  channel.write(
    Buffer.concat([
      authenticationOk,
      ...Object.entries(shown).map(([name, value]) => parameterStatus(name, value)),
      backendKeyData(key.processId, key.key),
      readyForQuery("I"),
    ]),
  );
  return session;
}
