import type { ColumnDef, CreateStmt, Node, TableLikeClause } from "@pgsql/types";
import { judgeStatementParts } from "./definition-parts.ts";
import { allowsDefinition } from "./definition-rights.ts";
import { created, existing, qualifyName, writtenRelation, type Target } from "./definition-targets.ts";
import { defines } from "./define-effect.ts";
import { nameParts } from "../text/dotted-name.ts";
import { unsupported, type Judgement } from "../judgement.ts";
import { denied, resolveUse } from "../relations.ts";
import { judgeOptions, judgeStorage } from "./storage-options.ts";
import { judgeConstraint } from "./table-constraints.ts";
import { judgeTemporaryName, sequenceName } from "./temporary-names.ts";
import type { Effect } from "../verdict.ts";
import { seesColumns } from "../reading/virtual-table.ts";

/** CREATE TABLE with its columns and constraints, as a partition, or like another table. */
export function judgeCreateTable(judgement: Judgement, statement: CreateStmt): Effect {
  const { relation, tableElts = [], inhRelations = [], ofTypename, partspec } = statement;
  judgeStorage({ tablespace: statement.tablespacename, accessMethod: statement.accessMethod });
  if (ofTypename !== undefined) unsupported("CREATE TABLE OF a type");
  const kind = partspec === undefined ? "table" : "partitioned table";
  const table = created(judgement, writtenRelation(relation), kind, relation?.relpersistence);
  const judged = new Set<object>([relation!]);
  // What is put into a child is seen in its parent, by everybody who may read that.
  for (const parent of inhRelations) {
    if (!("RangeVar" in parent)) return unsupported("this INHERITS clause");
    existing(judgement, writtenRelation(parent.RangeVar), "alter", { observes: true });
    judged.add(parent.RangeVar);
  }
  judgeOptions(statement.options, "relation", judged);
  for (const element of tableElts) judgeElement(judgement, element, table, judged);
  judgeStatementParts(judgement, { CreateStmt: statement }, judged);
  return defines(table, kind, { untilCommit: statement.oncommit === "ONCOMMIT_DROP" });
}

function judgeElement(judgement: Judgement, element: Node, table: Target, judged: Set<object>): void {
  if ("ColumnDef" in element) judgeColumn(judgement, element.ColumnDef, table, judged);
  else if ("Constraint" in element) judgeConstraint(judgement, element.Constraint, table, judged);
  else if ("TableLikeClause" in element) judgeLike(judgement, element.TableLikeClause, table, judged);
  else unsupported("this part of a table");
}

const serials: ReadonlySet<string> = new Set([
  "smallserial",
  "serial2",
  "serial",
  "serial4",
  "bigserial",
  "serial8",
]);

/** A column's own parts; types and expressions are judged with the rest of the statement. */
export function judgeColumn(
  judgement: Judgement,
  column: ColumnDef,
  table: Target,
  judged: Set<object>,
): void {
  if (column.fdwoptions !== undefined) unsupported("OPTIONS of a column");
  let numbered = serials.has(nameParts(column.typeName?.names).at(-1) ?? "");
  for (const constraint of column.constraints ?? []) {
    if (!("Constraint" in constraint)) continue;
    judgeConstraint(judgement, constraint.Constraint, table, judged);
    numbered ||= constraint.Constraint.contype === "CONSTR_IDENTITY";
  }
  // The sequence of a temporary table's column is a temporary relation too, and can be read.
  if (numbered && table.temporary)
    judgeTemporaryName(judgement, sequenceName(table.name, column.colname ?? ""));
}

/** INCLUDING COMMENTS, COMPRESSION and STORAGE (parsenodes.h): they take no expression along. */
const harmless = 1 | 2 | 256;

/**
 * `LIKE t`: its columns' names and types, so the role has to see all of them. Defaults, checks, generated columns and
 * indexes hold expressions that run whenever somebody inserts: it takes a role that may do that anyway, or may define it.
 */
function judgeLike(judgement: Judgement, like: TableLikeClause, table: Target, judged: Set<object>): void {
  const written = writtenRelation(like.relation);
  const { relation, grant } = resolveUse(judgement, like.relation ?? {}, "select");
  if (grant?.select === undefined) unsupported("LIKE a catalog");
  const runs = ((like.options ?? 0) & ~harmless) !== 0;
  const defined =
    allowsDefinition(judgement, relation, "create") ?? allowsDefinition(judgement, relation, "alter");
  if (runs && grant.insert?.columns !== "all" && defined === undefined)
    denied(judgement.context.grants, `${relation.schema}.${relation.name}`, "insert");
  if (!seesColumns(grant.select))
    unsupported("LIKE a relation of which the role does not see every column", "Name the columns.");
  // An identity column is copied with a sequence of its own.
  for (const { name, filled } of runs && table.temporary ? relation.columns : [])
    if (filled) judgeTemporaryName(judgement, sequenceName(table.name, name));
  judgement.rules.add(grant.rule);
  qualifyName(judgement, written, relation.schema);
  judged.add(like.relation!);
}
