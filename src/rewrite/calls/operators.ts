import type { Node } from "@pgsql/types";
import type { OperatorFacts } from "../../catalog/catalog.ts";
import { refuse } from "../../errors.ts";
import type { Opened } from "../../sql/walk.ts";
import type { Arising, MadeTypes } from "./value-origins.ts";
import type { Choice } from "./chosen-calls.ts";
import { deniedCalls } from "./denied-calls.ts";
import { nameParts } from "../text/dotted-name.ts";
import type { Judgement } from "../judgement.ts";

/**
 * Judges the operators of a node, those that the grammar only implies included. The server's own and those of
 * extensions are allowed, and so is one whose function the role may call. Any other is refused where it could be chosen.
 * @param types the types, made by somebody, that the operands can have.
 * @throws RolegateError operator_not_allowed
 */
export function judgeOperators({ judgement, denied, arising }: Choice, node: Opened, types: MadeTypes): void {
  // A column that is joined on stands in no expression.
  const operands = node.kind === "JoinExpr" ? joinedTypes(arising, node) : types;
  for (const name of operatorsOf(node)) {
    const symbol = name.at(-1) ?? "";
    for (const operator of denied.operators.get(symbol) ?? []) {
      if (name.length > 1 && name.at(-2) !== operator.schema) continue;
      // With its schema the server's own are no choice, so literals can choose it.
      if (name.length > 1 || operator.common || operator.operands.some((type) => operands.has(type)))
        deny(judgement, name, operator);
      distrust(judgement, operator.operands);
    }
  }
}

/** The types of the columns that NATURAL and USING compare. */
export function joinedTypes(arising: Arising, { fields }: Opened): MadeTypes {
  if (fields["isNatural"] === true) return arising.all;
  const names = nameParts(fields["usingClause"] as Node[] | undefined);
  return new Set(names.flatMap((name) => [...arising.named(name)]));
}

/**
 * Judges an operator that stands without operands, by name alone.
 * @throws RolegateError operator_not_allowed
 */
export function judgeOperator(judgement: Judgement, parts: readonly Node[] | undefined): void {
  const name = nameParts(parts);
  const { catalog, grants } = judgement.context;
  const denied = deniedCalls(catalog, grants).operators.get(name.at(-1) ?? "") ?? [];
  const meant = denied.find(({ schema }) => name.length === 1 || name.at(-2) === schema);
  if (meant !== undefined) deny(judgement, name, meant);
}

function deny({ context: { grants } }: Judgement, name: readonly string[], operator: OperatorFacts): never {
  const called = `${operator.function.schema}.${operator.function.name}`;
  refuse("operator_not_allowed", `permission denied for operator ${name.join(".")}`, {
    detail: `${operator.schema}.${operator.name} could be meant, which calls ${called}; ${grants.file} does not allow that function by name.`,
    hint: `Write OPERATOR(pg_catalog.${operator.name}) for the server's own.`,
  });
}

/** A parameter of one of these types would choose what the text alone does not. */
export function distrust(judgement: Judgement, types: readonly string[]): void {
  for (const type of judgement.context.catalog.typesByText.values())
    if (types.some((wanted) => type.holds.has(wanted)))
      for (const oid of type.oids) judgement.distrustedTypes.add(oid);
}

/** The names of the operators of a node: those written, and those that its syntax means (gram.y, parse_expr.c). */
function operatorsOf({ kind, fields }: Opened): readonly (readonly string[])[] {
  switch (kind) {
    case "A_Expr":
      if (!String(fields["kind"]).includes("BETWEEN")) return named(fields["name"]);
      return [[">="], ["<="]];
    case "SubLink": {
      if (fields["operName"] !== undefined) return named(fields["operName"]);
      return fields["subLinkType"] === "ANY_SUBLINK" ? [["="]] : [];
    }
    case "SortBy":
      return fields["useOp"] === undefined ? [] : named(fields["useOp"]);
    case "CaseExpr":
      return fields["arg"] === undefined ? [] : [["="]];
    case "JoinExpr":
      return fields["isNatural"] === true || fields["usingClause"] !== undefined ? [["="]] : [];
    default:
      return [];
  }
}

function named(name: unknown): readonly (readonly string[])[] {
  return [nameParts(name as Node[] | undefined)];
}
