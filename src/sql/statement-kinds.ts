import type { Node } from "@pgsql/types";
import { refusedKind } from "./refused-kinds.ts";

/**
 * Every kind of statement of the server's grammar that is judged, with the name that the record gives it. A kind
 * that is not here is refused (refused-kinds.ts).
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
  ListenStmt: "LISTEN",
  NotifyStmt: "NOTIFY",
  UnlistenStmt: "UNLISTEN",
  LockStmt: "LOCK TABLE",
  CreateStmt: "CREATE TABLE",
  CreateTableAsStmt: "CREATE TABLE AS",
  ViewStmt: "CREATE VIEW",
  IndexStmt: "CREATE INDEX",
  CreateSeqStmt: "CREATE SEQUENCE",
  CreateEnumStmt: "CREATE TYPE",
  CreateSchemaStmt: "CREATE SCHEMA",
  AlterTableStmt: "ALTER TABLE",
  AlterSeqStmt: "ALTER SEQUENCE",
  AlterEnumStmt: "ALTER TYPE",
  RenameStmt: "ALTER … RENAME",
  AlterObjectSchemaStmt: "ALTER … SET SCHEMA",
  RefreshMatViewStmt: "REFRESH MATERIALIZED VIEW",
  DropStmt: "DROP",
  TruncateStmt: "TRUNCATE",
  CommentStmt: "COMMENT",
  VacuumStmt: "VACUUM",
  ReindexStmt: "REINDEX",
} as const;

type JudgedKind = keyof typeof judgedKinds;

/** The transaction statements by the grammar's kind. */
const transactionKinds: Readonly<Record<string, string>> = {
  TRANS_STMT_BEGIN: "BEGIN",
  TRANS_STMT_START: "START TRANSACTION",
  TRANS_STMT_COMMIT: "COMMIT",
  TRANS_STMT_ROLLBACK: "ROLLBACK",
  TRANS_STMT_SAVEPOINT: "SAVEPOINT",
  TRANS_STMT_RELEASE: "RELEASE",
  TRANS_STMT_ROLLBACK_TO: "ROLLBACK TO",
  TRANS_STMT_PREPARE: "PREPARE TRANSACTION",
  TRANS_STMT_COMMIT_PREPARED: "COMMIT PREPARED",
  TRANS_STMT_ROLLBACK_PREPARED: "ROLLBACK PREPARED",
};

/** Kinds of objects (`OBJECT_MATVIEW`) of which DROP, ALTER, RENAME and COMMENT are judged, in words. */
const objectKinds: Readonly<Record<string, string>> = {
  OBJECT_TABLE: "TABLE",
  OBJECT_VIEW: "VIEW",
  OBJECT_MATVIEW: "MATERIALIZED VIEW",
  OBJECT_INDEX: "INDEX",
  OBJECT_SEQUENCE: "SEQUENCE",
  OBJECT_TYPE: "TYPE",
  OBJECT_SCHEMA: "SCHEMA",
  OBJECT_COLUMN: "COLUMN",
  OBJECT_TABCONSTRAINT: "CONSTRAINT",
};

const relations: readonly string[] = [
  "OBJECT_TABLE",
  "OBJECT_VIEW",
  "OBJECT_MATVIEW",
  "OBJECT_INDEX",
  "OBJECT_SEQUENCE",
];

/** The kinds of objects that each statement about objects of any kind is judged for. */
const judgedObjects: Readonly<Record<string, readonly string[]>> = {
  AlterTableStmt: relations,
  AlterObjectSchemaStmt: relations,
  RenameStmt: [...relations, "OBJECT_TYPE", "OBJECT_TABCONSTRAINT"],
  DropStmt: [...relations, "OBJECT_TYPE", "OBJECT_SCHEMA"],
  CommentStmt: Object.keys(objectKinds),
};

/** What a statement about objects of any kind says which kind. */
type ObjectFields = {
  readonly objtype?: string;
  readonly objectType?: string;
  readonly renameType?: string;
  readonly relationType?: string;
  readonly removeType?: string;
};

/** A statement's node, taken apart: its kind, whether it is judged at all, and the name that the record uses. */
export function statementKind(statement: Node): { node: string; judged: boolean; name: string } {
  const node = Object.keys(statement)[0]!;
  if (!Object.hasOwn(judgedKinds, node))
    return { node, judged: false, name: refusedKind(node, inWords(node)).name };
  if ("TransactionStmt" in statement) {
    const name = transactionKinds[statement.TransactionStmt.kind ?? ""];
    return { node, judged: name !== undefined, name: name ?? "TRANSACTION" };
  }
  if ("CopyStmt" in statement)
    return { node, judged: true, name: statement.CopyStmt.is_from ? "COPY FROM" : "COPY TO" };
  if ("VacuumStmt" in statement)
    return { node, judged: true, name: statement.VacuumStmt.is_vacuumcmd === true ? "VACUUM" : "ANALYZE" };
  if ("CreateTableAsStmt" in statement && statement.CreateTableAsStmt.objtype === "OBJECT_MATVIEW")
    return { node, judged: true, name: "CREATE MATERIALIZED VIEW" };
  if (Object.hasOwn(judgedObjects, node)) return objectStatement(node, statement);
  return { node, judged: true, name: judgedKinds[node as JudgedKind] };
}

const verbs: Readonly<Record<string, string>> = {
  AlterTableStmt: "ALTER",
  AlterObjectSchemaStmt: "ALTER",
  RenameStmt: "ALTER",
  DropStmt: "DROP",
  CommentStmt: "COMMENT ON",
};

/** `DROP TABLE`, `ALTER MATERIALIZED VIEW`, `COMMENT ON COLUMN`, and `DROP FUNCTION`, which is not judged. */
function objectStatement(node: string, statement: Node): ReturnType<typeof statementKind> {
  const fields = Object.values(statement)[0] as ObjectFields;
  const { renameType, relationType } = fields;
  // A column is renamed by ALTER of its table.
  const object =
    (renameType === "OBJECT_COLUMN" ? relationType : renameType) ??
    fields.objtype ??
    fields.objectType ??
    fields.removeType ??
    "";
  const judged =
    judgedObjects[node]!.includes(object) && !(renameType === "OBJECT_COLUMN" && isOther(object));
  const constraint = object === "OBJECT_TABCONSTRAINT" && node === "RenameStmt" ? "TABLE" : undefined;
  const words = constraint ?? objectKinds[object] ?? inWords(object.replace(/^OBJECT_/, ""));
  return { node, judged, name: `${verbs[node]!} ${words}` };
}

/** A type's attribute is no column of a relation. */
function isOther(object: string): boolean {
  return !relations.includes(object);
}

/** `AlterTableStmt` → `ALTER TABLE`: near enough to the statement's own words for a refusal and the record. */
function inWords(node: string): string {
  return node
    .replace(/Stmt$/, "")
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ")
    .replaceAll("_", " ")
    .toUpperCase();
}
