import { refuse } from "../errors.ts";
import type { Judgement } from "./judgement.ts";
import type { Survey } from "./survey.ts";

/** Locking rows keeps others from changing them, so it takes a rule that lets the role change them itself. */
export function judgeLocks(judgement: Judgement, survey: Survey): void {
  for (const lock of survey.locks) {
    const named = (lock.lockedRels ?? []).map((node) =>
      "RangeVar" in node ? node.RangeVar.relname : undefined,
    );
    for (const { rangeVar, relation, grant } of survey.reads) {
      const meant = named.length === 0 || named.includes(rangeVar.alias?.aliasname ?? rangeVar.relname);
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
