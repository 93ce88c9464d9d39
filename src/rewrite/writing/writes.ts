import type { Node } from "@pgsql/types";
import type { BoundExpression } from "../../policy/grants.ts";
import { rowCheck } from "./checks.ts";
import { guardAssignments, isCurrentOf } from "./current-of.ts";
import type { Survey, Write } from "../findings.ts";
import { ruleGuard, surroundCondition } from "../text/guard.ts";
import { rewriteInsert } from "./inserts.ts";
import { joinCopies } from "../reading/join-copies.ts";
import type { Judgement } from "../judgement.ts";
import { rewriteMerge } from "./merge.ts";
import type { Conditions } from "../reading/reads.ts";
import { rewriteReturning } from "./returning.ts";
import { distinct, movingRules, rowRules } from "./row-rules.ts";
import { safeCopies } from "../reading/safe-copies.ts";
import { judgeBeside, judgeTargetColumns } from "./target-columns.ts";
import { aim, rowName, type Target } from "./write-target.ts";
import { judgeWrittenColumns, namesOf } from "./written-columns.ts";

/**
 * Puts a role's rules on a statement that writes: permitted columns, rows that the role may change, checks of the new
 * row.
 * @returns true if the statement's rows are only those of a RETURNING that was added for a check.
 */
export function rewriteWrite(
  judgement: Judgement,
  write: Write,
  conditions: Conditions,
  survey: Survey,
): boolean {
  judgement.rules.add(write.grant.rule);
  switch (write.kind) {
    case "insert":
      return rewriteInsert(judgement, write, survey);
    case "update":
      return rewriteUpdate(judgement, write, conditions, survey);
    case "delete":
      return rewriteDelete(judgement, write, conditions, survey);
    case "merge":
      return rewriteMerge(judgement, write, conditions, survey);
    default:
      return write satisfies never;
  }
}

function rewriteUpdate(
  judgement: Judgement,
  write: Write & { kind: "update" },
  conditions: Conditions,
  survey: Survey,
): boolean {
  const { statement, grant, relation } = write;
  const { target, from } = aim(judgement, write, statement.relation);
  const beside = statement.fromClause ?? [];
  const set = namesOf(statement.targetList);
  judgeWrittenColumns(judgement, write, "update", set);
  judgeBeside(judgement, survey, target, beside);
  judgeTargetColumns(judgement, survey, target, statement.targetList ?? [], { beside, masked: "refuse" });
  judgeTargetColumns(judgement, survey, target, [statement.whereClause], { beside, masked: "show" });
  const rules = rowRules(grant, grant.update!.rows);
  const stored = distinct([grant.update!.check, ...movingRules(relation, rules, new Set(set))]);
  if (isCurrentOf(statement)) guardAssignments(judgement, write, target, from, rules);
  else guardRows(judgement, write, target, { from, beside, rules }, conditions, survey);
  const check = rowCheck(relation, stored);
  return rewriteReturning(judgement, write, target, from, { before: [], behind: beside, survey, check });
}

function rewriteDelete(
  judgement: Judgement,
  write: Write & { kind: "delete" },
  conditions: Conditions,
  survey: Survey,
): boolean {
  const { statement, grant, relation } = write;
  const { target, from } = aim(judgement, write, statement.relation);
  const beside = statement.usingClause ?? [];
  judgeBeside(judgement, survey, target, beside);
  judgeTargetColumns(judgement, survey, target, [statement.whereClause], { beside, masked: "show" });
  const rules = rowRules(grant, grant.delete!.rows);
  // RETURNING of a DELETE sees the row that goes.
  const check = isCurrentOf(statement) ? rowCheck(relation, rules) : undefined;
  if (!isCurrentOf(statement))
    guardRows(judgement, write, target, { from, beside, rules }, conditions, survey);
  return rewriteReturning(judgement, write, target, from, { before: [], behind: beside, survey, check });
}

/** Keeps the statement, and what its condition computes, to the rows that the rules permit. */
function guardRows(
  judgement: Judgement,
  { statement, relation }: Write & { kind: "update" | "delete" },
  target: Target,
  { from, beside, rules }: { from: number; beside: readonly Node[]; rules: readonly BoundExpression[] },
  { facts, safe, uses }: Conditions,
  { computed, reads }: Survey,
): void {
  if (rules.length === 0) return;
  const row = rowName(target);
  for (const rule of rules) judgement.rules.add(rule.rule);
  const rendered = rules.map((rule) => rule.render(row));
  const { whereClause } = statement;
  const own = { name: row, relation };
  const copies = safe
    ? []
    : [
        ...(computed ? [] : safeCopies(judgement, facts, whereClause, uses, own, row)),
        ...joinCopies(judgement, target, whereClause, { items: beside, reads }, rendered),
      ];
  surroundCondition(judgement, statement, from, ruleGuard({ rules: rendered, copies, safe }));
}
