import type { Node } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import type { TableGrant } from "../../policy/grants.ts";
import { limitedParts } from "../../policy/whole-relations.ts";
import type { Named } from "./definition-rights.ts";
import type { Judgement } from "../judgement.ts";
import { resolveUse, tableGrant } from "../relations.ts";

/** Clauses of a query that the server does not write through (documentation, CREATE VIEW, Updatable Views). */
const closing = [
  "distinctClause",
  "groupClause",
  "havingClause",
  "limitCount",
  "limitOffset",
  "larg",
  "valuesLists",
  "withClause",
] as const;

/**
 * What is written to a view of one relation the server writes to that relation. So a view whose name may be written takes
 * a relation that may be written as freely.
 */
export function judgeWritableView(judgement: Judgement, view: Named, query: Node | undefined): void {
  const select = query !== undefined && "SelectStmt" in query ? query.SelectStmt : undefined;
  if (select === undefined || closing.some((clause) => select[clause] !== undefined)) return;
  const [item, ...others] = select.fromClause ?? [];
  if (item === undefined || others.length > 0 || !("RangeVar" in item)) return;
  judgeWritesThrough(judgement, view, resolveUse(judgement, item.RangeVar, "select").grant);
}

const writes = ["insert", "update", "delete"] as const;

/** @param behind the role's rule for what would be written. */
export function judgeWritesThrough(judgement: Judgement, view: Named, behind: TableGrant | undefined): void {
  const own = tableGrant(judgement.context.grants, { ...view, kind: "view" });
  const limited = behind === undefined || limitedParts(behind).length > 0;
  const beyond = writes.filter(
    (write) => own?.[write] !== undefined && (limited || behind[write] === undefined),
  );
  if (beyond.length === 0) return;
  refuse("relation_not_allowed", `permission denied to make a view ${view.schema}.${view.name}`, {
    detail: `By the rule for its name it could be written (${beyond.join(", ")}: ${own!.rule}), and what it reads could not.`,
    hint: "Give it a name that may only be read, or add DISTINCT, LIMIT or WITH to its query: then nobody can write to it.",
  });
}
