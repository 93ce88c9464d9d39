import { refuse } from "../errors.ts";
import type { Logger } from "../log.ts";
import { hasLocal } from "../catalog/local-objects.ts";
import type { Metrics, RoleCounts } from "../metrics.ts";
import type { Identity } from "../identity/identity.ts";
import type { DatabaseMessage } from "../audit/entry.ts";
import type { Recorder, SessionRecord } from "../audit/recorder.ts";
import { pinOf } from "../rewrite/session/pinned-setting.ts";
import type { TransactionStatus } from "../wire/backend.ts";
import { Outgoing } from "../wire/outgoing.ts";
import type { RolesNow } from "./access-now.ts";
import type { Database } from "./database.ts";
import { ExpectedReplies } from "./expected-replies.ts";
import { followPath, type FollowedPath } from "./followed-path.ts";
import { noLocals, type Locals } from "./local-objects.ts";
import { Names } from "./names.ts";
import type { OpenRole, RoleChange } from "./role-change.ts";
import type { VerdictScope } from "./verdict-cache.ts";
import type { Asked } from "./verdict-of.ts";
import { Wait } from "./wait.ts";

/** What does not change in a session's life. */
export type SessionBasis = {
  readonly identity: Identity;
  readonly database: Database;
  /** The roles that the identity may take here, by what access says at this time. */
  readonly rolesNow: () => RolesNow;
  readonly record: SessionRecord;
  readonly recorder: Recorder;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Opens an upstream connection with a role in force; rejects with a RolegateError. */
  readonly openRole: (role: string, session: SessionState) => Promise<OpenRole>;
};

/** What a session knows of the conversation between its client and the server; the messages change it as they pass. */
export type SessionState = SessionBasis & {
  /** The role that the session began with. */
  readonly firstRole: string;
  /** The roles that the identity may take here, as of the login or the last statement that was about a role. */
  roles: ReadonlySet<string>;
  /** Others that it may ask for, with how. */
  askable: ReadonlyMap<string, string>;
  /** The role in force, its connection and its rules. */
  role: OpenRole;
  /** Verdicts under the rules, search_path and catalog in force. */
  scope: VerdictScope;
  searchPath: readonly string[];
  /** The client asked for errors in place of filtered rows. */
  rowSecurity: "off" | undefined;
  /** Settings that it chose, of those that rules could come to depend on. */
  readonly touched: Set<string>;
  /** The last one that the server reported; undefined below version 18, which does not. */
  reportedPath: readonly string[] | undefined;
  /** How it goes on at the end of a transaction, where the server does not report it. */
  followed: FollowedPath;
  /** The one before a change whose group can still fail, which takes the change back. */
  pathBefore: readonly string[] | undefined;
  /** search_path was changed in the transaction that is open: its end may bring the old one back. */
  pathInTransaction: boolean;
  counts: RoleCounts;

  readonly expected: ExpectedReplies;
  readonly statements: Names;
  readonly portals: Names;
  /** On their way to the server, and to the client. */
  readonly toServer: Outgoing;
  readonly toClient: Outgoing;

  /** As of the last ReadyForQuery. */
  transaction: TransactionStatus;
  /** The number of the group of messages at hand; a Sync or a Query ends one. */
  group: number;
  /** Groups up to this one have their outcome. */
  settled: number;
  /** Executes in the group at hand. */
  executed: number;
  /** Why nothing more may run in the group at hand. */
  closed: "role" | "search_path" | "row_security" | undefined;
  /** The server takes COPY data. */
  copyIn: boolean;
  /** Behind an error the server ignores what comes before the next Sync, and so do we. */
  skipping: boolean;
  /** Which statement of a Query the replies are at. */
  statement: number;
  /** A statement since the last ReadyForQuery touched what the role does not see everything of. */
  touchedHidden: boolean;
  /** What of the database's notices the client did not get, since the last statement completed. */
  notices: readonly DatabaseMessage[] | undefined;
  /** The rows that come are those of a RETURNING that the client did not write. */
  hidesRows: boolean;

  wait: Wait;
  again: boolean;
  /** The rest of the message at hand is not forwarded. */
  skipsRest: boolean;
  /** The same for the server's message. */
  skipsReply: boolean;
  /** Statements were begun that are not on record yet: nothing goes upstream before they are. */
  unwritten: boolean;
  /** The server has said why it closes the connection. */
  fatal: boolean;
  /** The text that the catalog was last refreshed for. */
  refreshedFor: string | undefined;
  /** A text that another thread judges. */
  asked: Asked | undefined;
  /** How much text was judged in the turn at hand, which began at that time. */
  judgedBytes: number;
  judgedAt: number;
  /** Temporary relations, and definitions that no catalog shows yet. */
  readonly locals: Locals;
  /** A change of role that is under way. */
  change: RoleChange | undefined;
  /** The last value of each setting that the server reports, as the client knows it. */
  readonly parameters: Map<string, string>;
  /** Time of the chunk at hand, in milliseconds. */
  now: number;
};

/** The state of a session whose server is idle. */
export function beginState(basis: SessionBasis, role: OpenRole): SessionState {
  const { roles: now, askable } = basis.rolesNow();
  const roles = new Set(now);
  return {
    ...basis,
    firstRole: role.name,
    roles,
    askable,
    role,
    scope: basis.database.scope({
      grants: role.grants,
      searchPath: role.searchPath,
      roles,
      askable,
      settings: role.connection.settings,
    }),
    rowSecurity: undefined,
    touched: new Set(role.chosen),
    searchPath: role.searchPath,
    reportedPath: reportsPath(basis.database) ? role.searchPath : undefined,
    followed: followPath(role.searchPath),
    pathBefore: undefined,
    pathInTransaction: false,
    counts: basis.metrics.role(role.name),
    expected: new ExpectedReplies(),
    statements: new Names(),
    portals: new Names(),
    toServer: new Outgoing(),
    toClient: new Outgoing(),
    transaction: "I",
    group: 1,
    settled: 0,
    executed: 0,
    closed: undefined,
    copyIn: false,
    skipping: false,
    statement: 0,
    touchedHidden: false,
    notices: undefined,
    hidesRows: false,
    wait: Wait.nothing,
    again: false,
    skipsRest: false,
    skipsReply: false,
    unwritten: false,
    fatal: false,
    refreshedFor: undefined,
    asked: undefined,
    judgedBytes: 0,
    judgedAt: 0,
    locals: noLocals(),
    change: undefined,
    parameters: new Map(role.connection.parameters),
    now: performance.now(),
  };
}

/** From 18 on, search_path is a setting that the server reports with every change. */
export function reportsPath({ major }: Database): boolean {
  return major >= 18;
}

/** The verdicts that hold now: the catalog may have changed since the last statement. */
export function currentScope(session: SessionState): VerdictScope {
  const { scope } = session;
  if (scope.context.catalog.version === session.database.catalogVersion) return scope;
  return renewScope(session);
}

/** Asks anew which roles the identity may take. @returns true if they are others than before: verdicts differ then */
export function renewRoles(session: SessionState): boolean {
  const { roles: now, askable } = session.rolesNow();
  const roles = new Set(now);
  if (isSame(roles, session.roles) && isSame(askable, session.askable)) return false;
  session.roles = roles;
  session.askable = askable;
  renewScope(session);
  return true;
}

type RoleNames = Pick<ReadonlySet<string>, "size" | "has" | "keys">;

function isSame(one: RoleNames, other: RoleNames): boolean {
  return one.size === other.size && [...one.keys()].every((name) => other.has(name));
}

/** To be called when the role, the search_path, the catalog or the roles in reach have changed. */
export function renewScope(session: SessionState): VerdictScope {
  const { database, role, searchPath, roles, askable, rowSecurity, touched } = session;
  session.scope = database.scope({
    grants: role.grants,
    searchPath,
    roles,
    askable,
    settings: role.connection.settings,
    ...(rowSecurity && { rowSecurity }),
    ...(hasLocal(session.locals.now) && { local: session.locals.now }),
  });
  const { context } = session.scope;
  const moved = [...touched].find((setting) => pinOf(context, setting) !== undefined);
  if (moved !== undefined)
    refuse(
      "session_ended",
      `the database has changed, and a rule now depends on "${moved}", which the session has set`,
      {
        hint: "Connect again.",
      },
    );
  return session.scope;
}
