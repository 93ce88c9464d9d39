import type { Node } from "@pgsql/types";
import { expressionTree, hole } from "./fragment.ts";
import { edit, editAround, type Judgement } from "../judgement.ts";
import { endBefore, endIndex, keywordIndex, startOf } from "./source.ts";

/** Text that goes around a condition of the client's, or that stands alone where there is none. */
export type Guard = { readonly alone: string; readonly prefix: string; readonly suffix: string };

/** The tokens of a condition: the first, and the one behind the last. */
export type Extent = { readonly from: number; readonly to: number };

/**
 * Keeps the client's condition from rows for which a rule does not hold.
 * @param safe the condition may run on any row. If not, CASE keeps it from running where the rule does not hold:
 *   its branches run in order, whatever the planner thinks of their cost. The rule stands outside once more, for an
 *   index to use.
 * @param copies the condition's safe parts once more, for an index or a join to use outside of CASE.
 */
export function ruleGuard({
  rules,
  copies,
  safe,
}: {
  rules: readonly string[];
  copies: readonly string[];
  safe: boolean;
}): Guard {
  const rule = rules.map((text) => `(${text})`).join(" AND ");
  if (safe) return { alone: rule, prefix: `${rule} AND (`, suffix: ")" };
  const outside = [rule, ...copies].map((copy) => `${copy} AND `).join("");
  return { alone: rule, prefix: `${outside}CASE WHEN ${rule} THEN (`, suffix: ") ELSE false END" };
}

/**
 * Puts text around a WHERE condition of the client's, or a WHERE of its own where there is none.
 * @param from index of a token in front of WHERE and at its depth.
 */
export function surroundCondition(
  judgement: Judgement,
  holder: { whereClause?: Node },
  from: number,
  guard: Guard,
): void {
  const { source, context } = judgement;
  const to = Math.min(endIndex(source, from), keywordIndex(source, from, "returning"));
  if (holder.whereClause === undefined) {
    const behind = endBefore(source, to);
    edit(judgement, behind, behind, ` WHERE ${guard.alone}`);
    holder.whereClause = expressionTree(context.parser, guard.alone);
    return;
  }
  const extent = { from: keywordIndex(source, from, "where") + 1, to };
  holder.whereClause = surrounded(judgement, extent, guard, holder.whereClause);
}

/** Puts text around a condition. @returns the tree of what then stands there. */
export function surrounded(
  judgement: Judgement,
  { from, to }: Extent,
  { prefix, suffix }: Omit<Guard, "alone">,
  condition: Node,
): Node {
  const { source, context } = judgement;
  const start = startOf(source, from);
  const end = endBefore(source, to);
  editAround(judgement, start, prefix);
  edit(judgement, end, end, suffix);
  return expressionTree(context.parser, `${prefix}${hole}${suffix}`, condition);
}
