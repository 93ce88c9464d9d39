import type { TruncateStmt } from "@pgsql/types";
import { relationKey } from "../../catalog/catalog.ts";
import { refuse } from "../../errors.ts";
import { allowsDefinition, named, noteDefinition, type Named } from "./definition-rights.ts";
import { existing, writtenRelation } from "./definition-targets.ts";
import { judgeChildren } from "./dependents-reached.ts";
import { unsupported, type Judgement } from "../judgement.ts";

/**
 * TRUNCATE of relations with their partitions and children; with CASCADE also of every table whose foreign keys refer to
 * them, and so on.
 */
export function judgeTruncate(judgement: Judgement, { relations, behavior }: TruncateStmt): void {
  const reached = new Map<string, Named>();
  for (const node of relations ?? []) {
    if (!("RangeVar" in node)) return unsupported("this form of TRUNCATE");
    const target = existing(judgement, writtenRelation(node.RangeVar), "truncate");
    const grant = allowsDefinition(judgement, target, "truncate");
    const children = node.RangeVar.inh === true ? judgeChildren(judgement, target, grant, "truncate") : [];
    for (const each of [target, ...children]) reached.set(relationKey(each.schema, each.name), each);
  }
  if (behavior === "DROP_CASCADE")
    for (const each of reached.values()) reachReferring(judgement, each, reached);
}

/** A map's iteration takes in what is added meanwhile. */
function reachReferring(judgement: Judgement, at: Named, reached: Map<string, Named>): void {
  for (const { how, key } of judgement.context.catalog.dependents.get(relationKey(at.schema, at.name)) ??
    []) {
    if (how !== "foreign key" || key === undefined || reached.has(key)) continue;
    const referring = named(key);
    const grant = allowsDefinition(judgement, referring, "truncate");
    if (grant === undefined)
      refuse("relation_not_allowed", `permission denied for what refers to ${at.schema}.${at.name}`, {
        detail: `CASCADE would empty ${referring.schema}.${referring.name}, which the role may not truncate.`,
        hint: "Leave out CASCADE, and name the tables that may be truncated.",
      });
    noteDefinition(judgement, referring, grant);
    reached.set(key, referring);
    for (const child of judgeChildren(judgement, referring, grant, "truncate"))
      reached.set(relationKey(child.schema, child.name), child);
  }
}
