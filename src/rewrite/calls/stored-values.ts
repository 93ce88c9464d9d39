import type { InsertStmt, Node, ResTarget } from "@pgsql/types";
import type { Relation } from "../../catalog/catalog.ts";
import type { Opened } from "../../sql/walk.ts";
import type { Survey } from "../findings.ts";

/** A value that a statement stores in a column; undefined: which one is not told by the text alone. */
export type StoredValue = { readonly type: string; readonly value: Node | undefined };

/** What a statement that writes puts into which columns, defaults left out. */
export function storedValues(survey: Survey, { kind, fields }: Opened): readonly StoredValue[] {
  const write = survey.writes.find(({ statement }) => (statement as unknown) === fields);
  if (write === undefined) return [];
  const { relation } = write;
  if (kind === "InsertStmt") {
    const { onConflictClause } = fields as InsertStmt;
    return [...inserted(relation, fields), ...assigned(relation, onConflictClause?.targetList)];
  }
  if (kind === "UpdateStmt") return assigned(relation, fields["targetList"] as Node[]);
  return relation.columns.map(({ type }) => ({ type, value: undefined }));
}

function assigned(relation: Relation, targets: readonly Node[] | undefined): readonly StoredValue[] {
  return (targets ?? []).flatMap((target) => {
    const { name, val, indirection } = (target as { ResTarget: ResTarget }).ResTarget;
    const column = relation.columns.find((known) => known.name === name);
    // A part of a column is stored as what the part is.
    const plain = indirection === undefined && val !== undefined && !("MultiAssignRef" in val);
    return column === undefined ? [] : [{ type: column.type, value: plain ? val : undefined }];
  });
}

function inserted(relation: Relation, { cols, selectStmt }: InsertStmt): readonly StoredValue[] {
  const names = cols?.map((target) => ("ResTarget" in target ? (target.ResTarget.name ?? "") : ""));
  const columns =
    names?.map((name) => relation.columns.find((known) => known.name === name)) ?? relation.columns;
  const select = selectStmt !== undefined && "SelectStmt" in selectStmt ? selectStmt.SelectStmt : undefined;
  if (select === undefined) return [];
  const rows = (select.valuesLists ?? []).map((row) => ("List" in row ? (row.List.items ?? []) : []));
  return columns.flatMap((column, index): StoredValue[] => {
    if (column === undefined) return [];
    if (select.valuesLists === undefined) return [{ type: column.type, value: undefined }];
    return rows.flatMap((row) =>
      row[index] === undefined ? [] : [{ type: column.type, value: row[index] }],
    );
  });
}
