import { problemOf } from "../../errors.ts";
import { randomUUID } from "node:crypto";
import type { AccessConnection } from "../../access/condition.ts";
import type { Identity } from "../../identity/identity.ts";
import { authenticationOk } from "../../wire/authentication.ts";
import { backendKeyData, parameterStatus, readyForQuery } from "../../wire/backend.ts";
import { noticeResponse } from "../../wire/error-fields.ts";
import { cancelKeyBytes, type ProtocolMinor } from "../../wire/negotiate-protocol-version.ts";
import type { Database } from "../database.ts";
import type { Inbox } from "./inbox.ts";
import { openRecord } from "./open-record.ts";
import type { Gate } from "./login.ts";
import { shownParameter } from "../parameters.ts";
import type { OpenRole } from "../role-change.ts";
import { useRole } from "../access-now.ts";
import { Session } from "../session.ts";
import { beginState, type SessionBasis } from "../state.ts";

/** Everything that a login has found out. */
export type SessionStart = {
  readonly identity: Identity;
  readonly database: Database;
  readonly rolesNow: SessionBasis["rolesNow"];
  readonly connection: AccessConnection;
  /** Address and port of the client. */
  readonly client: string;
  readonly minor: ProtocolMinor;
  /** @throws RolegateError if what the login stood on holds no more */
  readonly changed: () => void;
  readonly openRole: SessionBasis["openRole"];
};

/**
 * Makes a session of a login: puts it on record, tells the client that it is in, and passes the channel on. Whatever
 * happens, `role.connection` is the session's or closed, and a session that is on record as begun is so as ended.
 * @throws what ended the login meanwhile, or keeps the session from beginning
 */
export function startSession(inbox: Inbox, role: OpenRole, start: SessionStart, gate: Gate): void {
  let session: Session;
  try {
    if (inbox.failure !== undefined) throw inbox.failure;
    const { identity, connection } = start;
    // Once more: only from here on it is among the sessions that a revocation ends.
    start.changed();
    gate.takenAway?.check({ identity, roles: [role.name], database: connection.database });
    session = beginSession(inbox, role, start, gate);
  } catch (error) {
    role.connection.close();
    throw error;
  }
  try {
    inbox.handOver(session);
  } catch (error) {
    session.end(problemOf(error));
  }
}

function beginSession({ channel }: Inbox, role: OpenRole, start: SessionStart, gate: Gate): Session {
  const { recorder, metrics, log, cancelKeys, sessions } = gate;
  const { identity, database, rolesNow, connection, client, minor, openRole } = start;
  const id = randomUUID();
  const record = openRecord(recorder, { id, identity, role: role.name, connection, client });
  try {
    const basis = { identity, database, rolesNow, record, recorder, metrics, log, openRole };
    const state = beginState(basis, role);
    useRole(role.name, rolesNow(), record);
    const shown = [...role.connection.parameters].map(
      ([setting, value]) => [setting, shownParameter(setting, value, role.name)] as const,
    );
    for (const [setting, value] of shown) state.parameters.set(setting, value);
    const statuses = shown.map(([setting, value]) => parameterStatus(setting, value));

    const key = cancelKeys.issue(role.connection.processId, cancelKeyBytes(minor), () => session.cancel());
    const session = new Session({ id, connection, client }, state, channel, () => {
      cancelKeys.revoke(key.processId);
      sessions.remove(session);
    });
    sessions.add(session);
    metrics.sessions++;
    channel.write(
      Buffer.concat([
        authenticationOk,
        ...statuses,
        ...role.notices.map((notice) => noticeResponse("WARNING", "01000", notice)),
        backendKeyData(key.processId, key.key),
        readyForQuery("I"),
      ]),
    );
    return session;
  } catch (error) {
    record.end("the session could not begin");
    throw error;
  }
}
