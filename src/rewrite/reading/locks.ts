import { refuse } from "../../errors.ts";
import type { Judgement } from "../judgement.ts";
import { isShared } from "../names-seen.ts";
import { nameOf } from "./safe-copies.ts";
import type { Survey } from "../findings.ts";

/** Locking rows keeps others from changing them, so it takes a rule that lets the role change them itself. */
export function judgeLocks(judgement: Judgement, survey: Survey): void {
  if (survey.locks.length === 0) return;
  const tables = new Set(survey.reads.map(({ rangeVar }) => nameOf(rangeVar)));
  for (const lock of survey.locks) {
    const named = (lock.lockedRels ?? []).map((node) =>
      "RangeVar" in node ? node.RangeVar.relname : undefined,
    );
    // A name that is no table's may be a sub-select's, and then all in it are locked.
    const all = named.length === 0 || named.some((name) => !tables.has(name) || isShared(survey, name));
    for (const { rangeVar, relation, grant } of survey.reads) {
      const meant = all || named.includes(nameOf(rangeVar));
      if (!meant || grant === undefined || grant.update !== undefined || grant.delete !== undefined) continue;
      refuse(
        "relation_not_allowed",
        `permission denied to lock rows of ${relation.schema}.${relation.name}`,
        {
          detail: `Role "${judgement.context.grants.role}" has no update or delete rule for it (${grant.rule}).`,
          hint: "Leave out FOR UPDATE or FOR SHARE.",
        },
      );
    }
  }
}
