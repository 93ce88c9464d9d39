import { relationKey } from "../../catalog/catalog.ts";
import { refuse } from "../../errors.ts";
import type { DefinitionGrant } from "../../policy/grants.ts";
import type { Definition } from "../../policy/role-file.ts";
import { allowsDefinition, named, noteDefinition, requireWhole, type Named } from "./definition-rights.ts";
import type { Judgement } from "../judgement.ts";

/**
 * Judges what goes or changes together with an object: everything that CASCADE reaches, or without it the partitions
 * and sequences that always go along.
 * @throws RolegateError relation_not_allowed
 */
export function judgeDropped(
  judgement: Judgement,
  object: Named,
  grant: DefinitionGrant | undefined,
  cascade: boolean,
): void {
  const { catalog } = judgement.context;
  const seen = new Set<string>();
  const visit = (at: Named): void => {
    const key = relationKey(at.schema, at.name);
    if (seen.has(key)) return;
    seen.add(key);
    const partitioned = catalog.relations.get(key)?.kind === "partitioned table";
    for (const { how, key: dependent } of catalog.dependents.get(key) ?? []) {
      const always = how === "sequence" || (how === "child" && partitioned);
      if (!cascade && !always) continue;
      if (dependent === undefined || how === "other") return beyond(at, undefined);
      const other = named(dependent);
      const changed = how === "foreign key" || how === "column";
      require(judgement, at, other, changed ? "alter" : "drop", how === "whole" ? undefined : grant);
      if (how !== "foreign key") visit(other);
    }
  };
  visit(object);
}

function require(
  judgement: Judgement,
  at: Named,
  other: Named,
  definition: Definition,
  instead: DefinitionGrant | undefined,
): void {
  const allowed = allowsDefinition(judgement, other, definition, instead);
  if (allowed === undefined) return beyond(at, other);
  noteDefinition(judgement, other, allowed);
}

function beyond(at: Named, other: Named | undefined): never {
  const what = other === undefined ? "something" : `${other.schema}.${other.name}`;
  refuse("relation_not_allowed", `permission denied for what depends on ${at.schema}.${at.name}`, {
    detail: `CASCADE would reach ${what}, which the role may not drop or alter.`,
    hint: "Leave out CASCADE, and drop by itself what may be dropped.",
  });
}

/** Judges the partitions and children that a definition of their parent changes too; they follow the parent's entry. */
export function judgeChildren(
  judgement: Judgement,
  object: Named,
  grant: DefinitionGrant | undefined,
  definition: Definition,
): Named[] {
  const { catalog } = judgement.context;
  const found = new Map<string, Named>();
  const visit = (at: Named): void => {
    for (const { how, key } of catalog.dependents.get(relationKey(at.schema, at.name)) ?? []) {
      if (how !== "child" || key === undefined || found.has(key)) continue;
      const child = named(key);
      found.set(key, child);
      require(judgement, at, child, definition, grant);
      requireWhole(judgement, child, catalog.relations.get(key)?.kind ?? "table", definition, false);
      visit(child);
    }
  };
  visit(object);
  return [...found.values()];
}
