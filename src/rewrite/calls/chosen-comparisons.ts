import type { Node } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import type { Opened } from "../../sql/walk.ts";
import type { Choice, Part } from "./chosen-calls.ts";
import { lastName } from "../text/dotted-name.ts";
import { distrust, joinedTypes } from "./operators.ts";

/** Fields of nodes whose values the server may compare, sort or group by the default operator classes of their types. */
const compared: Readonly<Record<string, readonly string[]>> = {
  A_Expr: ["lexpr", "rexpr"],
  CaseExpr: ["arg", "args"],
  // Aggregates and the functions of arrays, rows and ranges compare what they are given.
  FuncCall: ["args", "agg_order"],
  GroupingSet: ["content"],
  MinMaxExpr: ["args"],
  SortBy: ["node"],
  SubLink: ["testexpr", "subselect"],
  WindowDef: ["partitionClause", "orderClause"],
};

/**
 * Sorting, grouping and comparing values of a type calls what its default operator class says.
 * @throws RolegateError function_not_allowed
 */
export function judgeComparisons(
  { judgement, denied, arising }: Choice,
  node: Opened,
  parts: readonly Part[],
): void {
  if (denied.compares.size === 0) return;
  const { kind, fields } = node;
  const joined = kind === "JoinExpr" && (fields["isNatural"] === true || fields["usingClause"] !== undefined);
  const of = kind === "SelectStmt" ? comparedBySelect(node) : (compared[kind] ?? []);
  if (of.length === 0 && !joined) return;
  // Of the operators that take what holds such values, the one that puts arrays together compares nothing.
  if (kind === "A_Expr" && lastName(fields["name"] as Node[]) === "||") return;
  distrust(judgement, [...denied.compares.keys()]);
  const types = joined
    ? [...joinedTypes(arising, node)]
    : parts.filter(({ child }) => of.includes(child.field)).flatMap((part) => [...part.types]);
  for (const type of types) {
    const called = denied.compares.get(type);
    if (called === undefined) continue;
    const { file } = judgement.context.grants;
    refuse("function_not_allowed", `permission denied for comparing values of type ${type}`, {
      detail: `It calls ${called.schema}.${called.name}, which ${file} does not allow by name.`,
      hint: `The function or the type can be allowed under functions.allow in ${file}.`,
    });
  }
}

/** DISTINCT and set operations compare the columns that are selected, and so does a clause that tells them by number. */
function comparedBySelect({ fields }: Opened): readonly string[] {
  const { distinctClause, op } = fields;
  const clauses = [distinctClause, fields["groupClause"], fields["sortClause"]];
  const numbered = clauses.some((clause) => ((clause as Node[] | undefined) ?? []).some(isNumber));
  const output = distinctClause !== undefined || numbered ? ["targetList", "distinctClause"] : [];
  return ["groupClause", ...output, ...(op === "SETOP_NONE" && !numbered ? [] : ["larg", "rarg"])];
}

function isNumber(node: Node): boolean {
  if ("SortBy" in node) return node.SortBy.node !== undefined && isNumber(node.SortBy.node);
  if ("GroupingSet" in node) return (node.GroupingSet.content ?? []).some(isNumber);
  return "A_Const" in node || ("RowExpr" in node && (node.RowExpr.args ?? []).some(isNumber));
}
