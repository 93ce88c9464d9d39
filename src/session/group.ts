import type { Problem } from "../errors.ts";
import type { FrameReader } from "../wire/frames.ts";
import { forward } from "./conversation.ts";
import { Expect } from "./expected-replies.ts";
import type { Names } from "./names.ts";
import type { SessionState } from "./state.ts";
import { Wait, waitFor } from "./wait.ts";

// A group is what one Sync or Query ends: an error within it skips the rest of it.

/** Sync ends the group: the server answers with the status of the transaction. */
export function sync(session: SessionState, reader: FrameReader): void {
  // Ignored by a server that takes COPY data; the one that counts comes behind CopyDone or CopyFail.
  if (session.copyIn) return;
  session.skipping = false;
  const { expected } = session;
  const slot = expected.push(Expect.sync);
  expected.groups[slot] = session.group;
  forward(session, reader);
  endGroup(session);
  if (session.change !== undefined || session.pathInTransaction) waitFor(session, Wait.answered, false);
}

/** The next message begins a new group. */
export function endGroup(session: SessionState): void {
  session.group++;
  session.executed = 0;
  session.closed = undefined;
}

/** True if what the name stands for is not known yet; the session then waits. */
export function mustWait(session: SessionState, names: Names, name: string): boolean {
  if (!names.isUnsettled(name, session.settled, session.group)) return false;
  waitFor(session, Wait.settled, true);
  return true;
}

/** Why nothing more may run in the group at hand, if so. */
export function closedProblem({ closed }: SessionState): Problem | undefined {
  if (closed === undefined) return undefined;
  return {
    code: "role_change_here",
    message: `nothing can follow a change of ${closed} before the next Sync`,
    hint: "Send the statement on its own.",
  };
}
