import type { CopyStmt, RangeVar } from "@pgsql/types";
import { relationKey, type Relation } from "../../catalog/catalog.ts";
import { refuse } from "../../errors.ts";
import type { BoundExpression, TableGrant } from "../../policy/grants.ts";
import { quoteIdentifier } from "../../sql/names.ts";
import { wholeCatalogTable } from "../catalogs/blanked-catalogs.ts";
import { raisingCondition } from "./checks.ts";
import { nameParts } from "../text/dotted-name.ts";
import { surroundCondition } from "../text/guard.ts";
import { edit, unsupported, type Judgement } from "../judgement.ts";
import { visibleOf } from "../quotable.ts";
import { qualify } from "../reading/reads.ts";
import { resolveUse } from "../relations.ts";
import { judgeFiltered } from "../session/row-security.ts";
import { mayChange } from "./row-rules.ts";
import { closingIndex, endBefore, indexAfterName } from "../text/source.ts";
import { surveyStatement } from "../survey.ts";
import { judgeTargetColumns } from "./target-columns.ts";
import { rulesOf, seesAll, virtualTable, visibleColumns } from "../reading/virtual-table.ts";
import { writeTarget } from "./write-target.ts";
import { judgeMissingList, judgeWrittenColumns } from "./written-columns.ts";

/** COPY of a relation; `COPY (query) TO` is judged as the query that it holds. */
export function rewriteCopy(judgement: Judgement, copy: CopyStmt): void {
  if (copy.is_program === true) forbidden("COPY … PROGRAM", "It runs a program on the database's machine.");
  if (copy.filename !== undefined)
    forbidden("COPY with a file", "It reads or writes a file on the database's machine.");
  if (copy.is_from === true) copyFrom(judgement, copy);
  else copyTo(judgement, copy);
}

function forbidden(what: string, detail: string): never {
  refuse("statement_not_allowed", `${what} is not allowed`, {
    detail,
    hint: "Use COPY … TO STDOUT or FROM STDIN, or psql's \\copy.",
  });
}

function copyTo(judgement: Judgement, copy: CopyStmt): void {
  const rangeVar = copy.relation ?? refuse("internal", "COPY TO without a relation");
  const { relation, grant } = resolveUse(judgement, rangeVar, "select");
  if (grant?.select === undefined) return copyCatalog(judgement, copy, rangeVar, relation);
  judgeFiltered(judgement, relation, grant);
  for (const rule of rulesOf(grant, grant.select)) judgement.rules.add(rule);
  if (seesAll(grant.select)) return qualify(judgement, rangeVar, relation.schema);

  judgement.hides = true;
  const visible = visibleColumns(relation, grant.select).map((column) => column.name);
  const listed = copy.attlist === undefined ? visible : nameParts(copy.attlist);
  for (const name of listed)
    if (!visible.includes(name))
      refuse("column_unknown", `column "${name}" of relation "${relation.name}" does not exist`, {
        detail: `The role sees no such column (${grant.rule}).`,
        hint: `It sees: ${visible.join(", ")}.`,
      });
  // The client's conditions are none here, so the rule alone chooses the rows.
  const table = virtualTable(relation, grant.select, {
    barrier: undefined,
    only: false,
    conditions: [],
  });
  return copyQuery(judgement, copy, rangeVar, relation, listed, table);
}

function copyCatalog(judgement: Judgement, copy: CopyStmt, rangeVar: RangeVar, relation: Relation): void {
  const table = wholeCatalogTable(judgement, relation);
  if (table === undefined) return qualify(judgement, rangeVar, relation.schema);
  const listed =
    copy.attlist === undefined ? relation.columns.map(({ name }) => name) : nameParts(copy.attlist);
  return copyQuery(judgement, copy, rangeVar, relation, listed, table);
}

/** Puts a query over a sub-select in the place of the relation and its columns. */
function copyQuery(
  judgement: Judgement,
  copy: CopyStmt,
  rangeVar: RangeVar,
  relation: Relation,
  listed: readonly string[],
  table: string,
): void {
  const { source, context } = judgement;
  const at = rangeVar.location ?? 0;
  const after = indexAfterName(source, at);
  const end =
    copy.attlist === undefined ? endBefore(source, after) : source.tokens[closingIndex(source, after)]!.end;
  const text = `SELECT ${listed.map(quoteIdentifier).join(", ")} FROM ${table} AS ${quoteIdentifier(relation.name)}`;
  edit(judgement, at, end, `(${text})`);
  const parsed = context.parser.parse(text);
  if (parsed.kind !== "parsed") refuse("internal", "a rewritten COPY does not parse");
  copy.query = parsed.statements[0]!.stmt!;
  delete copy.relation;
  delete copy.attlist;
}

function copyFrom(judgement: Judgement, copy: CopyStmt): void {
  const rangeVar = copy.relation ?? refuse("internal", "COPY FROM without a relation");
  const { relation, grant } = resolveUse(judgement, rangeVar, "insert");
  const insert = grant?.insert ?? refuse("internal", "a write to a relation without a rule");
  judgement.rules.add(grant!.rule);
  judgement.hides = grant?.select === undefined || !seesAll(grant.select);
  const { source } = judgement;
  const given =
    copy.attlist === undefined ? relation.columns.map(({ name }) => name) : nameParts(copy.attlist);
  judgement.quotable = {
    raises: judgement.hides,
    given: new Map([[relationKey(relation.schema, relation.name), visibleOf(grant!, given)]]),
  };
  if (copy.attlist === undefined) judgeMissingList(judgement, { relation, grant: grant! }, "COPY");
  judgeWrittenColumns(judgement, { relation, grant: grant! }, "insert", nameParts(copy.attlist));
  // A condition of the client's own looks at the rows that it sends, before anything is stored.
  if (copy.whereClause !== undefined) judgeCondition(judgement, copy, { relation, grant: grant! }, given);
  qualify(judgement, rangeVar, relation.schema);
  if (insert.check === undefined) return;
  judgement.rules.add(insert.check.rule);
  judgeEarlyCheck(relation, insert.check);
  const check = raisingCondition(relation, [insert.check], undefined);
  surroundCondition(judgement, copy, indexAfterName(source, rangeVar.location ?? 0), {
    alone: check,
    prefix: "CASE WHEN (",
    suffix: `) THEN ${check} ELSE false END`,
  });
}

/**
 * COPY looks at its WHERE before BEFORE triggers have changed the row and generated columns are computed (copyfrom.c),
 * so a check that this could touch says nothing of the row as it is stored.
 */
function judgeEarlyCheck(relation: Relation, check: BoundExpression): void {
  const computed = relation.columns.some(({ name, generated }) => generated && check.columns.includes(name));
  if (!computed && !mayChange(relation, "insert") && !relation.insteadRules.has("insert")) return;
  refuse("statement_not_supported", `COPY into ${relation.schema}.${relation.name} cannot be checked`, {
    detail: `The server changes a row after COPY has looked at it: by a trigger, or by computing a column (${check.rule}).`,
    hint: "Use INSERT.",
  });
}

/** The condition sees the row as it would be stored: of columns that the client does not give, their defaults. */
function judgeCondition(
  judgement: Judgement,
  copy: CopyStmt,
  { relation, grant }: { relation: Relation; grant: TableGrant },
  given: readonly string[],
): void {
  const survey = surveyStatement(judgement, copy.whereClause!);
  if (survey.reads.length > 0 || survey.writes.length > 0) unsupported("a sub-select in COPY … WHERE");
  const target = writeTarget(relation, grant, [relation.name]);
  const own = given.map((name) => [name, undefined] as const);
  const visible = target.visible === undefined ? undefined : new Map([...target.visible, ...own]);
  judgeTargetColumns(judgement, survey, { ...target, visible }, [copy.whereClause], {
    beside: [],
    masked: "refuse",
    rows: false,
  });
}
