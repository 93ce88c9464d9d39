import type { MergeWhenClause } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import type { BoundExpression } from "../../policy/grants.ts";
import { raisingCondition, type RowCheck } from "./checks.ts";
import type { Survey, Write } from "../findings.ts";
import { expressionTree } from "../text/fragment.ts";
import { ruleGuard, surrounded, type Guard } from "../text/guard.ts";
import { joinCopies } from "../reading/join-copies.ts";
import { edit, unsupported, type Judgement } from "../judgement.ts";
import { newRowCondition } from "./merge-new-rows.ts";
import { readMerge, type ClauseText } from "./merge-text.ts";
import type { Conditions } from "../reading/reads.ts";
import { returnedList, rewriteReturning } from "./returning.ts";
import { distinct, movingRules, rowRules } from "./row-rules.ts";
import { safeCopies } from "../reading/safe-copies.ts";
import { endBefore } from "../text/source.ts";
import { judgeTargetColumns } from "./target-columns.ts";
import { aim, rowName, type Target } from "./write-target.ts";
import { judgeMissingList, judgeWrittenColumns, namesOf } from "./written-columns.ts";

type Merge = Write & { readonly kind: "merge" };

/** What a clause looks at: a row of the target, of the source, or of both. */
type Meets = "both" | "target" | "source";

/**
 * MERGE. The target stays a real relation, so its hidden rows are kept out of every place where they could be seen:
 * ON holds for none of them, and a clause about rows without a match in the source is not for them. A row that is
 * matched and that the rule of the action leaves out stops the statement, as it does under native row security.
 * @returns true if the statement's rows are only those of a RETURNING that was added for a check.
 */
export function rewriteMerge(
  judgement: Judgement,
  write: Merge,
  conditions: Conditions,
  survey: Survey,
): boolean {
  const { statement, grant } = write;
  const { target, from } = aim(judgement, write, statement.relation);
  const text = readMerge(judgement.source, from);
  const beside = statement.sourceRelation === undefined ? [] : [statement.sourceRelation];
  const clauses = (statement.mergeWhenClauses ?? []).map((node, index) => {
    const clause = "MergeWhenClause" in node ? node.MergeWhenClause : unsupported("this WHEN clause");
    return { clause, meets: meetsOf(clause), text: text.clauses[index] ?? unsupported("this WHEN clause") };
  });
  judgeReachable(clauses);
  judgeTargetColumns(judgement, survey, target, [statement.joinCondition], { beside, masked: "show" });
  for (const { clause, meets } of clauses) {
    judgeColumns(judgement, write, clause);
    // What inserts sees the source alone, and what has no match in the source sees the target alone.
    if (meets === "source") continue;
    const around = meets === "both" ? beside : [];
    judgeTargetColumns(judgement, survey, target, [clause.condition], { beside: around, masked: "show" });
    judgeTargetColumns(judgement, survey, target, clause.targetList ?? [], {
      beside: around,
      masked: "refuse",
    });
  }
  const seen = rowRules(grant, undefined);
  for (const rule of seen) judgement.rules.add(rule.rule);
  guardJoin(judgement, write, target, text.on, seen, conditions, survey);
  for (const each of clauses) guardClause(judgement, write, target, each, seen);
  return rewriteReturning(judgement, write, target, from, {
    before: beside,
    behind: [],
    survey,
    check: storedCheck(judgement, write, clauses),
  });
}

function meetsOf(clause: MergeWhenClause & { readonly matched?: boolean }): Meets {
  switch (clause.matchKind) {
    // Up to 16 there is a flag in place of the kind.
    case undefined:
      return clause.matched === true ? "both" : "source";
    case "MERGE_WHEN_MATCHED":
      return "both";
    case "MERGE_WHEN_NOT_MATCHED_BY_SOURCE":
      return "target";
    case "MERGE_WHEN_NOT_MATCHED_BY_TARGET":
      return "source";
    default:
      return unsupported("this WHEN clause");
  }
}

/** The server's own words (parse_merge.c): with a condition put into each clause it would not see this any more. */
function judgeReachable(
  clauses: readonly { readonly clause: MergeWhenClause; readonly meets: Meets }[],
): void {
  const final = new Set<Meets>();
  for (const { clause, meets } of clauses) {
    if (final.has(meets))
      refuse("statement_unparsable", "unreachable WHEN clause specified after unconditional WHEN clause");
    if (clause.condition === undefined) final.add(meets);
  }
}

function judgeColumns(judgement: Judgement, write: Merge, clause: MergeWhenClause): void {
  const names = namesOf(clause.targetList);
  if (clause.commandType === "CMD_UPDATE") judgeWrittenColumns(judgement, write, "update", names);
  if (clause.commandType !== "CMD_INSERT") return;
  judgeWrittenColumns(judgement, write, "insert", names);
  if (clause.targetList === undefined && clause.values !== undefined)
    judgeMissingList(judgement, write, "INSERT");
}

/** ON looks at every row of the target, so that the rule of what the role sees goes in front of it. */
function guardJoin(
  judgement: Judgement,
  { statement, relation }: Merge,
  target: Target,
  on: { from: number; to: number },
  seen: readonly BoundExpression[],
  { facts, safe, uses }: Conditions,
  { computed, reads }: Survey,
): void {
  const condition = statement.joinCondition;
  if (seen.length === 0 || condition === undefined) return;
  const row = rowName(target);
  const rules = seen.map((rule) => rule.render(row));
  const items = statement.sourceRelation === undefined ? [] : [statement.sourceRelation];
  const copies = safe
    ? []
    : [
        ...(computed ? [] : safeCopies(judgement, facts, condition, uses, { name: row, relation }, row)),
        ...joinCopies(judgement, target, condition, { items, reads }, rules),
      ];
  statement.joinCondition = surrounded(judgement, on, ruleGuard({ rules, copies, safe }), condition);
}

/** The rules of the rows that an action may change, where they say more than those of the rows that the role sees. */
function actionRules({ grant }: Merge, { commandType }: MergeWhenClause): readonly BoundExpression[] {
  const { select, update, delete: remove } = grant;
  const rows =
    commandType === "CMD_UPDATE" ? update?.rows : commandType === "CMD_DELETE" ? remove?.rows : undefined;
  return rows?.render("t") === select?.rows?.render("t") ? [] : distinct([rows]);
}

function guardClause(
  judgement: Judgement,
  write: Merge,
  target: Target,
  { clause, meets, text }: { clause: MergeWhenClause; meets: Meets; text: ClauseText },
  seen: readonly BoundExpression[],
): void {
  const row = rowName(target);
  const rules = actionRules(write, clause);
  for (const rule of rules) judgement.rules.add(rule.rule);
  // Below 17 there is no RETURNING, so that a new row is looked at before it is one.
  const early = judgement.context.parser.major < 17 ? newRowRules(write, clause) : [];
  const stored = early.length === 0 ? "true" : newRowCondition(judgement, write, target, clause, text, early);
  const permitted = rules.length === 0 ? stored : raisingCondition(write.relation, rules, row, stored);
  const hidden = meets === "target" ? seen : [];
  if (permitted === "true" && hidden.length === 0) return;
  const rule = hidden.map((each) => `(${each.render(row)})`).join(" AND ");
  const open = hidden.length > 0 ? `CASE WHEN ${rule} THEN ` : "";
  const close = hidden.length > 0 ? " ELSE false END" : "";
  const guard: Guard = {
    alone: `${open}${permitted}${close}`,
    prefix: `${open}${permitted === "true" ? "(" : "CASE WHEN ("}`,
    suffix: `${permitted === "true" ? ")" : `) THEN ${permitted} ELSE false END`}${close}`,
  };
  if (text.condition !== undefined && clause.condition !== undefined) {
    clause.condition = surrounded(judgement, text.condition, guard, clause.condition);
    return;
  }
  const at = endBefore(judgement.source, text.thenAt);
  edit(judgement, at, at, ` AND ${guard.alone}`);
  clause.condition = expressionTree(judgement.context.parser, guard.alone);
}

/** What the row that a clause stores has to satisfy. */
function newRowRules(write: Merge, clause: MergeWhenClause): readonly BoundExpression[] {
  const { grant, relation } = write;
  if (clause.commandType === "CMD_INSERT") return distinct([grant.insert?.check]);
  if (clause.commandType !== "CMD_UPDATE") return [];
  const moved = movingRules(
    relation,
    rowRules(grant, grant.update?.rows),
    new Set(namesOf(clause.targetList)),
  );
  return distinct([grant.update?.check, ...moved]);
}

/** From 17 on RETURNING sees each row as it is stored, and knows by which action. */
function storedCheck(
  judgement: Judgement,
  write: Merge,
  clauses: readonly { readonly clause: MergeWhenClause }[],
): RowCheck | undefined {
  if (judgement.context.parser.major < 17) return undefined;
  const { relation, grant, statement } = write;
  const of = (command: MergeWhenClause["commandType"]): BoundExpression[] =>
    distinct(
      clauses
        .filter(({ clause }) => clause.commandType === command)
        .flatMap(({ clause }) => newRowRules(write, clause)),
    );
  const inserts = clauses.some(({ clause }) => clause.commandType === "CMD_INSERT");
  const shown = inserts && returnedList(statement).length > 0 ? grant.select?.rows : undefined;
  const inserted = distinct([...of("CMD_INSERT"), shown]);
  const updated = of("CMD_UPDATE");
  if (inserted.length + updated.length === 0) return undefined;
  const when = (action: string, rules: readonly BoundExpression[], row: string): string =>
    rules.length === 0
      ? ""
      : ` WHEN merge_action() = '${action}' THEN ${raisingCondition(relation, rules, row)}`;
  return {
    rules: distinct([...inserted, ...updated]),
    text: ({ row }) => `CASE${when("INSERT", inserted, row)}${when("UPDATE", updated, row)} ELSE true END`,
  };
}
