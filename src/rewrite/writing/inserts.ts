import type { InsertStmt, Node, OnConflictClause } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import { quoteIdentifier } from "../../sql/names.ts";
import type { BoundExpression } from "../../policy/grants.ts";
import { raisingCondition, rowCheck, type RowCheck } from "./checks.ts";
import type { Survey, Write } from "../findings.ts";
import { hole } from "../text/fragment.ts";
import { surroundCondition } from "../text/guard.ts";
import type { Judgement } from "../judgement.ts";
import { denied } from "../relations.ts";
import { returnedList, rewriteReturning } from "./returning.ts";
import { distinct, mayChange, movingRules, rowRules } from "./row-rules.ts";
import { indexOf, keywordIndex } from "../text/source.ts";
import { judgeTargetColumns } from "./target-columns.ts";
import { aim, rowName, type Target } from "./write-target.ts";
import { judgeMissingList, judgeWrittenColumns, namesOf } from "./written-columns.ts";

type Insert = Write & { readonly kind: "insert" };

/** @returns true if the statement's rows are only those of a RETURNING that was added for a check. */
export function rewriteInsert(judgement: Judgement, write: Insert, survey: Survey): boolean {
  const { statement, grant } = write;
  const { target, from } = aim(judgement, write, statement.relation);
  judgeWrittenColumns(judgement, write, "insert", namesOf(statement.cols));
  if (statement.cols === undefined && statement.selectStmt !== undefined)
    judgeMissingList(judgement, write, "INSERT");
  // A row that is shown is one that the role sees, as under native row security.
  const shown = returnedList(statement).length > 0 ? grant.select?.rows : undefined;
  const inserted = distinct([grant.insert!.check, shown]);
  const conflict = statement.onConflictClause;
  const updated = conflict === undefined ? [] : rewriteConflict(judgement, survey, write, target, conflict);
  return rewriteReturning(judgement, write, target, from, {
    before: [],
    behind: [],
    survey,
    check: insertCheck(judgement, write, inserted, updated),
  });
}

/**
 * ON CONFLICT: what looks at the row in the way, and what is put into it.
 * @returns the rules that the updated row has to satisfy.
 */
function rewriteConflict(
  judgement: Judgement,
  survey: Survey,
  write: Insert,
  target: Target,
  conflict: OnConflictClause,
): BoundExpression[] {
  const { statement, grant, relation } = write;
  const beside: Node[] = [];
  const names = new Set([...target.names, "excluded"]);
  const proposed = { ...target, names, given: givenColumns(statement, write) };
  judgeArbiter(proposed, conflict.infer?.indexElems);
  const arbiter = [conflict.infer?.whereClause, ...(conflict.infer?.indexElems ?? [])];
  judgeTargetColumns(judgement, survey, target, arbiter, { beside, masked: "refuse" });
  if (conflict.action !== "ONCONFLICT_UPDATE") return [];

  if (grant.update === undefined) denied(judgement.context.grants, relation.name, "update", grant);
  const set = namesOf(conflict.targetList);
  judgeWrittenColumns(judgement, write, "update", set);
  judgeTargetColumns(judgement, survey, proposed, conflict.targetList ?? [], { beside, masked: "refuse" });
  judgeTargetColumns(judgement, survey, proposed, [conflict.whereClause], { beside, masked: "show" });
  const rules = rowRules(grant, grant.update.rows);
  guardConflict(judgement, conflict, target, rules);
  return distinct([grant.update.check, ...movingRules(relation, rules, new Set(set))]);
}

/**
 * The columns whose values in `excluded` are the client's own. The server puts defaults in for the others, and a
 * trigger or OVERRIDING USER VALUE may change any.
 */
function givenColumns({ cols, override, selectStmt }: InsertStmt, { relation }: Insert): ReadonlySet<string> {
  if (override === "OVERRIDING_USER_VALUE" || mayChange(relation, "insert")) return new Set();
  const select = selectStmt !== undefined && "SelectStmt" in selectStmt ? selectStmt.SelectStmt : {};
  const lists = (select.valuesLists ?? []).map((list) => ("List" in list ? (list.List.items ?? []) : []));
  const names = cols === undefined ? relation.columns.map(({ name }) => name) : namesOf(cols);
  const widths = cols === undefined ? lists.map((list) => list.length) : [names.length];
  return new Set(
    names
      .slice(0, Math.min(...widths, widths.length === 0 ? 0 : names.length))
      .filter((_, index) => !lists.some((list) => "SetToDefault" in (list[index] ?? {}))),
  );
}

/** The columns that ON CONFLICT looks for must be ones that the role knows of. */
function judgeArbiter(target: Target, elements: readonly Node[] | undefined): void {
  for (const element of elements ?? []) {
    const name = "IndexElem" in element ? element.IndexElem.name : undefined;
    const insertable = target.grant.insert?.columns;
    if (name === undefined || target.visible === undefined || insertable === "all") continue;
    if (!target.visible.has(name) && insertable?.has(name) !== true)
      refuse("column_unknown", `column "${name}" does not exist`, {
        detail: `The role has no use of it (${target.grant.rule}).`,
      });
  }
}

/** A row in the way that the role may not change stops the statement, as it does under native row security. */
function guardConflict(
  judgement: Judgement,
  conflict: OnConflictClause,
  target: Target,
  rules: readonly BoundExpression[],
): void {
  if (rules.length === 0) return;
  const { source } = judgement;
  for (const rule of rules) judgement.rules.add(rule.rule);
  const afterDo = keywordIndex(source, indexOf(source, conflict.location ?? 0), "do");
  const row = rowName(target);
  const [prefix, suffix] = raisingCondition(target.relation, rules, row, `(${hole})`).split(hole) as [
    string,
    string,
  ];
  const alone = raisingCondition(target.relation, rules, row);
  surroundCondition(judgement, conflict, afterDo, { alone, prefix, suffix });
}

/**
 * An inserted row has to satisfy the insert rule, an updated one the update rule. Where nothing tells them apart,
 * both have to satisfy both.
 */
function insertCheck(
  { context }: Judgement,
  { relation, statement }: Insert,
  inserted: readonly BoundExpression[],
  updated: readonly BoundExpression[],
): RowCheck | undefined {
  const rules = distinct([...inserted, ...updated]);
  const same = rules.length === inserted.length && rules.length === updated.length;
  if (statement.onConflictClause?.action !== "ONCONFLICT_UPDATE" || same) return rowCheck(relation, rules);
  return {
    rules,
    text: ({ row, old }) => {
      const either = (isNew: string): string =>
        `CASE WHEN ${isNew} THEN ${raisingCondition(relation, inserted, row)} ELSE ${raisingCondition(relation, updated, row)} END`;
      if (old !== undefined) return either(`${quoteIdentifier(old)} IS NOT DISTINCT FROM NULL`);
      // An updated row was locked first and keeps the lock in its xmax (heapam.c, heap_update); a new one has none.
      if (context.parser.major < 18 && relation.heap) return either(`${quoteIdentifier(row)}.xmax = 0`);
      return raisingCondition(relation, rules, row);
    },
  };
}
