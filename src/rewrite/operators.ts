import type { Node } from "@pgsql/types";
import { refuse } from "../errors.ts";
import { nameParts } from "./dotted-name.ts";
import type { Judgement } from "./judgement.ts";

/**
 * Judges an operator by name: the server's own and those of extensions are allowed. An operator that someone made
 * runs a function that nobody allowed by name, and which one a bare name means depends on the types of its operands,
 * so a name that such an operator shares is refused unless it is written `OPERATOR(pg_catalog.…)`.
 * @throws RolegateError operator_not_allowed
 */
function judgeOperator(judgement: Judgement, name: readonly Node[] | undefined): void {
  const parts = nameParts(name);
  const operator = parts.at(-1);
  if (operator === undefined || (parts.length === 2 && parts[0] === "pg_catalog")) return;
  const made = judgement.context.catalog.operators.get(operator) ?? [];
  const meant = parts.length === 2 ? made.filter((found) => found.schema === parts[0]) : made;
  if (
    parts.length <= 2 &&
    meant.every((found) => found.extension !== undefined) &&
    (parts.length === 1 || meant.length > 0)
  )
    return;
  refuse("operator_not_allowed", `permission denied for operator ${parts.join(".")}`, {
    detail: "An operator outside the server's own and its extensions could be meant.",
    hint: `Write OPERATOR(pg_catalog.${operator}) for the server's own.`,
  });
}

const equals: Node[] = [{ String: { sval: "=" } }];
const bounds: Node[][] = [[{ String: { sval: ">=" } }], [{ String: { sval: "<=" } }]];

/** Judges every operator of a node, those that the grammar only implies included. */
export function judgeOperators(judgement: Judgement, node: Node): void {
  if ("A_Expr" in node) {
    const between = node.A_Expr.kind?.includes("BETWEEN") === true;
    for (const name of between ? bounds : [node.A_Expr.name]) judgeOperator(judgement, name);
  }
  if ("SubLink" in node) {
    const { operName, subLinkType } = node.SubLink;
    const implied = operName === undefined && subLinkType === "ANY_SUBLINK";
    judgeOperator(judgement, implied ? equals : operName);
  }
  if ("SortBy" in node) judgeOperator(judgement, node.SortBy.useOp);
  if ("CaseExpr" in node && node.CaseExpr.arg !== undefined) judgeOperator(judgement, equals);
  if (
    "JoinExpr" in node &&
    (node.JoinExpr.isNatural === true || (node.JoinExpr.usingClause?.length ?? 0) > 0)
  )
    judgeOperator(judgement, equals);
}
