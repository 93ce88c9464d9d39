import type { Node, RangeVar } from "@pgsql/types";
import { relationKey, type Relation, type RelationKind } from "../../catalog/catalog.ts";
import { temporarySchema } from "../../catalog/local-objects.ts";
import { resolveRelation } from "../../catalog/resolve-relation.ts";
import { refuse } from "../../errors.ts";
import type { Definition } from "../../policy/role-file.ts";
import { quoteIdentifier } from "../../sql/names.ts";
import { nameParts } from "../text/dotted-name.ts";
import {
  allowsDefinition,
  definitionDenied,
  noteDefinition,
  requireWhole,
  type Named,
} from "./definition-rights.ts";
import { edit, unsupported, type Judgement } from "../judgement.ts";
import { tableGrant } from "../relations.ts";
import { judgeTemporaryName } from "./temporary-names.ts";
import { seesAll } from "../reading/virtual-table.ts";

/** A name as the client wrote it: where it stands, and how its schema is put into the tree. */
export type Written = {
  readonly schema: string | undefined;
  readonly name: string;
  /** Byte offset of the name's first part. */
  readonly at: number;
  readonly qualify: (schema: string) => void;
};

/** What a definition is about. */
export type Target = Named & {
  /** Undefined: neither the catalog nor the session knows it. */
  readonly relation: Relation | undefined;
  readonly temporary: boolean;
};

export function writtenRelation(rangeVar: RangeVar | undefined): Written {
  if (rangeVar?.location === undefined) refuse("internal", "a definition without a relation");
  if (rangeVar.catalogname !== undefined)
    refuse("relation_not_allowed", `cross-database references are not allowed: "${rangeVar.catalogname}"`, {
      detail: "A statement defines in the database that the client connected to.",
      hint: "Name the relation by schema and name alone.",
    });
  return {
    schema: rangeVar.schemaname,
    name: rangeVar.relname ?? "",
    at: rangeVar.location,
    qualify: (schema) => (rangeVar.schemaname = schema),
  };
}

/** @param parts the names of the tree, the relation's last. @param at byte offset of the first */
export function writtenName(parts: Node[] | undefined, at: number): Written {
  const names = nameParts(parts);
  const name = names.at(-1);
  if (parts === undefined || name === undefined || names.length > 2) unsupported("this form of a name");
  return {
    schema: names.length === 2 ? names[0] : undefined,
    name,
    at,
    qualify: (schema) => parts.unshift({ String: { sval: schema } }),
  };
}

export function shownAs({ schema, name }: Written): string {
  return schema === undefined ? name : `${schema}.${name}`;
}

/** Puts the schema before a name that has none, so that it means the same to the server whatever its search_path. */
export function qualifyName(judgement: Judgement, written: Written, schema: string): void {
  if (written.schema !== undefined) return;
  edit(judgement, written.at, written.at, `${quoteIdentifier(schema)}.`);
  written.qualify(schema);
}

/** The first schema of the search path that is there: where the server makes what is named bare (namespace.c). */
function creationSchema({ context, local }: Judgement): string | undefined {
  const { catalog, searchPath } = context;
  return searchPath.find(
    (schema) => schema === temporarySchema || catalog.schemas.has(schema) || local.schemas.has(schema),
  );
}

/** The schema and relation that a name means: where nothing has it, where it would be made. */
function find(judgement: Judgement, written: Written): Target {
  const { catalog, searchPath } = judgement.context;
  const { schema, name } = written;
  const relation = resolveRelation(catalog, judgement.local, schema, name, searchPath);
  const place = relation?.schema ?? schema ?? creationSchema(judgement);
  return {
    schema: place ?? "",
    name,
    relation,
    temporary: place === temporarySchema,
  };
}

/**
 * A relation that a definition changes, qualified in the text.
 * @param missingOk the statement says IF EXISTS.
 * @throws RolegateError relation_not_allowed
 */
export function existing(
  judgement: Judgement,
  written: Written,
  definition: Definition,
  { observes = false, missingOk = false }: { observes?: boolean; missingOk?: boolean } = {},
): Target {
  const target = find(judgement, written);
  const { relation } = target;
  const wanted = relation?.kind === "index" && definition !== "comment" ? "index" : definition;
  const grant = allowsDefinition(judgement, target, wanted);
  if (grant === undefined) {
    if (relation === undefined && missingOk && definition === "drop" && mayMakeTemporary(judgement, written))
      return absentTemporary(judgement, written);
    judgement.unresolved ||= relation === undefined;
    return definitionDenied(judgement, wanted, shownAs(written));
  }
  noteDefinition(judgement, target, grant);
  if (relation !== undefined) judgement.about.relations.add(relation);
  if (!target.temporary) {
    const kind = relation?.kind ?? "table";
    requireWhole(judgement, target, kind, wanted, observes);
    // What fails on rows that the role does not see is not told in full; what stands in the way of a DROP are names.
    const select = tableGrant(judgement.context.grants, { ...target, kind })?.select;
    judgement.hides ||= definition !== "drop" && (select === undefined || !seesAll(select));
  }
  qualifyName(judgement, written, target.schema);
  return target;
}

/** A type, named by the first schema of the path that has one, as the server looks for it; a relation is a type too. */
export function existingType(judgement: Judgement, written: Written, definition: Definition): Target {
  const { catalog, searchPath } = judgement.context;
  const { schema, name } = written;
  const known = new Set((catalog.types.get(name) ?? []).map((type) => type.schema));
  const place = schema ?? searchPath.find((each) => known.has(each));
  if (place === undefined) return existing(judgement, written, definition);
  const target = existing(judgement, { ...written, schema: place }, definition);
  qualifyName(judgement, written, place);
  return target;
}

/** `DROP TABLE IF EXISTS x` before a CREATE TEMP TABLE x: it can mean nothing else than that. */
function absentTemporary(judgement: Judgement, written: Written): Target {
  qualifyName(judgement, written, temporarySchema);
  return { schema: temporarySchema, name: written.name, relation: undefined, temporary: true };
}

function mayMakeTemporary({ context }: Judgement, { schema }: Written): boolean {
  return context.grants.session.temporaryTables && (schema === undefined || schema === temporarySchema);
}

/**
 * An object that a definition makes, qualified in the text.
 * @param persistence as a RangeVar has it: `t` is TEMP.
 * @throws RolegateError relation_not_allowed, name_taken
 */
export function created(
  judgement: Judgement,
  written: Written,
  kind: RelationKind,
  persistence: string | undefined = "p",
): Target {
  const { catalog, local } = { catalog: judgement.context.catalog, local: judgement.local };
  const place = written.schema ?? (persistence === "t" ? temporarySchema : creationSchema(judgement));
  const temporary = persistence === "t" || place === temporarySchema;
  if (temporary && place !== temporarySchema) unsupported("a temporary relation with a schema");
  const schema = place ?? "";
  const { name } = written;
  const relation = resolveRelation(catalog, local, schema, name, []);
  const target = { schema, name, relation, temporary };
  if (temporary) judgeTemporaryName(judgement, name, kind);
  const grant = allowsDefinition(judgement, target, "create");
  if (grant === undefined) return definitionDenied(judgement, "create", shownAs(written));
  noteDefinition(judgement, target, grant);
  if (!temporary) judgeNewName(judgement, target, kind);
  qualifyName(judgement, written, schema);
  return target;
}

/** What the role may make under the name, it has to see and write whole; and a catalog's name is the catalog's. */
export function judgeNewName(judgement: Judgement, target: Named, kind: RelationKind): void {
  const { catalog } = judgement.context;
  const shadows = ["pg_catalog", "information_schema"].some((schema) =>
    catalog.relations.has(relationKey(schema, target.name)),
  );
  if (shadows)
    refuse("name_taken", `a relation cannot be named ${target.name}`, {
      detail: "A catalog of the server has this name.",
      hint: "Give it a name that does not begin with pg_.",
    });
  judgeTypeName(judgement, target);
  requireWhole(judgement, target, kind, "create", false);
}

/**
 * A relation is a type too. One in front of another type in the search path would take its place in what names that
 * bare, the rules' own expressions included.
 */
function judgeTypeName({ context }: Judgement, { schema, name }: Named): void {
  const { catalog, searchPath } = context;
  const position = searchPath.indexOf(schema);
  const hidden = (catalog.types.get(name) ?? []).find(
    (type) => type.kind !== "c" && position >= 0 && searchPath.indexOf(type.schema) > position,
  );
  if (hidden === undefined) return;
  refuse("name_taken", `the name ${schema}.${name} would stand for the type ${hidden.text}`, {
    detail: `In the search_path ${schema} comes before ${hidden.schema}.`,
    hint: "Give it a name of its own, or leave the schema out of the search_path.",
  });
}
