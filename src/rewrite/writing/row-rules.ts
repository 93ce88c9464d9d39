import type { Relation, RowEvent } from "../../catalog/catalog.ts";
import { refuse } from "../../errors.ts";
import type { BoundExpression, TableGrant } from "../../policy/grants.ts";
import type { Write } from "../findings.ts";

/** Rows that a role may change are among those that it may see, as under native row security. */
export function rowRules({ select }: TableGrant, rows: BoundExpression | undefined): BoundExpression[] {
  const seen = select?.rows;
  // Where both say the same it is the rule of the write that a refusal names.
  return seen?.render("t") === rows?.render("t") ? distinct([rows]) : distinct([seen, rows]);
}

/**
 * The row rules that an update could break by what it sets, so that they are looked at once more in the row as it is
 * stored: no row may be moved out of the role's reach.
 * @param set the columns that the statement gives values to.
 */
export function movingRules(
  relation: Relation,
  rules: readonly BoundExpression[],
  set: ReadonlySet<string>,
): BoundExpression[] {
  if (mayChange(relation, "update")) return [...rules];
  // A generated column follows others, whichever they are.
  const moved = (name: string): boolean =>
    set.has(name) || relation.columns.some((column) => column.name === name && column.generated);
  return rules.filter((rule) => rule.columns.some(moved));
}

/**
 * True if what is stored may differ from what the statement says: BEFORE triggers change it, two columns of a view may
 * be one column of its table, and a foreign table's server has triggers of its own.
 */
export function mayChange({ kind, rowTriggers }: Relation, event: RowEvent): boolean {
  return rowTriggers.has(event) || kind === "view" || kind === "foreign table";
}

/**
 * Refuses a check of rows that a rule (CREATE RULE … DO INSTEAD) puts elsewhere: its RETURNING gives what it likes.
 * The server refuses MERGE on a relation with rules itself.
 */
export function judgeRedirected({ relation, kind, grant }: Write): void {
  if (kind === "merge" || !relation.insteadRules.has(kind)) return;
  refuse(
    "statement_not_supported",
    `${kind.toUpperCase()} of ${relation.schema}.${relation.name} cannot be checked`,
    {
      detail: `A rule of the database puts something else in its place, so nothing tells which rows are stored (${grant.rule}).`,
      hint: "Use the relation that the rule writes to.",
    },
  );
}

/** Each rule once, by its text. */
export function distinct(rules: readonly (BoundExpression | undefined)[]): BoundExpression[] {
  const found = new Map<string, BoundExpression>();
  for (const rule of rules)
    if (rule !== undefined && !found.has(rule.render("t"))) found.set(rule.render("t"), rule);
  return [...found.values()];
}
