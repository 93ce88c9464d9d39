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
  const { source, context } = judgement;
  const rule = rules.map((text) => `(${text})`).join(" AND ");
  const end = Math.min(endIndex(source, from), keywordIndex(source, from, "returning"));
  if (statement.whereClause === undefined) {
    const at = endBefore(source, end);
    edit(judgement, at, at, ` WHERE ${rule}`);
    statement.whereClause = expressionTree(context.parser, rule);
    return;
  }
  const where = keywordIndex(source, from, "where");
  const outside = copies.map((copy) => `${copy} AND `).join("");
  const prefix = safe ? `${rule} AND (` : `${outside}CASE WHEN ${rule} THEN (`;
  const suffix = safe ? ")" : ") ELSE false END";
  const start = startOf(source, where + 1);
  edit(judgement, start, start, prefix);
  edit(judgement, endBefore(source, end), endBefore(source, end), suffix);
  statement.whereClause = expressionTree(context.parser, `${prefix}${hole}${suffix}`, statement.whereClause);
}
