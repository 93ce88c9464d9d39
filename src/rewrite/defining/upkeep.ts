import type { ReindexStmt, VacuumStmt } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import { existing, writtenRelation } from "./definition-targets.ts";
import { judgeChildren } from "./dependents-reached.ts";
import { allowsDefinition } from "./definition-rights.ts";
import { unsupported, type Judgement } from "../judgement.ts";

/** Options (documentation, VACUUM and ANALYZE) that say how, and nothing else. */
const options: ReadonlySet<string> = new Set([
  "analyze",
  "buffer_usage_limit",
  "disable_page_skipping",
  "freeze",
  "full",
  "index_cleanup",
  "only_database_stats",
  "parallel",
  "process_main",
  "process_toast",
  "skip_database_stats",
  "skip_locked",
  "truncate",
  "verbose",
]);

/**
 * VACUUM and ANALYZE of relations that are named: they tell how many rows there are, so it takes one that the role may
 * alter and sees whole.
 */
export function judgeVacuum(judgement: Judgement, { rels, options: chosen }: VacuumStmt): void {
  judgeOptionNames(chosen, options);
  if (rels === undefined) return unnamed("VACUUM and ANALYZE");
  for (const node of rels) {
    if (!("VacuumRelation" in node)) return unsupported("this form of VACUUM");
    const { relation } = node.VacuumRelation;
    const table = existing(judgement, writtenRelation(relation), "alter", { observes: true });
    if (!table.temporary)
      judgeChildren(judgement, table, allowsDefinition(judgement, table, "alter"), "alter");
  }
}

/** REINDEX of a table or an index, by the word for indexes. */
export function judgeReindex(judgement: Judgement, { kind, relation, params }: ReindexStmt): void {
  judgeOptionNames(params, new Set(["concurrently", "verbose"]));
  if (kind !== "REINDEX_OBJECT_INDEX" && kind !== "REINDEX_OBJECT_TABLE") return unnamed("REINDEX");
  existing(judgement, writtenRelation(relation), "index", { observes: true });
}

function judgeOptionNames(chosen: VacuumStmt["options"], known: ReadonlySet<string>): void {
  for (const option of chosen ?? []) {
    const name = "DefElem" in option ? (option.DefElem.defname ?? "") : "";
    if (!known.has(name)) unsupported(`the option ${name}`, "Leave it out.");
  }
}

function unnamed(what: string): never {
  refuse("statement_not_allowed", `${what} of a whole schema or database is not allowed`, {
    detail: "It would reach relations that the role may not define.",
    hint: "Name the relations.",
  });
}
