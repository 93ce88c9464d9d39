import type { Node, ResTarget } from "@pgsql/types";
import type { BoundExpression } from "../../policy/grants.ts";
import { childNodes } from "../text/child-nodes.ts";
import { raisingCondition } from "./checks.ts";
import type { Write } from "../findings.ts";
import { surrounded } from "../text/guard.ts";
import { unsupported, type Judgement } from "../judgement.ts";
import { commaIndex, endIndex, indexOf, keywordIndex, symbolAt } from "../text/source.ts";
import { rowName, type Target } from "./write-target.ts";

/** `WHERE CURRENT OF cursor`: the grammar lets no other condition stand beside it. */
export function isCurrentOf({ whereClause }: { whereClause?: Node }): boolean {
  return whereClause !== undefined && "CurrentOfExpr" in whereClause;
}

/**
 * UPDATE … WHERE CURRENT OF. The cursor may read a view, and so stand on a row that the table's rules hide: nothing of
 * the client's may run on such a row, and the statement has to fail. What SET computes sees the row as it was, so the
 * rules are put in front of that, and raise before anything is stored.
 * @param rules of the rows that may be changed.
 * @param from index of a token in front of WHERE and at its depth.
 */
export function guardAssignments(
  judgement: Judgement,
  { statement, relation }: Write & { kind: "update" },
  target: Target,
  from: number,
  rules: readonly BoundExpression[],
): void {
  if (rules.length === 0) return;
  const { source } = judgement;
  for (const rule of rules) judgement.rules.add(rule.rule);
  const check = raisingCondition(relation, rules, rowName(target));
  const end = keywordIndex(source, from, statement.fromClause === undefined ? "where" : "from");
  let guarded = 0;
  for (const node of statement.targetList ?? []) {
    const assignment = "ResTarget" in node ? node.ResTarget : unsupported("this SET");
    const { val, name, location = 0 } = assignment;
    if (val === undefined || !isWhole(assignment)) {
      if (childNodes(node).some(readsColumns)) alone();
      continue;
    }
    // A constant takes the column's type by itself where nothing stands around it.
    const column = relation.columns.find((each) => each.name === name);
    const constant = "ParamRef" in val || ("A_Const" in val && (val.A_Const.sval ?? val.A_Const.isnull));
    const [open, close] = constant && column !== undefined ? ["CAST((", `) AS ${column.type})`] : ["(", ")"];
    let equals = indexOf(source, location);
    while (!symbolAt(source, equals, "=")) equals += 1;
    const extent = {
      from: equals + 1,
      to: Math.min(commaIndex(source, equals + 1, end), endIndex(source, from)),
    };
    const guard = { alone: "", prefix: `CASE WHEN ${check} THEN ${open}`, suffix: `${close} END` };
    assignment.val = surrounded(judgement, extent, guard, val);
    guarded += 1;
  }
  if (guarded === 0) alone();
}

/** A value for one column as a whole, whose type does not come from the column alone. */
function isWhole({ val, indirection }: ResTarget): boolean {
  const shapes = ["SetToDefault", "MultiAssignRef", "RowExpr", "A_ArrayExpr"];
  return indirection === undefined && val !== undefined && !shapes.some((shape) => shape in val);
}

function alone(): never {
  return unsupported(
    "WHERE CURRENT OF with DEFAULT, several columns or a part of one set at once",
    "Set one column to a value by itself, or name the row by its key.",
  );
}

function readsColumns(node: Node): boolean {
  return "ColumnRef" in node || childNodes(node).some(readsColumns);
}
