import type { Node } from "@pgsql/types";
import type { Relation } from "../catalog/catalog.ts";
import { changeLocal, isTemporary } from "../catalog/local-objects.ts";
import { refuse, RolegateError } from "../errors.ts";
import { showConstants } from "../sql/cut-proof.ts";
import { parseShort } from "../sql/parse-short.ts";
import { refusedKind } from "../sql/refused-kinds.ts";
import { statementKind } from "../sql/statement-kinds.ts";
import { applyEdits } from "./text/apply-edits.ts";
import { judgeType } from "./calls/casts.ts";
import { rewriteCopy } from "./writing/copy.ts";
import { judgeDefinition } from "./defining/definitions.ts";
import { judgeExplain } from "./session/explain-statement.ts";
import { addDependentColumns } from "./reading/group-keys.ts";
import { withAsking } from "./asking.ts";
import { addHints } from "./hints.ts";
import {
  beginJudgement,
  beginStatement,
  unsupported,
  type JudgeContext,
  type Judgement,
} from "./judgement.ts";
import { shortenQualifiedColumns } from "./reading/qualified-columns.ts";
import { placeSettingReads } from "./catalogs/listed-settings.ts";
import { quotableOf, unknownQuotable } from "./quotable.ts";
import { judgeGivenValue } from "./calls/chosen-calls.ts";
import { typesMade } from "./calls/value-origins.ts";
import { convertsColumns } from "./reading/converting-parameters.ts";
import { placeGuards } from "./reading/guarded-conditions.ts";
import { conditionsOf, rewriteRead } from "./reading/reads.ts";
import { judgeRowSecurity } from "./session/row-security.ts";
import { placeSetConfigs } from "./session/set-config.ts";
import { judgeSession } from "./session/session-statements.ts";
import type { Survey } from "./findings.ts";
import { surveyStatement } from "./survey.ts";
import { isHeld, type JudgedStatement, type Verdict } from "./verdict.ts";
import { restricts, seesColumns } from "./reading/virtual-table.ts";
import { judgeUnrestricted } from "./session/unrestricted.ts";
import { rewriteWrite } from "./writing/writes.ts";

export type { JudgeContext } from "./judgement.ts";

/**
 * May the text run, and as what? Every statement in it is judged; one that may not run refuses the whole text, as a
 * syntax error would.
 * @param text valid UTF-8 without NUL; one or more statements.
 */
export function judge(text: string, context: JudgeContext): Verdict {
  const parsed = parseShort(text, context.parser);
  if (parsed.kind === "error")
    return refusal(
      { code: "statement_unparsable", message: parsed.message, position: parsed.position },
      "UNKNOWN",
      new Set(),
      false,
    );
  if (parsed.kind === "refused")
    return refusal({ code: parsed.code, message: parsed.reason }, "UNKNOWN", new Set(), false);

  const { short, shortened } = parsed;
  const judgement = beginJudgement(context, short);
  let kind = "UNKNOWN";
  const touched = new Set<string>();
  // Whoever looks at a constant sees all of it; the tree that is compared in the end has what the short text has.
  showConstants(shortened, "whole");
  try {
    const statements = parsed.statements.map((raw) => {
      beginStatement(judgement);
      kind = statementKind(raw.stmt!).name;
      try {
        const start = raw.stmt_location ?? 0;
        if (context.grants.unrestricted !== undefined) return judgeUnrestricted(judgement, raw.stmt!, start);
        return followed(judgement, judgeStatement(judgement, raw.stmt!, start));
      } finally {
        for (const relation of judgement.relations) touched.add(relation);
      }
    });
    showConstants(shortened, "short");
    const sent = applyEdits(judgement, short, parsed.statements);
    const { unsettled } = judgement;
    return { kind: "run", text: sent, rewritten: sent !== text, statements, unsettled };
  } catch (error) {
    if (!(error instanceof RolegateError)) throw error;
    return refusal(withAsking(error.problem, context.askable), kind, touched, judgement.unresolved);
  }
}

function refusal(
  problem: RolegateError["problem"],
  statementName: string,
  relations: ReadonlySet<string>,
  unresolved: boolean,
): Verdict {
  return {
    kind: "refuse",
    problem,
    statementKind: statementName,
    relations: [...relations].toSorted(),
    unresolved,
  };
}

function judgeStatement(judgement: Judgement, node: Node, start: number): JudgedStatement {
  const { node: nodeKind, judged: known, name } = statementKind(node);
  if (!known)
    refuse("statement_not_allowed", `${name} is not allowed`, {
      detail: refusedKind(nodeKind, name).detail,
      hint: "What changes the database's objects, roles or passwords is done on a connection of the database's own.",
    });
  const done = (more: Partial<JudgedStatement> = {}): JudgedStatement => ({
    statementKind: name,
    relations: [...judgement.relations].toSorted(),
    rules: [...judgement.rules].toSorted(),
    discardRows: false,
    hides: judgement.hides || (resumes.has(name) && restricts(judgement.context.grants)),
    quotable: resumes.has(name) ? unknownQuotable : judgement.quotable,
    hints: judgement.hints,
    trustsParameters: judgement.parameters === "trusted",
    castParameters: judgement.castParameters,
    distrustedTypes: judgement.distrustedTypes,
    sets: [...judgement.sets],
    effect: judgement.path ?? { kind: "none" },
    ...more,
  });

  const rewrite = (query: Node): void => {
    if (!isQuery(query)) return unsupported("a definition by this statement");
    rewriteQuery(judgement, query);
  };
  const definition = judgeDefinition(judgement, node, start, rewrite);
  if (definition !== undefined) return done({ effect: definition });
  if ("SelectStmt" in node) {
    placeSetConfigs(node.SelectStmt);
    placeSettingReads(node.SelectStmt);
  }
  if (isQuery(node)) return done({ discardRows: rewriteQuery(judgement, node).discardRows });
  if ("CopyStmt" in node) {
    const { query } = node.CopyStmt;
    if (query === undefined) rewriteCopy(judgement, node.CopyStmt);
    else {
      if (node.CopyStmt.is_program === true || node.CopyStmt.filename !== undefined)
        rewriteCopy(judgement, node.CopyStmt);
      if (!isQuery(query)) unsupported("COPY of this statement");
      if (rewriteQuery(judgement, query).discardRows) unsupported("COPY of a statement without RETURNING");
    }
    return done();
  }
  if ("ExplainStmt" in node) {
    const inside = {
      rewriteQuery: (query: Node) => (isQuery(query) ? rewriteQuery(judgement, query) : undefined),
      judgeParameter: (parameter: Node) => judgeParameter(judgement, parameter),
    };
    return done(judgeExplain(judgement, node.ExplainStmt, start, inside));
  }
  if ("PrepareStmt" in node) {
    const { query, name: prepared = "", argtypes } = node.PrepareStmt;
    if (query === undefined || !isQuery(query)) unsupported("PREPARE of this statement");
    if ((argtypes ?? []).some(convertsColumns)) judgement.parameters = "distrusted";
    judgement.declaredTypes = argtypes ?? [];
    for (const type of argtypes ?? []) if ("TypeName" in type) judgeType(judgement, type.TypeName);
    const { discardRows } = rewriteQuery(judgement, query);
    const statement = { ...done({ discardRows }), statementKind: statementKind(query).name };
    return done({ effect: { kind: "prepare", name: prepared, statement } });
  }
  if ("ExecuteStmt" in node) {
    for (const parameter of node.ExecuteStmt.params ?? []) judgeParameter(judgement, parameter);
    return done({ effect: { kind: "execute", name: node.ExecuteStmt.name ?? "" } });
  }
  if ("DeallocateStmt" in node) {
    const all = node.DeallocateStmt.name === undefined;
    return done({ effect: { kind: "deallocate", name: all ? undefined : node.DeallocateStmt.name } });
  }
  if ("DeclareCursorStmt" in node) {
    const { query, portalname = "", options = 0 } = node.DeclareCursorStmt;
    if (query === undefined || !("SelectStmt" in query)) unsupported("DECLARE of this statement");
    rewriteQuery(judgement, query);
    const statement = { ...done(), statementKind: statementKind(query).name };
    return done({
      effect: { kind: "declare", name: portalname, statement, held: isHeld(options) },
    });
  }
  return done(judgeSession(judgement, node, start));
}

/** What a statement defines the next one of the text finds there. */
function followed(judgement: Judgement, statement: JudgedStatement): JudgedStatement {
  if (statement.effect.kind !== "define") return statement;
  const madeTypes = typesMade(judgement);
  const changes = statement.effect.changes.map((change) =>
    change.kind === "relation" ? { ...change, relation: { ...change.relation, madeTypes } } : change,
  );
  judgement.local = changes.reduce(changeLocal, judgement.local);
  return { ...statement, effect: { ...statement.effect, changes } };
}

/** Statements that go on with what another one began; which one is not known here. */
const resumes: ReadonlySet<string> = new Set([
  "EXECUTE",
  "FETCH",
  "COMMIT",
  "PREPARE TRANSACTION",
  "SET CONSTRAINTS",
]);

type Query = Extract<
  Node,
  | { SelectStmt: unknown }
  | { InsertStmt: unknown }
  | { UpdateStmt: unknown }
  | { DeleteStmt: unknown }
  | { MergeStmt: unknown }
>;

function isQuery(node: Node): node is Query {
  return ["SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"].some((kind) => kind in node);
}

/** Puts the rules on a statement that reads or writes rows. */
function rewriteQuery(judgement: Judgement, node: Query): { discardRows: boolean; ruled: boolean } {
  const survey = surveyStatement(judgement, node);
  judgeRowSecurity(judgement, survey);
  const conditions = conditionsOf(judgement, survey);
  const statement = Object.values(node)[0] as unknown;
  shortenQualifiedColumns(judgement, survey);
  let discardRows = false;
  // Writes first: what they say of their own columns is told by the tree as the client wrote it.
  for (const write of survey.writes) {
    const added = rewriteWrite(judgement, write, conditions, survey);
    if (write.statement === statement) discardRows = added;
  }
  addDependentColumns(judgement, survey);
  for (const read of survey.reads) rewriteRead(judgement, read, conditions, survey);
  placeGuards(judgement, conditions.guarded);
  const ruled = isRuled(survey);
  judgement.unsettled ||= ruled && [...survey.reads, ...survey.writes].some(willBeKnown);
  judgement.hides ||= ruled;
  judgement.quotable = quotableOf(survey);
  addHints(judgement.hints, survey);
  return { discardRows, ruled: hidesRows(survey) };
}

/** Its columns are not known, and a fresher catalog will have them: conditions beside it might be safe. */
function willBeKnown({ relation }: { readonly relation: Relation }): boolean {
  return relation.columnsUnknown === true && !isTemporary(relation);
}

/** True if rows are hidden from the role, so that counts and estimates would tell of them. */
function hidesRows({ reads, writes }: Survey): boolean {
  return (
    reads.some(({ grant }) => grant?.select?.rows !== undefined) ||
    writes.some(
      ({ grant, kind }) =>
        grant.select === undefined ||
        grant.select.rows !== undefined ||
        (kind === "merge" && (grant.update?.rows ?? grant.delete?.rows) !== undefined) ||
        (kind !== "insert" && kind !== "merge" && grant[kind]?.rows !== undefined),
    )
  );
}

/** True if the role sees some relation of the statement only in part. */
function isRuled(survey: Survey): boolean {
  const hidesColumns = [...survey.reads, ...survey.writes].some(
    ({ grant }) => grant?.select !== undefined && !seesColumns(grant.select),
  );
  return hidesColumns || hidesRows(survey);
}

function judgeParameter(judgement: Judgement, node: Node): void {
  const survey = surveyStatement(judgement, node);
  if (survey.reads.length > 0 || survey.writes.length > 0)
    unsupported("a sub-select as a parameter of EXECUTE");
  judgeGivenValue(judgement, survey, node);
}
