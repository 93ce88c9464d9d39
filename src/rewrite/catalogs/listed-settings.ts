import type { FuncCall, Node, SelectStmt } from "@pgsql/types";
import { nameParts } from "../text/dotted-name.ts";

const listed = new WeakSet<FuncCall>();

/**
 * Looks for `current_setting(s.name)` in the list of a SELECT whose FROM has `pg_settings s`, as psql's \dconfig sends it: the
 * name is one of those that the view shows. Of applications it shows none.
 */
export function placeSettingReads(select: SelectStmt): void {
  const views = new Map<string, number>();
  const settings = new Set<string>();
  const named = (name: string): void => void views.set(name, (views.get(name) ?? 0) + 1);
  const visit = (node: Node | undefined): void => {
    if (node === undefined) return;
    if ("JoinExpr" in node) {
      // Behind an alias of its own a join's tables have other names.
      if (node.JoinExpr.alias !== undefined) named("");
      visit(node.JoinExpr.larg);
      visit(node.JoinExpr.rarg);
    } else if ("RangeVar" in node) {
      const { schemaname = "pg_catalog", relname = "", alias } = node.RangeVar;
      const name = alias?.aliasname ?? relname;
      named(name);
      const plain = alias?.colnames === undefined;
      if (schemaname === "pg_catalog" && relname === "pg_settings" && plain) settings.add(name);
    } else named("");
  };
  for (const item of select.fromClause ?? []) visit(item);
  // A name in WITH could stand for the view.
  if (views.has("") || select.withClause !== undefined || select.op !== "SETOP_NONE") return;
  for (const target of select.targetList ?? []) {
    const value = "ResTarget" in target ? target.ResTarget.val : undefined;
    if (value === undefined || !("FuncCall" in value)) continue;
    const argument = value.FuncCall.args?.[0];
    if (argument === undefined || !("ColumnRef" in argument)) continue;
    const fields = argument.ColumnRef.fields ?? [];
    if (fields.length !== 2 || !fields.every((field) => "String" in field)) continue;
    const [view = "", column] = nameParts(fields);
    if (column === "name" && settings.has(view) && views.get(view) === 1) listed.add(value.FuncCall);
  }
}

export function readsListedSetting(call: FuncCall): boolean {
  return listed.has(call);
}
