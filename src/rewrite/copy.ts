import type { CopyStmt, RangeVar } from "@pgsql/types";
import { relationKey, type Relation } from "../catalog/catalog.ts";
import { refuse } from "../errors.ts";
import { quoteIdentifier } from "../sql/names.ts";
import { wholeCatalogTable } from "./blanked-catalogs.ts";
import { raisingCondition } from "./checks.ts";
import { nameParts } from "./dotted-name.ts";
import { surroundCondition } from "./guard.ts";
import { edit, unsupported, type Judgement } from "./judgement.ts";
import { visibleOf } from "./quotable.ts";
import { qualify } from "./reads.ts";
import { resolveUse } from "./relations.ts";
import { closingIndex, endBefore, indexAfterName } from "./source.ts";
import { surveyStatement } from "./survey.ts";
import { rulesOf, seesAll, virtualTable, visibleColumns } from "./virtual-table.ts";

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
  const table = virtualTable(relation, grant.select, { barrier: false, only: false, conditions: [] });
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
  const { source, context } = judgement;
  const { columns } = insert;
  const given =
    copy.attlist === undefined ? relation.columns.map(({ name }) => name) : nameParts(copy.attlist);
  judgement.quotable = {
    raises: judgement.hides,
    given: new Map([[relationKey(relation.schema, relation.name), visibleOf(grant!, given)]]),
  };
  if (columns !== "all") {
    const hint = `Name the columns: (${[...columns].join(", ")}).`;
    if (copy.attlist === undefined)
      refuse("column_not_allowed", `COPY into ${relation.name} needs a column list`, {
        detail: `Role "${context.grants.role}" may not insert into every column of it (${grant!.rule}).`,
        hint,
      });
    for (const name of nameParts(copy.attlist))
      if (!columns.has(name))
        refuse(
          "column_not_allowed",
          `permission denied to insert into column "${name}" of ${relation.schema}.${relation.name}`,
          {
            detail: `Role "${context.grants.role}" has no insert rule for this column (${grant!.rule}).`,
            hint,
          },
        );
  }
  // A condition of the client's own looks at the rows that it sends, before anything is stored.
  if (copy.whereClause !== undefined) surveyCondition(judgement, copy);
  qualify(judgement, rangeVar, relation.schema);
  if (insert.check === undefined) return;
  judgement.rules.add(insert.check.rule);
  const check = raisingCondition(relation, [insert.check], undefined);
  surroundCondition(judgement, copy, indexAfterName(source, rangeVar.location ?? 0), {
    alone: check,
    prefix: "CASE WHEN (",
    suffix: `) THEN ${check} ELSE false END`,
  });
}

function surveyCondition(judgement: Judgement, copy: CopyStmt): void {
  const survey = surveyStatement(judgement, copy.whereClause!);
  if (survey.reads.length > 0 || survey.writes.length > 0) unsupported("a sub-select in COPY … WHERE");
}
