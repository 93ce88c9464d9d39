import type { Problem } from "../errors.ts";
import type { Judged, Runnable } from "./judged.ts";
import type { SessionState } from "./state.ts";
import { verdictOf } from "./verdict-of.ts";

/**
 * A statement was judged under another search_path or catalog, or before row_security was changed. The server may read its names anew too, so it must be
 * judged anew, and may go on if nothing comes out differently. Undefined: the session waits.
 */
export function stillHolds(session: SessionState, runnable: Runnable): Runnable | Problem | undefined {
  const { judged } = runnable;
  const again = verdictOf(session, judged.source, judged.context.typedParameters);
  if (again === undefined) return undefined;
  if (again.problem !== undefined) return again.problem;
  if (judged.problem !== undefined || !sameQuery(again, judged)) return changedMeaning;
  // What an SQL PREPARE left behind is not among the statements of its text.
  const index = judged.runs.indexOf(runnable);
  return again.runs[index] ?? { ...runnable, judged: again };
}

function sameQuery({ query: one }: Judged, { query: other }: Judged): boolean {
  return one === undefined || other === undefined ? one === other : one.equals(other);
}

const changedMeaning: Problem = {
  code: "statement_not_supported",
  message: "the prepared statement means something else now and must be prepared again",
  detail: "Since it was prepared, search_path or the database's schema has changed.",
};
