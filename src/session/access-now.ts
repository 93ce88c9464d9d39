import type { AccessEntry } from "../access/access-entry.ts";
import { rolesFor, type FittingRoles } from "../access/choose-role.ts";
import type { AccessConnection } from "../access/condition.ts";
import type { AccessRequest } from "../access/requests.ts";
import type { Identity } from "../identity/identity.ts";
import type { Logger } from "../log.ts";
import type { LiveSession, Standing } from "./live-sessions.ts";

/** For how many milliseconds a statement, and its transaction, may go on when the role is not open any more. */
const grace = 60_000;

/** What `access` says as time goes by. */
export class AccessNow {
  readonly #entries: readonly AccessEntry[];
  readonly #ofRole: ReadonlyMap<string, readonly AccessEntry[]>;
  readonly #log: Logger;
  /** Entries that could not be evaluated, and are in the log. */
  readonly #logged = new WeakSet<AccessEntry>();
  readonly #lasting = new WeakMap<LiveSession, { readonly role: string; readonly lasting: boolean }>();

  constructor(entries: readonly AccessEntry[], log: Logger) {
    this.#entries = entries;
    const given = entries.filter(({ onRequest }) => onRequest === undefined);
    this.#ofRole = Map.groupBy(given, ({ database, role }) => keyOf(database, role));
    this.#log = log;
  }

  /** True if time alone can take a role away. */
  get timed(): boolean {
    return this.#entries.some(({ condition }) => condition.timed);
  }

  /**
   * The roles that the identity may take and ask for.
   * @param now milliseconds since the epoch
   * @param grantOf a request that is in force for an entry and this identity
   */
  rolesFor(
    identity: Identity,
    connection: AccessConnection,
    now: number,
    grantOf?: (entry: AccessEntry) => AccessRequest | undefined,
  ): FittingRoles {
    const fitting = rolesFor(identity, connection, now, this.#entries, grantOf);
    const { failures } = fitting;
    for (const { entry, reason } of failures) {
      if (this.#logged.has(entry)) continue;
      this.#logged.add(entry);
      const { file, line } = entry;
      this.#log.warn({ file, line, reason }, "a condition of access could not be evaluated");
    }
    return fitting;
  }

  /** Whether the session has its role by an entry that time cannot change: what the other entries say need not be asked. */
  lasts(session: LiveSession, now: number): boolean {
    const { role } = session;
    // rolegate's own database has no roles.
    if (role === "") return true;
    const known = this.#lasting.get(session);
    if (known?.role === role) return known.lasting;
    const lasting = fits(
      session,
      now,
      this.#entriesOf(session).filter(({ condition }) => !condition.timed),
    );
    this.#lasting.set(session, { role, lasting });
    return lasting;
  }

  /** A session goes on as long as some entry lets its identity have the role in force; what was asked for ends elsewhere. */
  readonly standing: Standing = (session, now) => {
    if (session.onRequest) return undefined;
    const entries = this.#entriesOf(session);
    if (this.lasts(session, now) || fits(session, now, entries)) return undefined;
    const { identity, role } = session;
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

  #entriesOf({ connection, role }: LiveSession): readonly AccessEntry[] {
    return this.#ofRole.get(keyOf(connection.database, role)) ?? [];
  }
}

function fits({ identity, connection }: LiveSession, now: number, entries: readonly AccessEntry[]): boolean {
  return entries.some(({ condition }) => condition.evaluate(identity, connection, now).kind === "fits");
}

function keyOf(database: string, role: string): string {
  return `${database}\0${role}`;
}
