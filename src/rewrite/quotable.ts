import type { Node } from "@pgsql/types";
import { relationKey, type Relation } from "../catalog/catalog.ts";
import type { TableGrant } from "../policy/grants.ts";
import type { Survey, Write } from "./findings.ts";
import { seesAll, seesColumns } from "./reading/virtual-table.ts";

/** What the server's messages about a statement may quote although the role does not see all that it touches. */
export type Quotable = {
  /** A rule, or an expression of the database's own, may raise on a value that the role must not see. */
  readonly raises: boolean;
  /** By relationKey: the columns that the role sees and to which the statement itself gives a value. */
  readonly given: ReadonlyMap<string, ReadonlySet<string>>;
};

export const nothingQuotable: Quotable = { raises: false, given: new Map() };

/** Of what goes on with something that another statement began, nothing is known here. */
export const unknownQuotable: Quotable = { raises: true, given: new Map() };

export function quotableOf({ reads, writes }: Survey): Quotable {
  return {
    raises:
      reads.some(({ relation, grant }) => grant !== undefined && readRaises(relation, grant)) ||
      writes.some(writeRaises),
    given: new Map(writes.map((write) => [keyOf(write), givenColumns(write)])),
  };
}

function keyOf({ relation }: Write): string {
  return relationKey(relation.schema, relation.name);
}

/** A virtual column's expression reads what may be hidden, a view's own run before the rule that lies on it, and a foreign table's are another server's business. */
function readRaises({ kind, columns }: Relation, { select }: TableGrant): boolean {
  if (select === undefined || seesAll(select)) return false;
  return (
    columns.some(({ virtual }) => virtual) ||
    kind === "view" ||
    kind === "foreign table" ||
    select.rows?.quotes === true ||
    [...select.mask.values()].some(({ quotes }) => quotes)
  );
}

/** Generated columns, checks and indexes of a hidden column are computed for every row that is written. */
function writeRaises({ grant, relation }: Write): boolean {
  const { select, insert, update, delete: remove } = grant;
  const rules = [insert?.check, update?.check, update?.rows, remove?.rows];
  return (
    select === undefined ||
    !seesColumns(select) ||
    readRaises(relation, grant) ||
    rules.some((rule) => rule?.quotes === true)
  );
}

function givenColumns(write: Write): ReadonlySet<string> {
  return visibleOf(write.grant, namesGiven(write));
}

function namesGiven(write: Write): readonly string[] {
  switch (write.kind) {
    case "insert": {
      const { cols, onConflictClause } = write.statement;
      const listed = cols === undefined ? write.relation.columns.map(({ name }) => name) : targetNames(cols);
      return [...listed, ...targetNames(onConflictClause?.targetList)];
    }
    case "update":
      return targetNames(write.statement.targetList);
    case "merge":
      return (write.statement.mergeWhenClauses ?? []).flatMap((node) =>
        "MergeWhenClause" in node ? targetNames(node.MergeWhenClause.targetList) : [],
      );
    case "delete":
      return [];
    default:
      return write satisfies never;
  }
}

/** Those of the columns that the role sees as they are stored. */
export function visibleOf({ select }: TableGrant, names: readonly string[]): ReadonlySet<string> {
  return new Set(
    names.filter(
      (name) =>
        select !== undefined &&
        (select.columns === "all" || select.columns.has(name)) &&
        !select.mask.has(name),
    ),
  );
}

function targetNames(list: readonly Node[] | undefined): string[] {
  return (list ?? []).flatMap((node) => ("ResTarget" in node ? (node.ResTarget.name ?? []) : []));
}
