import type { Alias, Node } from "@pgsql/types";

/** True if every column that the query gives is a plain column of what it reads, or a constant. */
export function givesPlainColumns(query: Node): boolean {
  if (!("SelectStmt" in query)) return false;
  const select = query.SelectStmt;
  // A set operation's column stands for one column of each branch, under the name of the first.
  return (
    select.larg === undefined &&
    select.valuesLists === undefined &&
    (select.targetList ?? []).every((target) => {
      if (!("ResTarget" in target) || target.ResTarget.val === undefined) return false;
      // A new name could stand for a column of another type.
      return "ColumnRef" in target.ResTarget.val && target.ResTarget.name === undefined;
    })
  );
}

/** `t(a, b)`: columns under names that are not their own. */
export function hasColumnNames(alias: Alias | undefined): boolean {
  return (alias?.colnames?.length ?? 0) > 0;
}
