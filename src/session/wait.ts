import type { SessionState } from "./state.ts";

/**
 * What a session waits for before it reads on from its client. While it waits the client is paused, so nothing piles
 * up. Every wait ends: what is waited for is either on its way upstream, or has a deadline of its own.
 */
export const Wait = {
  nothing: 0,
  /** The outcome of every group of messages before the one at hand. */
  settled: 1,
  /** All replies. */
  answered: 2,
  /** The server's word whether it takes COPY data. */
  copy: 3,
  /** Fewer outstanding replies. */
  room: 4,
  /** A fresh catalog. */
  catalog: 5,
  /** The connection with another role. */
  role: 6,
  /** The verdict of a text that another thread judges. */
  verdict: 7,
  /** Other sessions, because this one has kept the thread for long. */
  turn: 8,
  /** The session ends; nothing is read any more. */
  end: 9,
} as const;
export type Wait = (typeof Wait)[keyof typeof Wait];

/** A client that does not read its replies may have this many outstanding, and goes on below the second number. */
export const mostOutstanding = 2048;
const roomAgain = 1024;

/** Begins to wait; `again`: the message at hand is then looked at once more, else the next one. */
export function waitFor(session: SessionState, wait: Wait, again: boolean): void {
  if (session.wait === Wait.end) return;
  session.wait = wait;
  session.again = again;
}

/** True if what is waited for has come by way of the server's replies. */
export function isOver(session: SessionState): boolean {
  switch (session.wait) {
    case Wait.nothing:
      return true;
    case Wait.settled:
      return session.settled >= session.group - 1;
    case Wait.answered:
      return session.expected.length === 0;
    case Wait.copy:
      return session.copyIn || session.expected.length === 0;
    case Wait.room:
      return session.expected.length <= roomAgain;
    case Wait.catalog:
    case Wait.role:
    case Wait.verdict:
    case Wait.turn:
    case Wait.end:
      break;
  }
  return false;
}
