import type { Constraint, Node } from "@pgsql/types";
import { existing, writtenRelation, type Target } from "./definition-targets.ts";
import { unsupported, type Judgement } from "../judgement.ts";
import { judgeOperator } from "../calls/operators.ts";
import { judgeSequenceOptions } from "../calls/sequences.ts";
import { judgeOptions, judgeStorage } from "./storage-options.ts";

/**
 * Judges a constraint's own parts: what it refers to, its storage, its operators. Its expressions are judged with the
 * rest of the statement.
 * @param judged gets the relations that were looked at.
 */
export function judgeConstraint(
  judgement: Judgement,
  constraint: Constraint,
  table: Target,
  judged: Set<object>,
): void {
  judgeStorage({ tablespace: constraint.indexspace });
  if (constraint.contype === "CONSTR_IDENTITY")
    judgeSequenceOptions(judgement, constraint.options, table, judged);
  else judgeOptions(constraint.options, "index", judged);
  for (const exclusion of constraint.exclusions ?? []) judgeExclusion(judgement, exclusion);
  if (constraint.pktable === undefined) return;
  // A row of the referring table tells whether the referred one has a key, and keeps it there.
  existing(judgement, writtenRelation(constraint.pktable), "alter", { observes: true });
  judged.add(constraint.pktable);
}

/** `x WITH &&`: a list of an element and the name of its operator. */
function judgeExclusion(judgement: Judgement, exclusion: Node): void {
  const operator = "List" in exclusion ? exclusion.List.items?.[1] : undefined;
  if (operator === undefined || !("List" in operator)) unsupported("this EXCLUDE constraint");
  judgeOperator(judgement, operator.List.items);
}

/** Constraints that are held against the rows that are there. */
const looking: ReadonlySet<string> = new Set([
  "CONSTR_CHECK",
  "CONSTR_EXCLUSION",
  "CONSTR_FOREIGN",
  "CONSTR_GENERATED",
  "CONSTR_NOTNULL",
  "CONSTR_PRIMARY",
  "CONSTR_UNIQUE",
]);

export function looksAtRows({ contype }: Constraint): boolean {
  return contype === undefined || looking.has(contype);
}
