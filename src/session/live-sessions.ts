import type { AccessConnection } from "../access/condition.ts";
import type { Problem } from "../errors.ts";
import type { Identity } from "../identity/identity.ts";

const shutdown: Problem = {
  code: "session_ended",
  message: "terminating connection due to administrator command",
};

/** A session as it looks from outside. */
export type LiveSession = {
  /** As on record. */
  readonly id: string;
  readonly identity: Identity;
  /** As conditions of access see it. */
  readonly connection: AccessConnection;
  /** Address and port of the client. */
  readonly client: string;
  /** When it began, in milliseconds since the epoch. */
  readonly begun: number;
  /** The role in force. */
  readonly role: string;
  /** The one that a change under way leads to. */
  readonly nextRole: string | undefined;
  /** Ends it as soon as it is idle, or after a grace in milliseconds. */
  endWhenIdle(problem: Problem, grace?: number): void;
  /**
   * Takes nothing more from the client, and ends it when what runs is done, or after a grace in milliseconds. `reason`: what
   * is on record, where it is more than the client is told.
   */
  endAfterStatement(problem: Problem, grace?: number, reason?: string): void;
};

/** Why a session may not go on, and for how many milliseconds what it runs may. `reason`: for the record. */
type Ending = { readonly problem: Problem; readonly grace: number; readonly reason?: string };

/**
 * Whether a session may go on: why not, or undefined.
 * @param now milliseconds since the epoch
 */
export type Standing = (session: LiveSession, now: number) => Ending | undefined;

/** The sessions that are open. */
export class LiveSessions {
  readonly #sessions = new Set<LiveSession>();
  readonly #standings: Standing[] = [];
  #empty: (() => void) | undefined;

  get size(): number {
    return this.#sessions.size;
  }

  [Symbol.iterator](): IterableIterator<LiveSession> {
    return this.#sessions.values();
  }

  /** From here on sessions go on only as long as this lets them, too; it is asked by `review`. */
  require(standing: Standing): void {
    this.#standings.push(standing);
  }

  add(session: LiveSession): void {
    this.#sessions.add(session);
  }

  remove(session: LiveSession): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#empty?.();
  }

  /** Asks of every session, or of those that `concerns` names, whether it may go on, and ends those that may not. */
  review(now: number, concerns: (session: LiveSession) => boolean = () => true): void {
    for (const session of this.#sessions) {
      if (!concerns(session)) continue;
      for (const standing of this.#standings) {
        const ending = standing(session, now);
        if (ending !== undefined) session.endAfterStatement(ending.problem, ending.grace, ending.reason);
      }
    }
  }

  /** Ends every session at its next idle moment, or when `deadline` milliseconds have passed. */
  async drain(deadline: number): Promise<void> {
    const empty = new Promise<void>((resolve) => (this.#empty = resolve));
    for (const session of this.#sessions) session.endWhenIdle(shutdown, deadline);
    if (this.#sessions.size > 0) await empty;
  }
}
