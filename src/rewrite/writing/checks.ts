import type { Relation } from "../../catalog/catalog.ts";
import type { BoundExpression } from "../../policy/grants.ts";
import { quoteIdentifier, quoteLiteral } from "../../sql/names.ts";

/** Stands in the server's error text when a check fails; the session puts rolegate's own error in its place. */
export const checkMarker = "rolegate:check:";

/** What a RETURNING list can call the row that was written, and, from PostgreSQL 18 on, the one that it replaced. */
export type RowNames = { readonly row: string; readonly old: string | undefined };

/** What every row that a statement writes has to satisfy. */
export type RowCheck = {
  readonly rules: readonly BoundExpression[];
  /** A condition that is true for a row that does, and raises for one that does not. */
  text(names: RowNames): string;
};

/** The row as it is stored has to satisfy the rules; undefined without rules. */
export function rowCheck(relation: Relation, rules: readonly BoundExpression[]): RowCheck | undefined {
  if (rules.length === 0) return undefined;
  return { rules, text: ({ row }) => raisingCondition(relation, rules, row) };
}

/**
 * A condition that is true for a row that satisfies every rule and raises for one that does not. NULL does not
 * satisfy a rule. The raising cast names a column of the row, so that the planner cannot fold it and raise
 * before there is a row; it runs in the statement itself, so nothing of the statement stays behind.
 * @param qualifier the alias of the row, unquoted.
 */
export function raisingCondition(
  relation: Relation,
  rules: readonly BoundExpression[],
  qualifier: string | undefined,
  otherwise = "true",
): string {
  if (rules.length === 0) return otherwise;
  const column = rules.flatMap((rule) => rule.columns)[0] ?? relation.columns[0]?.name ?? "ctid";
  const value = `${qualifier === undefined ? "" : `${quoteIdentifier(qualifier)}.`}${quoteIdentifier(column)}`;
  const raise = (rule: BoundExpression): string =>
    `(${quoteLiteral(checkMarker + rule.rule)} || pg_catalog.left(COALESCE(${value}::pg_catalog.text, ''), 0))::pg_catalog.bool`;
  const cases = rules.map((rule) => `WHEN (${rule.render(qualifier)}) IS NOT TRUE THEN ${raise(rule)}`);
  return `CASE ${cases.join(" ")} ELSE ${otherwise} END`;
}
