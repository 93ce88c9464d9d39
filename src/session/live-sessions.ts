import type { Problem } from "../errors.ts";
import type { Session } from "./session.ts";

const shutdown: Problem = {
  code: "session_ended",
  message: "terminating connection due to administrator command",
};

/** The sessions that are open. */
export class LiveSessions {
  readonly #sessions = new Set<Session>();
  #empty: (() => void) | undefined;

  get size(): number {
    return this.#sessions.size;
  }

  add(session: Session): void {
    this.#sessions.add(session);
  }

  remove(session: Session): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#empty?.();
  }

  /** Ends every session at its next idle moment, or when `deadline` milliseconds have passed. */
  async drain(deadline: number): Promise<void> {
    const empty = new Promise<void>((resolve) => (this.#empty = resolve));
    for (const session of this.#sessions) session.endWhenIdle(shutdown, deadline);
    if (this.#sessions.size > 0) await empty;
  }
}
