import type { InsertStmt, Node, RangeVar } from "@pgsql/types";
import { refuse } from "../errors.ts";
import type { BoundExpression } from "../policy/grants.ts";
import { quoteIdentifier } from "../sql/names.ts";
import { raisingCondition } from "./checks.ts";
import { hole } from "./fragment.ts";
import { guardCondition, surroundCondition } from "./guard.ts";
import { edit, type Judgement } from "./judgement.ts";
import type { Conditions } from "./reads.ts";
import { denied } from "./relations.ts";
import { rewriteReturning } from "./returning.ts";
import { safeCopies } from "./safe-copies.ts";
import {
  closingIndex,
  indexAfterName,
  indexOf,
  keywordIndex,
  type Source,
  inOnlyBrackets,
} from "./source.ts";
import type { Survey, Write } from "./findings.ts";
import { judgeTargetColumns, rowName, writeTarget, type Target } from "./target-columns.ts";

/**
 * Puts a role's rules on a statement that writes: permitted columns, rows that the role may change, checks of the new row.
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
    default:
      return write satisfies never;
  }
}

function rewriteInsert(
  judgement: Judgement,
  write: Write & { kind: "insert" },
  { aliases }: Survey,
): boolean {
  const beside: Node[] = [];
  const { statement, grant } = write;
  const { rangeVar, target, from } = aim(judgement, write, statement.relation);
  const permitted = grant.insert!.columns;
  judgeColumnList(judgement, write, statement.cols, permitted, "insert into");
  if (statement.cols === undefined && statement.selectStmt !== undefined && permitted !== "all")
    refuse("column_not_allowed", `INSERT into ${rangeVar.relname} needs a column list`, {
      detail: `Role "${judgement.context.grants.role}" may not insert into every column of it (${grant.rule}).`,
      hint: `Name the columns: (${[...permitted].join(", ")}).`,
    });
  const checks = [grant.insert!.check];
  const conflict = statement.onConflictClause;
  if (conflict !== undefined) {
    const proposed = {
      ...target,
      names: new Set([...target.names, "excluded"]),
      given: givenColumns(statement, write),
    };
    judgeArbiter(proposed, conflict.infer?.indexElems);
    judgeTargetColumns(
      judgement,
      target,
      [conflict.infer?.whereClause, ...(conflict.infer?.indexElems ?? [])],
      { beside, aliases, masked: "refuse" },
    );
    if (conflict.action === "ONCONFLICT_UPDATE") {
      if (grant.update === undefined) denied(judgement.context.grants, rangeVar.relname ?? "", "update");
      judgeColumnList(judgement, write, conflict.targetList, grant.update.columns, "update");
      judgeTargetColumns(judgement, proposed, conflict.targetList ?? [], {
        beside,
        aliases,
        masked: "refuse",
      });
      judgeTargetColumns(judgement, proposed, [conflict.whereClause], { beside, aliases, masked: "show" });
      guardConflict(judgement, conflict, target, rowRules(write, grant.update.rows));
      checks.push(grant.update.check, ...movingRules(write, grant.update.rows, conflict.targetList));
    }
  }
  return rewriteReturning(judgement, statement, target, from, { beside, aliases }, distinct(checks));
}

/** Without a list of columns every column is given. */
function givenColumns({ cols }: InsertStmt, { relation }: Write): ReadonlySet<string> {
  const listed = cols?.map((node) => ("ResTarget" in node ? (node.ResTarget.name ?? "") : ""));
  return new Set(listed ?? relation.columns.map(({ name }) => name));
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
  conflict: NonNullable<InsertStmt["onConflictClause"]>,
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

function rewriteUpdate(
  judgement: Judgement,
  write: Write & { kind: "update" },
  conditions: Conditions,
  survey: Survey,
): boolean {
  const { statement, grant } = write;
  const { target, from } = aim(judgement, write, statement.relation);
  const beside = statement.fromClause ?? [];
  const { aliases } = survey;
  judgeColumnList(judgement, write, statement.targetList, grant.update!.columns, "update");
  judgeTargetColumns(judgement, target, statement.targetList ?? [], { beside, aliases, masked: "refuse" });
  judgeTargetColumns(judgement, target, [statement.whereClause, ...beside], {
    beside,
    aliases,
    masked: "show",
  });
  guardRows(judgement, write, target, from, rowRules(write, grant.update!.rows), conditions, survey);
  const checks = [grant.update!.check, ...movingRules(write, grant.update!.rows, statement.targetList)];
  return rewriteReturning(judgement, statement, target, from, { beside, aliases }, distinct(checks));
}

function rewriteDelete(
  judgement: Judgement,
  write: Write & { kind: "delete" },
  conditions: Conditions,
  survey: Survey,
): boolean {
  const { statement, grant } = write;
  const { target, from } = aim(judgement, write, statement.relation);
  const beside = statement.usingClause ?? [];
  const { aliases } = survey;
  judgeTargetColumns(judgement, target, [statement.whereClause, ...beside], {
    beside,
    aliases,
    masked: "show",
  });
  guardRows(judgement, write, target, from, rowRules(write, grant.delete!.rows), conditions, survey);
  return rewriteReturning(judgement, statement, target, from, { beside, aliases }, []);
}

function guardRows(
  judgement: Judgement,
  { statement, relation }: Write & { kind: "update" | "delete" },
  target: Target,
  from: number,
  rules: readonly BoundExpression[],
  { facts, safe, uses }: Conditions,
  { computed }: Survey,
): void {
  const row = rowName(target);
  for (const rule of rules) judgement.rules.add(rule.rule);
  const copies =
    safe || computed
      ? []
      : safeCopies(judgement, facts, statement.whereClause, uses, { name: row, relation }, row);
  guardCondition(judgement, statement, from, { rules: rules.map((rule) => rule.render(row)), copies, safe });
}

/** Qualifies the relation that is written to, and says how the statement can name its row. */
function aim(
  judgement: Judgement,
  write: Write,
  rangeVar: RangeVar | undefined,
): { rangeVar: RangeVar; target: Target; from: number } {
  if (rangeVar?.location === undefined) refuse("internal", "a write without a relation");
  const from = afterTarget(judgement.source, rangeVar.location);
  if (rangeVar.schemaname === undefined) {
    edit(judgement, rangeVar.location, rangeVar.location, `${quoteIdentifier(write.relation.schema)}.`);
    rangeVar.schemaname = write.relation.schema;
  }
  const name = rangeVar.alias?.aliasname ?? rangeVar.relname ?? "";
  return { rangeVar, target: writeTarget(write.relation, write.grant, [name]), from };
}

/** The index behind the relation, `ONLY (t)` included: what follows stands at the statement's own depth again. */
function afterTarget(source: Source, location: number): number {
  const after = indexAfterName(source, location);
  const first = indexOf(source, location);
  return inOnlyBrackets(source, first) ? closingIndex(source, first - 1) + 1 : after;
}

/** Rows that a role may change are among those that it may see, as under native row security. */
function rowRules(write: Write, rows: BoundExpression | undefined): BoundExpression[] {
  const own = distinct([rows]);
  const seen = write.grant.select?.rows;
  if (seen === undefined || own.some((rule) => rule.render("t") === seen.render("t"))) return own;
  return [seen, ...own];
}

/** The row rules that the statement could break by what it sets: no row may be moved out of the role's reach. */
function movingRules(
  write: Write,
  rows: BoundExpression | undefined,
  set: readonly Node[] | undefined,
): BoundExpression[] {
  const names = new Set((set ?? []).map((node) => ("ResTarget" in node ? node.ResTarget.name : undefined)));
  // A generated column follows others, whichever they are.
  const generated = new Set(
    write.relation.columns.filter((column) => column.generated).map(({ name }) => name),
  );
  return rowRules(write, rows).filter((rule) =>
    rule.columns.some((column) => names.has(column) || generated.has(column)),
  );
}

function distinct(rules: readonly (BoundExpression | undefined)[]): BoundExpression[] {
  const found = new Map<string, BoundExpression>();
  for (const rule of rules)
    if (rule !== undefined && !found.has(rule.render("t"))) found.set(rule.render("t"), rule);
  return [...found.values()];
}

function judgeColumnList(
  judgement: Judgement,
  write: Write,
  list: readonly Node[] | undefined,
  permitted: "all" | ReadonlySet<string>,
  verb: string,
): void {
  if (permitted === "all") return;
  for (const node of list ?? []) {
    const name = "ResTarget" in node ? node.ResTarget.name : undefined;
    if (name !== undefined && permitted.has(name)) continue;
    refuse(
      "column_not_allowed",
      `permission denied to ${verb} column "${name ?? "?"}" of ${write.relation.schema}.${write.relation.name}`,
      {
        detail: `Role "${judgement.context.grants.role}" has no ${write.kind} rule for this column (${write.grant.rule}).`,
        hint:
          permitted.size === 0 ? "It may write no column." : `It may ${verb}: ${[...permitted].join(", ")}.`,
      },
    );
  }
}
