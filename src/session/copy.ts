import type { FrameReader } from "../wire/frames.ts";
import { forward } from "./conversation.ts";
import { Expect } from "./expected-replies.ts";
import type { SessionState } from "./state.ts";
import { Wait, waitFor } from "./wait.ts";

// COPY FROM STDIN. A server in copy mode ignores Sync and Flush, and whoever sent them cannot tell whether it was in
// that mode when they came. So behind an Execute or Query that copies, the client is not read until the server has
// said whether it takes data: from then on we know its mode exactly, and drop what it would ignore.

/** CopyData outside copy mode: the rest of what a client sent before it saw an error. The server drops it too. */
export function copyData(session: SessionState, reader: FrameReader): void {
  forward(session, reader);
}

/** CopyDone or CopyFail. */
export function endCopy(session: SessionState, reader: FrameReader): void {
  forward(session, reader);
  if (!session.copyIn) return;
  session.copyIn = false;
  // A Query may hold another COPY; Sync comes next where it is an Execute.
  if (session.expected.headKind === Expect.query) waitFor(session, Wait.copy, false);
}
