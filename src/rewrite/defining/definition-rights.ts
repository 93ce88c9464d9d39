import { relationKey, type Catalog, type RelationKind } from "../../catalog/catalog.ts";
import { temporarySchema } from "../../catalog/local-objects.ts";
import { refuse } from "../../errors.ts";
import type { DefinitionGrant, Grants } from "../../policy/grants.ts";
import type { Definition } from "../../policy/role-file.ts";
import { partsAgainst } from "../../policy/whole-relations.ts";
import { isCatalogSchema } from "../catalogs/catalog-relations.ts";
import type { Judgement } from "../judgement.ts";
import { denied, shownName, tableGrant } from "../relations.ts";

/** An object by the schema and name that it has or is to have. */
export type Named = { readonly schema: string; readonly name: string };

/**
 * The role's entry that speaks of an object: its own; that of the table that an index or a sequence belongs to; that
 * of its schema. The session's own temporary objects are free. What the server's schemas hold nobody defines.
 */
export function definitionGrant(judgement: Judgement, { schema, name }: Named): DefinitionGrant | undefined {
  const { grants, catalog } = judgement.context;
  if (schema === temporarySchema) return temporaryDefinitions(grants);
  if (isCatalogSchema(schema) || schema.startsWith("pg_")) return undefined;
  const { relations, schemas } = grants.definitions;
  const key = relationKey(schema, name);
  const own = relations.get(key);
  if (own !== undefined) return own;
  const table = catalog.tablesOf.get(key);
  return table === undefined ? schemas.get(schema) : definitionGrant(judgement, named(table));
}

const everything: ReadonlySet<Definition> = new Set([
  "create",
  "alter",
  "drop",
  "truncate",
  "comment",
  "index",
]);

function temporaryDefinitions({ file, session }: Grants): DefinitionGrant | undefined {
  if (!session.temporaryTables) return undefined;
  return { rule: `${file} session.temporary_tables`, allowed: everything };
}

/** The object that a key of the catalog's stands for. */
export function named(key: string): Named {
  const at = key.indexOf("\0");
  return { schema: key.slice(0, at), name: key.slice(at + 1) };
}

/**
 * @param instead the entry that counts where none speaks of the object: a partition follows its parent.
 * @returns the entry that allows it
 */
export function allowsDefinition(
  judgement: Judgement,
  object: Named,
  definition: Definition,
  instead?: DefinitionGrant,
): DefinitionGrant | undefined {
  const grant = definitionGrant(judgement, object) ?? instead;
  return grant?.allowed.has(definition) === true ? grant : undefined;
}

/** Puts the entry and the object on record. */
export function noteDefinition(
  judgement: Judgement,
  { schema, name }: Named,
  { rule }: DefinitionGrant,
): void {
  judgement.relations.add(`${schema}.${name}`);
  judgement.rules.add(rule);
}

/** The refusal of a definition: the same whether the object is there or not. */
export function definitionDenied(judgement: Judgement, definition: Definition, shown: string): never {
  const { grants } = judgement.context;
  refuse("relation_not_allowed", `permission denied to ${verbs[definition]} ${shown}`, {
    detail: `Role "${grants.role}" has no entry under definitions with ${definition} for an object of this name (${grants.file}).`,
    hint: allowedHint(grants, definition),
  });
}

const verbs: Readonly<Record<Definition, string>> = {
  create: "create",
  alter: "alter",
  drop: "drop",
  truncate: "truncate",
  comment: "comment on",
  index: "define an index on",
};

function allowedHint({ role, definitions }: Grants, definition: Definition): string {
  const names = [
    ...[...definitions.relations].map(([key, grant]) => [shownName(key), grant] as const),
    ...[...definitions.schemas].map(([schema, grant]) => [`${schema}.*`, grant] as const),
  ]
    .filter(([, grant]) => grant.allowed.has(definition))
    .map(([name]) => name)
    .toSorted();
  if (names.length === 0) return `Role "${role}" may ${verbs[definition]} nothing.`;
  return `Role "${role}" may ${verbs[definition]}: ${names.slice(0, 12).join(", ")}${names.length > 12 ? ", …" : ""}.`;
}

/**
 * A definition changes or shows what rules would hide, so it takes a relation on which there are none.
 * @param observes the definition looks at rows: a constraint, a new type, a unique index.
 */
export function requireWhole(
  judgement: Judgement,
  object: Named,
  kind: RelationKind,
  definition: Definition,
  observes: boolean,
): void {
  const { grants, catalog } = judgement.context;
  const table = kind === "index" ? catalog.tablesOf.get(relationKey(object.schema, object.name)) : undefined;
  // An index that the session has just made goes by its own name, as a table of it would.
  const own = kind === "index" ? "table" : kind;
  const ruled =
    table === undefined ? { ...object, kind: own } : { ...named(table), kind: kindOf(catalog, table) };
  const grant = tableGrant(grants, ruled);
  const shown = `${ruled.schema}.${ruled.name}`;
  const parts = grant === undefined ? [] : partsAgainst(definition, grant);
  if (parts.length > 0)
    refuse("relation_not_allowed", `permission denied to ${verbs[definition]} ${shown}`, {
      detail: `Role "${grants.role}" does not see and write all of it: the rule has ${parts.join(", ")} (${grant!.rule}).`,
      hint: "Definitions take a relation that is open to the role as a whole.",
    });
  if (observes && grant?.select === undefined) denied(grants, shown, "select");
}

function kindOf(catalog: Catalog, key: string): RelationKind {
  return catalog.relations.get(key)?.kind ?? "table";
}
