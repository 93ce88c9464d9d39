import type { Problem } from "../errors.ts";
import type { Grants } from "../policy/grants.ts";
import type { UpstreamConnection } from "../upstream/connection.ts";
import { parameterStatus } from "../wire/backend.ts";
import { noticeResponse, type NoticeText } from "../wire/error-fields.ts";
import { shownParameter } from "./parameters.ts";
import { followPath } from "./followed-path.ts";
import { beginConnection } from "./local-objects.ts";
import { renewRoles, renewScope, reportsPath, type SessionState } from "./state.ts";
import { Wait, waitFor } from "./wait.ts";

/** A connection with a role in force, and the rules that hold on it. */
export type OpenRole = {
  readonly name: string;
  readonly grants: Grants;
  readonly connection: UpstreamConnection;
  /** Its search_path at the start, as names. */
  readonly searchPath: readonly string[];
  /** The settings that it was opened with, as far as they are the client's wish. */
  readonly wanted: ReadonlyMap<string, string>;
  /** Settings that the client chose for it, of those that rules could come to depend on. */
  readonly chosen: readonly string[];
  /** What the client wanted of settings that its rules depend on, and does not get. */
  readonly notices: readonly NoticeText[];
};

/**
 * SET ROLE to another role is another login, so another connection. It is opened before the statement is sent, so
 * that there is no failing afterwards; the old connection then answers a harmless statement with the tag that the
 * client expects, and once it is idle the new one takes its place.
 */
export type RoleChange = {
  readonly role: string;
  /** DISCARD ALL: what was set since the session began does not come along. */
  readonly anew: boolean;
  /** Undefined: it is being opened. */
  opened: OpenRole | undefined;
  problem: Problem | undefined;
  /** The statement was done: the next ReadyForQuery brings the change. */
  confirmed: boolean;
};

/** Makes the role ready. `alone`: the statement stands outside a transaction, and with no other in its group. */
export function prepareRole(
  session: SessionState,
  role: string,
  alone: boolean,
  anew = false,
): Problem | "waiting" | undefined {
  const { change } = session;
  // Flyway goes back to the role that it has in the midst of a transaction.
  if (role === session.role.name && change === undefined && !anew) return undefined;
  if (!alone)
    return {
      code: "role_change_here",
      message: "the role cannot be changed here",
      detail: "It can change outside a transaction, by a statement that is sent on its own.",
    };
  if (role === session.role.name) return undefined;
  renewRoles(session);
  if (!session.roles.has(role)) return noLonger(role);
  if (change?.role === role && change.problem !== undefined) {
    session.change = undefined;
    return change.problem;
  }
  if (change?.role === role && change.opened !== undefined) {
    session.closed = "role";
    return undefined;
  }
  session.change = { role, anew, opened: undefined, problem: undefined, confirmed: false };
  waitFor(session, Wait.role, true);
  return "waiting";
}

/** It was judged when it was prepared, or goes back to the role of the login. */
function noLonger(role: string): Problem {
  return {
    code: "role_not_allowed",
    message: `permission denied to set role "${role}"`,
    detail: "No access entry lets this identity take the role any more.",
  };
}

/**
 * At ReadyForQuery: puts the new role in force if its statement was done, and adds the ParameterStatus of what differs
 * there. Whoever owns the connections sees by `session.role` that another one is to be used from here on.
 */
export function completeRoleChange(session: SessionState): void {
  const { change } = session;
  if (change === undefined) return;
  session.change = undefined;
  const { opened } = change;
  if (opened === undefined) return;
  if (!change.confirmed || session.transaction !== "I" || session.expected.length > 0)
    return opened.connection.close();

  session.role = opened;
  session.touched.clear();
  for (const setting of opened.chosen) session.touched.add(setting);
  session.searchPath = opened.searchPath;
  session.followed = followPath(opened.searchPath);
  session.reportedPath = reportsPath(session.database) ? opened.searchPath : undefined;
  session.counts = session.metrics.role(opened.name);
  session.statements.clear();
  session.portals.clear();
  beginConnection(session);
  renewScope(session);
  for (const notice of opened.notices) session.toClient.add(noticeResponse("WARNING", "01000", notice));
  for (const [name, value] of opened.connection.parameters) {
    const shown = shownParameter(name, value, opened.name);
    const before = session.parameters.get(name);
    session.parameters.set(name, shown);
    if (shown !== before) session.toClient.add(parameterStatus(name, shown));
  }
  return undefined;
}
