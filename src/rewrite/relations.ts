import type { RangeVar } from "@pgsql/types";
import { relationKey, resolveRelation, type Relation } from "../catalog/catalog.ts";
import { refuse } from "../errors.ts";
import type { Grants, TableGrant } from "../policy/grants.ts";
import { catalogEntry, isCatalogSchema } from "./catalog-relations.ts";
import type { Judgement } from "./judgement.ts";

/** A relation that a statement names, and what the role may do with it; no grant: a catalog, read as it is. */
export type Resolved = { readonly relation: Relation; readonly grant: TableGrant | undefined };

/** What is to be done with the relation. */
export type Use = "select" | "insert" | "update" | "delete";

/** Kinds that `schema.*` in a role file stands for; sequences, indexes and TOAST tables hold data too, and need their own name. */
const wildcardKinds: ReadonlySet<string> = new Set([
  "table",
  "partitioned table",
  "view",
  "materialized view",
  "foreign table",
]);

/**
 * The relation that the statement means, if the role may use it so.
 * @throws RolegateError relation_not_allowed. The text is the same whether the relation is forbidden or does not
 *   exist, so that asking tells nothing.
 */
export function resolveUse(judgement: Judgement, rangeVar: RangeVar, use: Use): Resolved {
  const { catalog, grants, searchPath } = judgement.context;
  const { catalogname, schemaname, relname = "" } = rangeVar;
  if (catalogname !== undefined)
    refuse("relation_not_allowed", `cross-database references are not allowed: "${catalogname}"`, {
      hint: "Name the relation by schema and name alone.",
    });
  const relation = resolveRelation(catalog, schemaname, relname, searchPath);
  if (relation === undefined) judgement.unresolved = true;
  const shown = schemaname === undefined ? relname : `${schemaname}.${relname}`;
  if (relation === undefined) return denied(grants, shown, use);

  judgement.relations.add(`${relation.schema}.${relation.name}`);
  if (isCatalogSchema(relation.schema)) {
    if (use === "select" && catalogEntry(relation.schema, relation.name) !== undefined)
      return { relation, grant: undefined };
    return deniedCatalog(shown);
  }
  const grant =
    grants.tables.get(relationKey(relation.schema, relation.name)) ??
    (wildcardKinds.has(relation.kind) ? grants.schemas.get(relation.schema) : undefined);
  if (grant?.[use] === undefined) return denied(grants, shown, use);
  return { relation, grant };
}

/** Refuses a use of a relation that the role has no rule for. */
export function denied(grants: Grants, shown: string, use: Use): never {
  refuse("relation_not_allowed", `permission denied for relation ${shown}`, {
    detail: `Role "${grants.role}" has no ${use} rule for a relation of this name (${grants.file}).`,
    hint: allowedHint(grants, use),
  });
}

function deniedCatalog(shown: string): never {
  refuse("relation_not_allowed", `permission denied for relation ${shown}`, {
    detail:
      "Catalogs that show rows, statistics, secrets, other sessions or their statements cannot be read, and none can be written.",
  });
}

const verbs: Readonly<Record<Use, string>> = {
  select: "read",
  insert: "insert into",
  update: "update",
  delete: "delete from",
};

function shown(key: string): string {
  return key.replace(/^public\0/, "").replace("\0", ".");
}

function allowedHint(grants: Grants, use: Use): string {
  const names = [
    ...[...grants.tables].filter(([, grant]) => grant[use] !== undefined).map(([key]) => shown(key)),
    ...[...grants.schemas].filter(([, grant]) => grant[use] !== undefined).map(([schema]) => `${schema}.*`),
  ].toSorted();
  if (names.length === 0) return `Role "${grants.role}" may ${verbs[use]} nothing.`;
  const listed = names.slice(0, 12).join(", ");
  return `Role "${grants.role}" may ${verbs[use]}: ${listed}${names.length > 12 ? ", …" : ""}.`;
}
