import type { Node, ViewStmt } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import { isTemporary } from "../../catalog/local-objects.ts";
import { hiddenParts } from "../../policy/whole-relations.ts";
import { allowsDefinition, definitionDenied } from "./definition-rights.ts";
import { created, writtenRelation } from "./definition-targets.ts";
import { defines } from "./define-effect.ts";
import { unsupported, type Judgement } from "../judgement.ts";
import { judgeOptions } from "./storage-options.ts";
import { surveyStatement } from "../survey.ts";
import type { Effect } from "../verdict.ts";
import { judgeWritableView } from "./writable-views.ts";

/** Puts the rules on a query; judge.ts has it. */
export type RewriteQuery = (query: Node) => void;

/**
 * CREATE VIEW. What is stored is the query, to run later for others and without this identity's rules: so it may read
 * only what the role sees whole.
 */
export function judgeCreateView(
  judgement: Judgement,
  { view, query, replace, options }: ViewStmt,
  rewriteQuery: RewriteQuery,
): Effect {
  const written = writtenRelation(view);
  const target = created(judgement, written, "view", view?.relpersistence);
  if (replace === true && target.relation !== undefined && !target.temporary)
    if (allowsDefinition(judgement, target, "alter") === undefined)
      definitionDenied(judgement, "alter", `${target.schema}.${target.name}`);
  judgeOptions(options, "relation");
  judgeStoredQuery(judgement, query, rewriteQuery, target.temporary);
  if (!target.temporary) judgeWritableView(judgement, target, query);
  return defines(target, "view");
}

/** Judges a query that is stored, and sends its names qualified. */
export function judgeStoredQuery(
  judgement: Judgement,
  query: Node | undefined,
  rewriteQuery: RewriteQuery,
  temporary: boolean,
): void {
  if (query === undefined || !("SelectStmt" in query)) return unsupported("a view of this statement");
  const { reads, writes } = surveyStatement(judgement, query);
  if (writes.length > 0) unsupported("a view that writes");
  for (const { relation, grant } of reads) {
    const shown = `${relation.schema}.${relation.name}`;
    if (grant?.select === undefined) unsupported(`a view over the catalog ${shown}`);
    if (!temporary && isTemporary(relation))
      unsupported("a view over a temporary relation", "Use CREATE TEMP VIEW.");
    const parts = hiddenParts(grant);
    if (parts.length > 0)
      refuse("relation_not_allowed", `permission denied to define a view over ${shown}`, {
        detail: `The role sees only a part of it, and a view would not keep to that: ${parts.join(", ")} (${grant.rule}).`,
        hint: "A view can be made over relations that the role sees as a whole; or store the rows with CREATE TABLE AS.",
      });
  }
  return rewriteQuery(query);
}
