import type { Node } from "@pgsql/types";
import { expressionTree, hole } from "./fragment.ts";
import { edit, type Judgement } from "./judgement.ts";
import { endBefore, endIndex, keywordIndex, startOf } from "./source.ts";

/**
 * Puts a rule in front of a statement's own condition.
 * @param from index of a token of the statement, in front of WHERE and at its depth.
 * @param safe the condition may run on any row. If not, CASE keeps it from running where the rule does not hold:
 *   its branches run in order, whatever the planner thinks of their cost.
 * @param copies the condition's safe parts once more, for an index to use outside of CASE.
 */
export function guardCondition(
  judgement: Judgement,
  statement: { whereClause?: Node },
  from: number,
  { rules, copies, safe }: { rules: readonly string[]; copies: readonly string[]; safe: boolean },
): void {
  if (rules.length === 0) return;
  const rule = rules.map((text) => `(${text})`).join(" AND ");
  const outside = copies.map((copy) => `${copy} AND `).join("");
  surroundCondition(judgement, statement, from, {
    alone: rule,
    prefix: safe ? `${rule} AND (` : `${outside}CASE WHEN ${rule} THEN (`,
    suffix: safe ? ")" : ") ELSE false END",
  });
}

/**
 * Puts text around a WHERE condition of the client's, or a WHERE of its own where there is none.
 * @param from index of a token in front of WHERE and at its depth.
 */
export function surroundCondition(
  judgement: Judgement,
  holder: { whereClause?: Node },
  from: number,
  { alone, prefix, suffix }: { alone: string; prefix: string; suffix: string },
): void {
  const { source, context } = judgement;
  const behind = endBefore(source, Math.min(endIndex(source, from), keywordIndex(source, from, "returning")));
  if (holder.whereClause === undefined) {
    edit(judgement, behind, behind, ` WHERE ${alone}`);
    holder.whereClause = expressionTree(context.parser, alone);
    return;
  }
  const start = startOf(source, keywordIndex(source, from, "where") + 1);
  edit(judgement, start, start, prefix);
  edit(judgement, behind, behind, suffix);
  holder.whereClause = expressionTree(context.parser, `${prefix}${hole}${suffix}`, holder.whereClause);
}
