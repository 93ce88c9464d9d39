import type { Node } from "@pgsql/types";

/**
 * Every kind of statement of the server's grammar that is judged, with the name that the record gives it. A kind
 * that is not here is refused; `refusedKinds` only gives some of those a better name than that of their node.
 */
export const judgedKinds = {
  SelectStmt: "SELECT",
  InsertStmt: "INSERT",
  UpdateStmt: "UPDATE",
  DeleteStmt: "DELETE",
  MergeStmt: "MERGE",
  CopyStmt: "COPY",
  ExplainStmt: "EXPLAIN",
  PrepareStmt: "PREPARE",
  ExecuteStmt: "EXECUTE",
  DeallocateStmt: "DEALLOCATE",
  DeclareCursorStmt: "DECLARE",
  FetchStmt: "FETCH",
  ClosePortalStmt: "CLOSE",
  TransactionStmt: "TRANSACTION",
  ConstraintsSetStmt: "SET CONSTRAINTS",
  VariableSetStmt: "SET",
  VariableShowStmt: "SHOW",
  DiscardStmt: "DISCARD",
  UnlistenStmt: "UNLISTEN",
} as const;

type JudgedKind = keyof typeof judgedKinds;

const refusedKinds: Readonly<Record<string, string>> = {
  CallStmt: "CALL",
  DoStmt: "DO",
  ListenStmt: "LISTEN",
  NotifyStmt: "NOTIFY",
  LockStmt: "LOCK TABLE",
  TruncateStmt: "TRUNCATE",
  VacuumStmt: "VACUUM",
  CheckPointStmt: "CHECKPOINT",
  LoadStmt: "LOAD",
  GrantStmt: "GRANT",
  GrantRoleStmt: "GRANT ROLE",
  CommentStmt: "COMMENT",
  SecLabelStmt: "SECURITY LABEL",
  ReindexStmt: "REINDEX",
  ClusterStmt: "CLUSTER",
  DropStmt: "DROP",
  RenameStmt: "ALTER … RENAME",
  ViewStmt: "CREATE VIEW",
  RuleStmt: "CREATE RULE",
  IndexStmt: "CREATE INDEX",
  CreateStmt: "CREATE TABLE",
  CreateTableAsStmt: "CREATE TABLE AS",
  CreateTrigStmt: "CREATE TRIGGER",
  RefreshMatViewStmt: "REFRESH MATERIALIZED VIEW",
  ImportForeignSchemaStmt: "IMPORT FOREIGN SCHEMA",
  AlterSystemStmt: "ALTER SYSTEM",
};

/** The transaction statements by the grammar's kind; two-phase commit is left out, so it is refused. */
const transactionKinds: Readonly<Record<string, string>> = {
  TRANS_STMT_BEGIN: "BEGIN",
  TRANS_STMT_START: "START TRANSACTION",
  TRANS_STMT_COMMIT: "COMMIT",
  TRANS_STMT_ROLLBACK: "ROLLBACK",
  TRANS_STMT_SAVEPOINT: "SAVEPOINT",
  TRANS_STMT_RELEASE: "RELEASE",
  TRANS_STMT_ROLLBACK_TO: "ROLLBACK TO",
};

/** A statement's node, taken apart: its kind, whether it is judged at all, and the name that the record uses. */
export function statementKind(statement: Node): { node: string; judged: boolean; name: string } {
  const node = Object.keys(statement)[0]!;
  if (!Object.hasOwn(judgedKinds, node)) return { node, judged: false, name: refusedName(node) };
  if ("TransactionStmt" in statement) {
    const name = transactionKinds[statement.TransactionStmt.kind ?? ""];
    return { node, judged: name !== undefined, name: name ?? "PREPARE TRANSACTION" };
  }
  if ("CopyStmt" in statement)
    return { node, judged: true, name: statement.CopyStmt.is_from ? "COPY FROM" : "COPY TO" };
  return { node, judged: true, name: judgedKinds[node as JudgedKind] };
}

/** `AlterTableStmt` → `ALTER TABLE`: near enough to the statement's own words for a refusal and the record. */
function refusedName(node: string): string {
  return (
    refusedKinds[node] ??
    node
      .replace(/Stmt$/, "")
      .replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ")
      .toUpperCase()
  );
}
