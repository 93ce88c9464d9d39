import { refused, type Judged } from "./judged.ts";
import { currentScope, type SessionState } from "./state.ts";
import { Wait, waitFor } from "./wait.ts";

/**
 * The verdict of a text in byte form. Undefined: a name in it did not resolve, and the session now waits for a fresh
 * catalog to judge it once more.
 */
export function verdictOf(session: SessionState, source: string): Judged | undefined {
  const judged = currentScope(session).judge(source);
  if (!judged.unresolved) return judged;
  if (session.refreshedFor === source) {
    session.refreshedFor = undefined;
    return judged;
  }
  session.refreshedFor = source;
  waitFor(session, Wait.catalog, true);
  return undefined;
}

/** The refusal of a statement that is longer than what is read of one. */
export function tooLong(session: SessionState, length: number): Judged {
  return refused(`(a statement of ${length} bytes)`, session.scope.context, {
    code: "statement_too_complex",
    message: `the statement is too long: ${length} bytes`,
  });
}

/** While nothing can be put on record nothing runs; undefined if all is well. */
export function unrecorded(session: SessionState, source: string): Judged | undefined {
  if (session.recorder.failure === undefined) return undefined;
  return refused(source, session.scope.context, {
    code: "audit_unavailable",
    message: "the statement cannot be put on record, so it does not run",
  });
}
