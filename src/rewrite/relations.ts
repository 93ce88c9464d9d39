import type { RangeVar } from "@pgsql/types";
import { relationKey, type Relation } from "../catalog/catalog.ts";
import { isTemporary } from "../catalog/local-objects.ts";
import { resolveRelation } from "../catalog/resolve-relation.ts";
import { refuse } from "../errors.ts";
import type { Grants, TableGrant } from "../policy/grants.ts";
import { limitedParts } from "../policy/whole-relations.ts";
import { catalogEntry, isCatalogSchema } from "./catalogs/catalog-relations.ts";
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
      detail: "A statement reads the database that the client connected to.",
      hint: "Name the relation by schema and name alone.",
    });
  const relation = resolveRelation(catalog, judgement.local, schemaname, relname, searchPath);
  if (relation === undefined) judgement.unresolved = true;
  const shown = schemaname === undefined ? relname : `${schemaname}.${relname}`;
  if (relation === undefined) return denied(grants, shown, use);

  judgement.relations.add(`${relation.schema}.${relation.name}`);
  judgement.about.relations.add(relation);
  if (isCatalogSchema(relation.schema)) {
    if (use === "select" && catalogEntry(relation.schema, relation.name) !== undefined)
      return { relation, grant: undefined };
    return deniedCatalog(shown);
  }
  const grant = tableGrant(grants, relation);
  if (grant?.[use] === undefined) return denied(grants, shown, use, grant);
  if (relation.columnsUnknown === true) judgeUnknown(judgement, relation, grant);
  return { relation, grant };
}

/** What the role may do with the rows of a relation; its own temporary ones are free. */
export function tableGrant(
  grants: Grants,
  relation: Pick<Relation, "schema" | "name" | "kind">,
): TableGrant | undefined {
  if (isTemporary(relation)) return temporaryGrant(grants, relation.kind);
  return (
    grants.tables.get(relationKey(relation.schema, relation.name)) ??
    (wildcardKinds.has(relation.kind) ? grants.schemas.get(relation.schema) : undefined)
  );
}

/** Through a view the relations that it reads could be written, past their rules. */
function temporaryGrant({ file }: Grants, kind: Relation["kind"]): TableGrant {
  const rule = `${file} session.temporary_tables`;
  const select = { columns: "all", mask: new Map(), rows: undefined } as const;
  if (kind === "view") return { rule, select, insert: undefined, update: undefined, delete: undefined };
  return {
    rule,
    select,
    insert: { columns: "all", check: undefined },
    update: { columns: "all", rows: undefined, check: undefined },
    delete: { rows: undefined },
  };
}

/** A rule that speaks of columns cannot be put on a relation whose columns are not known. */
function judgeUnknown(judgement: Judgement, relation: Relation, grant: TableGrant): void {
  if (limitedParts(grant).length === 0) return;
  judgement.unresolved = true;
  refuse("statement_not_supported", `the columns of ${relation.schema}.${relation.name} are not known yet`, {
    detail: "The session has defined it anew, and the role sees or writes only part of it.",
    hint: "Commit the transaction first.",
  });
}

/**
 * Refuses a use of a relation that the role has no rule for.
 * @param known what the role may do with it otherwise, so that it knows of it; undefined: nothing
 */
export function denied(grants: Grants, shown: string, use: Use, known?: TableGrant): never {
  refuse("relation_not_allowed", `permission denied for relation ${shown}`, {
    detail:
      known === undefined
        ? `Role "${grants.role}" has no ${use} rule for a relation of this name (${grants.file}).`
        : `Role "${grants.role}" has no ${use} rule for it (${known.rule}).`,
    hint: allowedHint(grants, use),
  });
}

function deniedCatalog(shown: string): never {
  refuse("relation_not_allowed", `permission denied for relation ${shown}`, {
    detail:
      "Catalogs that show rows, statistics, secrets, other sessions or their statements cannot be read, and none can be written.",
    hint: "Names, types and definitions can be read: pg_class, pg_attribute, pg_type, information_schema.columns, …",
  });
}

const verbs: Readonly<Record<Use, string>> = {
  select: "read",
  insert: "insert into",
  update: "update",
  delete: "delete from",
};

/** The name of a key as role files write it. */
export function shownName(key: string): string {
  return key.replace(/^public\0/, "").replace("\0", ".");
}

function allowedHint(grants: Grants, use: Use): string {
  const names = [
    ...[...grants.tables].filter(([, grant]) => grant[use] !== undefined).map(([key]) => shownName(key)),
    ...[...grants.schemas].filter(([, grant]) => grant[use] !== undefined).map(([schema]) => `${schema}.*`),
  ].toSorted();
  if (names.length === 0) return `Role "${grants.role}" may ${verbs[use]} nothing.`;
  const listed = names.slice(0, 12).join(", ");
  return `Role "${grants.role}" may ${verbs[use]}: ${listed}${names.length > 12 ? ", …" : ""}.`;
}
