import type { CreateTableAsStmt, IntoClause, Node, RefreshMatViewStmt, SelectStmt } from "@pgsql/types";
import { judgeStoredQuery, type RewriteQuery } from "./create-view.ts";
import { created, existing, writtenRelation, type Target } from "./definition-targets.ts";
import { changesDatabase, defines } from "./define-effect.ts";
import { unsupported, type Judgement } from "../judgement.ts";
import { judgeOptions, judgeStorage } from "./storage-options.ts";
import type { Effect } from "../verdict.ts";

/**
 * CREATE TABLE AS: the rows are those that the role sees, and stored as they are. CREATE MATERIALIZED VIEW keeps the
 * query, which runs again as the owner, so it is judged as a view.
 */
export function judgeCreateTableAs(
  judgement: Judgement,
  { query, into, objtype }: CreateTableAsStmt,
  rewriteQuery: RewriteQuery,
): Effect {
  if (query === undefined || !("SelectStmt" in query))
    return unsupported("CREATE TABLE AS of this statement", "Write the query itself.");
  if (objtype === "OBJECT_MATVIEW") {
    const view = judgeInto(judgement, into, "materialized view");
    judgeStoredQuery(judgement, query, rewriteQuery, false);
    return defines(view, "materialized view");
  }
  const table = judgeInto(judgement, into, "table");
  rewriteQuery(query);
  return defines(table, "table", { untilCommit: into?.onCommit === "ONCOMMIT_DROP" });
}

/** `SELECT … INTO t`: the same; the clause stands aside while the query is judged. */
export function judgeSelectInto(
  judgement: Judgement,
  select: SelectStmt,
  rewriteQuery: RewriteQuery,
): Effect {
  const { intoClause } = select;
  const table = judgeInto(judgement, intoClause, "table");
  delete select.intoClause;
  rewriteQuery({ SelectStmt: select });
  select.intoClause = intoClause!;
  return defines(table, "table", { untilCommit: intoClause?.onCommit === "ONCOMMIT_DROP" });
}

export function isSelectInto(node: Node): node is { SelectStmt: SelectStmt } {
  return "SelectStmt" in node && node.SelectStmt.intoClause !== undefined;
}

function judgeInto(
  judgement: Judgement,
  into: IntoClause | undefined,
  kind: "table" | "materialized view",
): Target {
  judgeStorage({ tablespace: into?.tableSpaceName, accessMethod: into?.accessMethod });
  judgeOptions(into?.options, "relation");
  return created(judgement, writtenRelation(into?.rel), kind, into?.rel?.relpersistence);
}

/** The view's rows are computed anew, as its owner: a change to it, and nothing that the role could see by that. */
export function judgeRefresh(judgement: Judgement, { relation }: RefreshMatViewStmt): Effect {
  existing(judgement, writtenRelation(relation), "alter");
  return changesDatabase();
}
