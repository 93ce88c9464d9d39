import type { AccessNow } from "./access-now.ts";
import type { LiveSession, LiveSessions } from "./live-sessions.ts";

const interval = 1_000;

/** So many at a time: an evaluation takes some microseconds, and nobody's statement is to wait for thousands of them. */
const mostAtOnce = 100;

/**
 * Asks once a second, by the standing that `sessions` requires, whether sessions may keep their roles, of those whose roles
 * time can take away.
 * @returns ends it
 */
export function reviewAccess(sessions: LiveSessions, access: AccessNow): () => void {
  if (!access.timed) return () => {};
  let stopped = false;
  const begin = (): void => {
    const now = Date.now();
    next([...sessions].filter((session) => !access.lasts(session, now)));
  };
  const next = (left: readonly LiveSession[]): void => {
    if (stopped) return;
    const these = new Set(left.slice(0, mostAtOnce));
    if (these.size > 0) sessions.review(Date.now(), (session) => these.has(session));
    const rest = left.slice(mostAtOnce);
    if (rest.length > 0) setImmediate(() => next(rest));
    else timer = setTimeout(begin, interval).unref();
  };
  let timer = setTimeout(begin, interval).unref();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
