import type { AccessEntry } from "../access/access-entry.ts";
import { howToAsk, rolesFor, type FittingRoles } from "../access/choose-role.ts";
import type { AccessConnection } from "../access/condition.ts";
import type { AccessRequest } from "../access/requests.ts";
import type { SessionRecord } from "../audit/recorder.ts";
import { refuse, type Problem } from "../errors.ts";
import type { Identity } from "../identity/identity.ts";
import type { Logger } from "../log.ts";
import type { LiveSession, Standing } from "./live-sessions.ts";

/** For how many milliseconds a statement, and its transaction, may go on when the role is not open any more. */
const grace = 60_000;

/** The same where the role was there for a time only, and everybody knew. */
const graceOfRequest = 10_000;

/** The roles that somebody may take at a time. */
export type RolesNow = Pick<FittingRoles, "roles" | "held"> & {
  /** Those that they may ask for, with how. */
  readonly askable: ReadonlyMap<string, string>;
};

/** What requests give; without a store nothing. */
export type Granting = {
  readonly grantOf: (identity: Identity) => (entry: AccessEntry) => AccessRequest | undefined;
  /** Why a role that a request gave is not there any more; undefined: none gave it. */
  readonly whyLost: (identity: Identity, role: string, database: string) => Problem | undefined;
};

/** What `access` says as time goes by, and as requests are decided. */
export class AccessNow {
  readonly #entries: readonly AccessEntry[];
  readonly #ofRole: ReadonlyMap<string, readonly AccessEntry[]>;
  readonly #log: Logger;
  /** Entries that could not be evaluated, and are in the log. */
  readonly #logged = new WeakSet<AccessEntry>();
  readonly #lasting = new WeakMap<LiveSession, { readonly role: string; readonly lasting: boolean }>();

  readonly #granting: () => Granting | undefined;

  constructor(
    entries: readonly AccessEntry[],
    log: Logger,
    granting: () => Granting | undefined = () => undefined,
  ) {
    this.#granting = granting;
    this.#entries = entries;
    this.#ofRole = Map.groupBy(entries, ({ database, role }) => keyOf(database, role));
    this.#log = log;
  }

  /** True if time alone can take a role away. */
  get timed(): boolean {
    return this.#entries.some(isTimed);
  }

  /**
   * The roles that the identity may take, in the file's order and those of requests last.
   * @param now milliseconds since the epoch
   */
  rolesFor(identity: Identity, connection: AccessConnection, now: number): RolesNow {
    const { roles, held, askable, failures } = rolesFor(
      identity,
      connection,
      now,
      this.#entries,
      this.#granting()?.grantOf(identity),
    );
    for (const { entry, reason } of failures) {
      if (this.#logged.has(entry)) continue;
      this.#logged.add(entry);
      const { file, line } = entry;
      this.#log.warn({ file, line, reason }, "a condition of access could not be evaluated");
    }
    const { database } = connection;
    return { roles, held, askable: new Map(askable.map((role) => [role, howToAsk(role, database)])) };
  }

  /** Whether the session has its role by an entry that time cannot change: what the other entries say need not be asked. */
  lasts(session: LiveSession, now: number): boolean {
    const { role } = session;
    // Nobody has a role in rolegate's own database.
    if (role === "") return true;
    const known = this.#lasting.get(session);
    if (known?.role === role) return known.lasting;
    const lasting = this.#fits(
      session,
      now,
      this.#entriesOf(session).filter((entry) => !isTimed(entry)),
    );
    this.#lasting.set(session, { role, lasting });
    return lasting;
  }

  /** A session goes on as long as some entry lets its identity have the role in force. */
  readonly standing: Standing = (session, now) => {
    const entries = this.#entriesOf(session);
    if (this.lasts(session, now) || this.#fits(session, now, entries)) return undefined;
    const { identity, role, connection } = session;
    const lost = this.#granting()?.whyLost(identity, role, connection.database);
    if (lost !== undefined) return { problem: lost, grace: graceOfRequest };
    const message = `"${identity.name}" may not have the role "${role}" any more`;
    const where = entries.map(({ file, line }) => `${file}:${line}`).join(", ");
    return {
      problem: {
        code: "session_ended",
        message,
        detail: "It depends on the time or on how long ago the sign-in was, and that no longer fits.",
      },
      grace,
      reason: `${message}: ${where}`,
    };
  };

  #fits(session: LiveSession, now: number, entries: readonly AccessEntry[]): boolean {
    const { identity, connection } = session;
    return rolesFor(identity, connection, now, entries, this.#granting()?.grantOf(identity)).roles.length > 0;
  }

  #entriesOf({ connection, role }: LiveSession): readonly AccessEntry[] {
    return this.#ofRole.get(keyOf(connection.database, role)) ?? [];
  }
}

function keyOf(database: string, role: string): string {
  return `${database}\0${role}`;
}

/** A request's time runs out, too. */
function isTimed({ condition, onRequest }: AccessEntry): boolean {
  return condition.timed || onRequest !== undefined;
}

/**
 * Looks again at the very moment at which a role is taken, for what was judged to be allowed may be over.
 * @throws RolegateError role_not_allowed
 */
export function useRole(role: string, { roles, held }: RolesNow, record: SessionRecord): void {
  if (!roles.includes(role)) refuse("role_not_allowed", `permission denied to set role "${role}"`);
  const request = held.get(role);
  if (request !== undefined) record.useRequest(role, request.id);
}
