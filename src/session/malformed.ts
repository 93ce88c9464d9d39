import { RolegateError, type Problem } from "../errors.ts";
import { errorResponse } from "../wire/error-fields.ts";
import { Expect } from "./expected-replies.ts";
import { refused } from "./judged.ts";
import { refusedDescribeStatement } from "./refused.ts";
import { isUnrecorded, sendRefused } from "./simple-query.ts";
import type { SessionState } from "./state.ts";
import { unrecorded } from "./verdict-of.ts";

/** What stands on record in the place of a text. */
const shown = "(malformed message)";

const Q = 0x51;

/**
 * A message whose body is not what the protocol says. On the server that is an error of the message, and the
 * connection goes on: so it does here, but the message itself never gets there, for what we cannot read it could.
 */
export function malformed(session: SessionState, type: number, problem: Problem): void {
  session.skipsRest = true;
  const judged = unrecorded(session, "") ?? refused(shown, session.scope.context, problem);
  if (type === Q) return sendRefused(session, judged);
  session.counts.refused++;
  if (!isUnrecorded(judged)) {
    session.record.begin(judged.first.fragment);
    session.unwritten = true;
  }
  // Fails like any message before a Sync, whichever it was, and changes no name.
  const slot = session.expected.push(Expect.describeStatement);
  session.expected.runnables[slot] = undefined;
  session.expected.refusals[slot] = judged.refusal ?? errorResponse(problem, "ERROR");
  session.toServer.add(refusedDescribeStatement);
}

/** The problem of a message that could not be read; anything else is thrown on. */
export function problemOfMessage(error: unknown): Problem {
  if (error instanceof RolegateError && error.problem.code === "protocol_violation") return error.problem;
  throw error;
}
