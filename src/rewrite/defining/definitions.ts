import type { Node } from "@pgsql/types";
import { mostLocal, sizeOfLocal } from "../../catalog/local-objects.ts";
import { refuse } from "../../errors.ts";
import { walk } from "../../sql/walk.ts";
import { judgeAlterTable } from "./alter-table.ts";
import { judgeComment } from "./comment-on.ts";
import { judgeCreateIndex } from "./create-index.ts";
import { judgeCreateSchema } from "./create-schema.ts";
import { judgeCreateTable } from "./create-table.ts";
import { isSelectInto, judgeCreateTableAs, judgeRefresh, judgeSelectInto } from "./create-table-as.ts";
import { judgeCreateView, type RewriteQuery } from "./create-view.ts";
import { judgeDrop } from "./drop.ts";
import { judgeAlterEnum, judgeCreateEnum } from "../calls/enums.ts";
import type { Judgement } from "../judgement.ts";
import { judgeLockTable } from "./lock-table.ts";
import { judgeRename, judgeSetSchema } from "./rename.ts";
import { judgeAlterSequence, judgeCreateSequence } from "../calls/sequences.ts";
import { judgeTruncate } from "./truncate.ts";
import { judgeReindex, judgeVacuum } from "./upkeep.ts";
import type { Effect } from "../verdict.ts";
import { withoutSetConfig } from "../session/set-config.ts";

const none: Effect = { kind: "none" };

/**
 * Judges a statement that defines, empties or locks something: by the entries of `definitions`, and as to everything
 * that stands in it. What it names is sent with its schema.
 * @param start byte offset of the statement.
 * @returns what it does to the session; undefined: it is no such statement
 */
export function judgeDefinition(
  judgement: Judgement,
  node: Node,
  start: number,
  rewriteQuery: RewriteQuery,
): Effect | undefined {
  const judge = definition(judgement, node, start, rewriteQuery);
  if (judge === undefined) return undefined;
  // What the table of nodes does not know is refused, wherever it stands.
  walk(node, () => true);
  if (sizeOfLocal(judgement.local) > mostLocal)
    refuse("statement_too_complex", `more than ${mostLocal} definitions in one transaction`);
  return withoutSetConfig(judgement, judge);
}

function definition(
  judgement: Judgement,
  node: Node,
  start: number,
  rewriteQuery: RewriteQuery,
): (() => Effect) | undefined {
  if (isSelectInto(node)) return () => judgeSelectInto(judgement, node.SelectStmt, rewriteQuery);
  if ("CreateStmt" in node) return () => judgeCreateTable(judgement, node.CreateStmt);
  if ("CreateTableAsStmt" in node)
    return () => judgeCreateTableAs(judgement, node.CreateTableAsStmt, rewriteQuery);
  if ("ViewStmt" in node) return () => judgeCreateView(judgement, node.ViewStmt, rewriteQuery);
  if ("RefreshMatViewStmt" in node) return () => judgeRefresh(judgement, node.RefreshMatViewStmt);
  if ("IndexStmt" in node) return () => judgeCreateIndex(judgement, node.IndexStmt);
  if ("CreateSeqStmt" in node) return () => judgeCreateSequence(judgement, node.CreateSeqStmt);
  if ("AlterSeqStmt" in node) return () => judgeAlterSequence(judgement, node.AlterSeqStmt);
  if ("CreateEnumStmt" in node) return () => judgeCreateEnum(judgement, node.CreateEnumStmt, start);
  if ("AlterEnumStmt" in node) return () => judgeAlterEnum(judgement, node.AlterEnumStmt, start);
  if ("CreateSchemaStmt" in node) return () => judgeCreateSchema(judgement, node.CreateSchemaStmt);
  if ("AlterTableStmt" in node) return () => judgeAlterTable(judgement, node.AlterTableStmt);
  if ("RenameStmt" in node) return () => judgeRename(judgement, node.RenameStmt, start);
  if ("AlterObjectSchemaStmt" in node) return () => judgeSetSchema(judgement, node.AlterObjectSchemaStmt);
  if ("DropStmt" in node) return () => judgeDrop(judgement, node.DropStmt, start);
  if ("TruncateStmt" in node) return withoutEffect(() => judgeTruncate(judgement, node.TruncateStmt));
  if ("CommentStmt" in node) return withoutEffect(() => judgeComment(judgement, node.CommentStmt, start));
  if ("VacuumStmt" in node) return withoutEffect(() => judgeVacuum(judgement, node.VacuumStmt));
  if ("ReindexStmt" in node) return withoutEffect(() => judgeReindex(judgement, node.ReindexStmt));
  if ("LockStmt" in node) return withoutEffect(() => judgeLockTable(judgement, node.LockStmt));
  return undefined;
}

function withoutEffect(judge: () => void): () => Effect {
  return () => {
    judge();
    return none;
  };
}
