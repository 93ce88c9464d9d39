import type {
  CommonTableExpr,
  DeleteStmt,
  InsertStmt,
  JoinExpr,
  MergeStmt,
  Node,
  RangeVar,
  SelectStmt,
  UpdateStmt,
  WithClause,
} from "@pgsql/types";
import { refuse } from "../errors.ts";
import { hideLogin, nameHiddenLogin } from "./calls/session-user.ts";
import { showSettings } from "./catalogs/settings-function.ts";
import type { Relation } from "../catalog/catalog.ts";
import type { TableGrant } from "../policy/grants.ts";
import { judgeType } from "./calls/casts.ts";
import { withCtes, type CteNames } from "./cte-names.ts";
import { childNodes } from "./text/child-nodes.ts";
import { judgeChosenCalls } from "./calls/chosen-calls.ts";
import { judgeAttributeNotation } from "./calls/attribute-notation.ts";
import { nothingSeen, type Place, type Sample, type Survey, type Write } from "./findings.ts";
import { nameBlanked } from "./calls/functions.ts";
import { judgeCall } from "./calls/guarded-calls.ts";
import { unsupported, type Judgement } from "./judgement.ts";
import { judgeLocks } from "./reading/locks.ts";
import {
  aliasOf,
  noteAlias,
  noteCondition,
  noteIndirection,
  noteJoin,
  noteOperator,
  noteOutputs,
  noteReference,
  noteRenamed,
} from "./names-seen.ts";
import { hasColumnNames } from "./reading/plain-columns.ts";
import { denied, resolveUse, type Use } from "./relations.ts";
import { below, outermost, sidesOf, type Scope } from "./scope.ts";

/**
 * Walks a statement that reads or writes rows. Every relation is resolved and must be allowed, every function and
 * operator is judged on the way; what the walk does not know is refused.
 */
export function surveyStatement(judgement: Judgement, statement: Node): Survey {
  const survey = nothingSeen();
  visit(judgement, survey, statement, { ...outermost, top: true });
  judgeLocks(judgement, survey);
  judgeAttributeNotation(judgement, survey);
  judgeChosenCalls(judgement, survey, statement);
  return survey;
}

function visit(judgement: Judgement, survey: Survey, node: Node, scope: Scope): void {
  if ("SelectStmt" in node) return visitSelect(judgement, survey, node.SelectStmt, scope);
  if ("InsertStmt" in node) return visitInsert(judgement, survey, node.InsertStmt, scope);
  if ("UpdateStmt" in node) return visitUpdate(judgement, survey, node.UpdateStmt, scope);
  if ("DeleteStmt" in node) return visitDelete(judgement, survey, node.DeleteStmt, scope);
  if ("MergeStmt" in node) return visitMerge(judgement, survey, node.MergeStmt, scope);
  if ("A_Const" in node) return visitConstant(node);
  if ("RangeVar" in node) return visitRangeVar(judgement, survey, node, node.RangeVar, scope);
  if ("ResTarget" in node) {
    nameHiddenLogin(judgement, node.ResTarget);
    nameBlanked(judgement, node.ResTarget);
  }
  if (hideLogin(judgement, node)) return undefined;
  const part = (running: Node): void => visit(judgement, survey, running, below(scope));
  if ("FuncCall" in node && judgeCall(judgement, node, node.FuncCall, part)) return undefined;
  if ("TypeName" in node) judgeType(judgement, node.TypeName);
  if ("ColumnRef" in node) noteReference(survey, node.ColumnRef);
  if ("A_Expr" in node) noteOperator(survey, node.A_Expr);
  if ("A_Indirection" in node) noteIndirection(survey, node.A_Indirection.indirection);
  if ("RangeTableSample" in node) return visitSample(judgement, survey, node, scope);
  if ("RangeSubselect" in node)
    noteOutputs(judgement, survey, node.RangeSubselect.subquery, node.RangeSubselect.alias?.colnames);
  if ("RangeFunction" in node || "RangeTableFunc" in node || "JsonTable" in node)
    survey.computed = survey.vague = true;
  noteAlias(survey, aliasOf(node));
  if (showSettings(judgement, node)) return undefined;
  if ("JoinExpr" in node) return visitJoin(judgement, survey, node, scope);
  visitChildren(judgement, survey, node, "RangeSubselect" in node ? below(scope, scope.reach) : below(scope));
  return undefined;
}

/** Most nodes of a long statement are constants: they name nothing, so it is enough that their fields are known. */
function visitConstant(node: Node): void {
  for (const value of childNodes(node)) childNodes(value);
}

function visitChildren(
  judgement: Judgement,
  survey: Survey,
  node: Node,
  scope: Scope,
  except: readonly Node[] = [],
): void {
  const children = childNodes(node);
  if (except.length === 0) {
    for (const child of children) visit(judgement, survey, child, scope);
    return;
  }
  const skipped = new Set(except.map((child) => Object.values(child)[0] as unknown));
  for (const child of children)
    if (!skipped.has(Object.values(child)[0])) visit(judgement, survey, child, scope);
}

function visitSelect(judgement: Judgement, survey: Survey, select: SelectStmt, scope: Scope): void {
  if (select.intoClause !== undefined)
    refuse("statement_not_allowed", "SELECT INTO is not allowed", {
      detail: "It would create a table.",
      hint: "Use CREATE TABLE … AS where the role may create one, or INSERT … SELECT.",
    });
  if (select.groupClause !== undefined) survey.grouped.push(select);
  if (select.sortClause !== undefined) survey.sorted = true;
  const ctes = visitWith(judgement, survey, select.withClause, scope);
  const place: Place = { select, outer: scope.place, reach: scope.reach };
  const inside: Scope = { ...outermost, ctes, place };
  noteCondition(survey, select.whereClause, { clause: "where", place });
  noteCondition(survey, select.havingClause, { clause: "having", place });
  for (const lock of select.lockingClause ?? [])
    if ("LockingClause" in lock) survey.locks.push(lock.LockingClause);
  for (const item of select.fromClause ?? [])
    visit(judgement, survey, item, { ...inside, level: select, reach: "from" });
  for (const branch of [select.larg, select.rarg])
    if (branch !== undefined) visitSelect(judgement, survey, branch, { ...inside, reach: "from" });
  const seen = [select.larg, select.rarg]
    .filter((branch) => branch !== undefined)
    .map((branch) => ({ SelectStmt: branch }));
  visitChildren(judgement, survey, { SelectStmt: select }, inside, [
    ...seen,
    ...withNode(select.withClause),
    ...(select.lockingClause ?? []),
    ...(select.fromClause ?? []),
  ]);
}

function withNode(withClause: WithClause | undefined): Node[] {
  return withClause === undefined ? [] : [{ WithClause: withClause }];
}

/** The CTE names that the statement's body sees. A non-recursive CTE sees only those before it, and not itself. */
function visitWith(
  judgement: Judgement,
  survey: Survey,
  withClause: WithClause | undefined,
  scope: Scope,
): CteNames {
  if (withClause === undefined) return scope.ctes;
  const tables = (withClause.ctes ?? []).map((node) =>
    "CommonTableExpr" in node ? node.CommonTableExpr : unsupported("this WITH clause"),
  );
  const names = withCtes(
    scope.ctes,
    tables.map(({ ctename = "" }) => ctename),
    withClause.recursive === true,
  );
  for (const [index, table] of tables.entries()) {
    // So does the server, which also keeps the work of judging from growing with every level of them.
    if (scope.top !== true && table.ctequery !== undefined && !("SelectStmt" in table.ctequery))
      refuse(
        "statement_not_supported",
        "WITH clause containing a data-modifying statement must be at the top level",
        { hint: "Put the WITH clause in front of the whole statement." },
      );
    visitCte(judgement, survey, table, { ...below(scope, "with"), ctes: names.seenBy(index) });
  }
  return names.body;
}

function visitCte(judgement: Judgement, survey: Survey, table: CommonTableExpr, scope: Scope): void {
  noteAlias(survey, table.ctename);
  noteOutputs(judgement, survey, table.ctequery, table.aliascolnames);
  visitChildren(judgement, survey, { CommonTableExpr: table }, scope);
}

function visitRangeVar(
  judgement: Judgement,
  survey: Survey,
  node: Node,
  rangeVar: RangeVar,
  scope: Scope,
  sample?: Sample,
): void {
  noteAlias(survey, rangeVar.alias?.aliasname ?? rangeVar.relname);
  if (hasColumnNames(rangeVar.alias)) noteRenamed(survey);
  if (rangeVar.schemaname === undefined && scope.ctes.has(rangeVar.relname ?? "")) return;
  const { relation, grant } = resolveUse(judgement, rangeVar, "select");
  if (relation.columnsUnknown === true) survey.computed = survey.vague = true;
  const { level, place, missingIn } = scope;
  survey.reads.push({ node, rangeVar, relation, grant, level, place, missingIn, sample });
}

function visitJoin(judgement: Judgement, survey: Survey, node: { JoinExpr: JoinExpr }, scope: Scope): void {
  const { larg, rarg } = node.JoinExpr;
  noteJoin(survey, node.JoinExpr, scope.place);
  const [left, right] = sidesOf(node.JoinExpr, scope);
  if (larg !== undefined) visit(judgement, survey, larg, left);
  if (rarg !== undefined) visit(judgement, survey, rarg, right);
  visitChildren(
    judgement,
    survey,
    node,
    below(scope),
    [larg, rarg].filter((side) => side !== undefined),
  );
}

function visitSample(judgement: Judgement, survey: Survey, node: Sample, scope: Scope): void {
  const { relation } = node.RangeTableSample;
  if (relation === undefined || !("RangeVar" in relation)) unsupported("TABLESAMPLE on this");
  const { schemaname, relname = "" } = relation.RangeVar;
  if (schemaname === undefined && scope.ctes.has(relname)) unsupported("TABLESAMPLE on a CTE");
  visitRangeVar(judgement, survey, relation, relation.RangeVar, scope, node);
  visitChildren(judgement, survey, node, below(scope), [relation]);
}

type Target = { readonly relation: Relation; readonly grant: TableGrant };

function writeTarget(judgement: Judgement, survey: Survey, rangeVar: RangeVar | undefined, use: Use): Target {
  const { relation, grant } = resolveUse(judgement, rangeVar ?? {}, use);
  if (relation.columnsUnknown === true) survey.computed = survey.vague = true;
  // A catalog never has a grant, and resolveUse lets catalogs be read only.
  return { relation, grant: grant ?? refuse("internal", "a write to a relation without a rule") };
}

function visitWrite(
  judgement: Judgement,
  survey: Survey,
  node: Node,
  statement: Write["statement"],
  scope: Scope,
): void {
  const ctes = visitWith(judgement, survey, statement.withClause, scope);
  const target: Node[] = statement.relation === undefined ? [] : [{ RangeVar: statement.relation }];
  const seen = [...withNode(statement.withClause), ...target];
  // The condition as the client wrote it: the rules of the target are put around it before those of the items are looked at.
  const level = "whereClause" in statement ? { whereClause: statement.whereClause } : undefined;
  const items = itemsBeside(statement);
  for (const item of items) visit(judgement, survey, item, { ...below(scope), ctes, level });
  visitChildren(judgement, survey, node, { ...below(scope), ctes }, [...seen, ...items]);
}

/** FROM of UPDATE and USING of DELETE: joined with the target, so that WHERE holds for them as in a SELECT. */
function itemsBeside(statement: Write["statement"]): readonly Node[] {
  if ("fromClause" in statement) return statement.fromClause ?? [];
  return "usingClause" in statement ? (statement.usingClause ?? []) : [];
}

/** The condition of a statement that writes. */
const written = { clause: "write", place: undefined } as const;

function visitInsert(judgement: Judgement, survey: Survey, statement: InsertStmt, scope: Scope): void {
  survey.writes.push({
    kind: "insert",
    statement,
    ...writeTarget(judgement, survey, statement.relation, "insert"),
  });
  noteCondition(survey, statement.onConflictClause?.whereClause, written);
  visitWrite(judgement, survey, { InsertStmt: statement }, statement, scope);
}

function visitUpdate(judgement: Judgement, survey: Survey, statement: UpdateStmt, scope: Scope): void {
  survey.writes.push({
    kind: "update",
    statement,
    ...writeTarget(judgement, survey, statement.relation, "update"),
  });
  noteCondition(survey, statement.whereClause, written);
  visitWrite(judgement, survey, { UpdateStmt: statement }, statement, scope);
}

function visitDelete(judgement: Judgement, survey: Survey, statement: DeleteStmt, scope: Scope): void {
  survey.writes.push({
    kind: "delete",
    statement,
    ...writeTarget(judgement, survey, statement.relation, "delete"),
  });
  noteCondition(survey, statement.whereClause, written);
  visitWrite(judgement, survey, { DeleteStmt: statement }, statement, scope);
}

const actionUses = { CMD_INSERT: "insert", CMD_UPDATE: "update", CMD_DELETE: "delete" } as const;

/** ON looks at the target, so it takes a rule for reading; each action takes its own. */
function visitMerge(judgement: Judgement, survey: Survey, statement: MergeStmt, scope: Scope): void {
  const target = writeTarget(judgement, survey, statement.relation, "select");
  for (const node of statement.mergeWhenClauses ?? []) {
    const command = "MergeWhenClause" in node ? node.MergeWhenClause.commandType : undefined;
    if (command === "CMD_NOTHING") continue;
    const use = actionUses[command as keyof typeof actionUses];
    if (target.grant[use] === undefined)
      denied(judgement.context.grants, statement.relation?.relname ?? "", use, target.grant);
  }
  survey.writes.push({ kind: "merge", statement, ...target });
  noteCondition(survey, statement.joinCondition, written);
  visitWrite(judgement, survey, { MergeStmt: statement }, statement, scope);
}
