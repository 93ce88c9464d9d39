import type { TypeName } from "@pgsql/types";
import { relationKey, type Relation, type TypeFacts } from "../../catalog/catalog.ts";
import { localRelation, temporarySchema } from "../../catalog/local-objects.ts";
import { refuse } from "../../errors.ts";
import { madeTypes } from "./value-origins.ts";
import { deniedCalls } from "./denied-calls.ts";
import { nameParts } from "../text/dotted-name.ts";
import { unsupported, type Judgement } from "../judgement.ts";
import { tableGrant } from "../relations.ts";
import { seesColumns } from "../reading/virtual-table.ts";

/**
 * Judges a type that a statement names. A value that becomes one of somebody's types may run a function of somebody's,
 * by the check of a domain; such a type takes a word of the role file, as a function does. The row type of a relation
 * tells all of its columns.
 * @throws RolegateError function_not_allowed
 */
export function judgeType(judgement: Judgement, typeName: TypeName): void {
  if (typeName.pct_type === true) unsupported("%TYPE");
  const names = nameParts(typeName.names);
  const shown = names.join(".");
  const [name = "", schema] = names.toReversed();
  const { catalog, grants } = judgement.context;
  // pg_catalog comes first in every search path that rolegate lets through.
  if (schema === "pg_catalog" || schema === "information_schema") return;
  if (schema === undefined && catalog.builtinTypes.has(name)) return;
  const meant = madeTypes(catalog, names);
  if (meant.length === 0) return judgeUnknown(judgement, names, shown);
  const { makes } = deniedCalls(catalog, grants);
  for (const type of meant) {
    for (const held of type.holds) judgement.about.types.add(held);
    const called = makes.get(type.text);
    if (called !== undefined)
      deny(
        shown,
        `Making a value of ${type.text} calls ${called.schema}.${called.name}, which ${grants.file} does not allow by name.`,
        `The function or the type can be allowed under functions.allow in ${grants.file}.`,
      );
  }
  for (const type of resolved(judgement, schema, meant)) judgeRowType(judgement, type, shown);
  return undefined;
}

function deny(shown: string, detail: string, hint?: string): never {
  refuse("function_not_allowed", `permission denied for type ${shown}`, { detail, hint });
}

/** Not types, but what CREATE TABLE writes out as an integer with a sequence (parse_utilcmd.c). */
const serial = /^(?:small|big)?serial$|^serial[248]$/;

/** A type that the catalog does not have yet could be anything; only the session's own tables are known better. */
function judgeUnknown(judgement: Judgement, names: readonly string[], shown: string): void {
  const [name = "", schema] = names.toReversed();
  if (serial.test(shown)) return;
  const bare = name.replace(/^_/, "");
  const places = schema === undefined ? [temporarySchema, ...judgement.context.searchPath] : [schema];
  if (places.some((place) => isOwnType(judgement, localRelation(judgement.local, relationKey(place, bare)))))
    return;
  judgement.unresolved = true;
  deny(shown, "No type of this name is known.", "A type outside the search_path takes its schema with it.");
}

/** An enum that the session has made, a temporary relation's row type, or one of a relation that the role sees whole. */
function isOwnType({ context: { grants } }: Judgement, relation: Relation | undefined): boolean {
  if (relation === undefined) return false;
  const select = tableGrant(grants, relation)?.select;
  return relation.kind === "composite type" || (select !== undefined && seesColumns(select));
}

/** The first in the search path; all of them where it does not tell. */
function resolved(
  { context: { searchPath } }: Judgement,
  schema: string | undefined,
  meant: readonly TypeFacts[],
): readonly TypeFacts[] {
  if (schema !== undefined) return meant;
  const first = searchPath.find((each) => meant.some((type) => type.schema === each));
  return first === undefined ? meant : meant.filter((type) => type.schema === first);
}

/**
 * `(NULL::customers).*` lists the columns of a relation, hidden ones too, and `json_populate_record(NULL::customers, …)`
 * fills them.
 */
function judgeRowType(judgement: Judgement, { kind, schema, name }: TypeFacts, shown: string): void {
  const relation =
    kind === "c" ? judgement.context.catalog.relations.get(relationKey(schema, name)) : undefined;
  if (relation === undefined || relation.kind === "composite type") return;
  if (!knowsAllColumns(judgement, relation))
    deny(
      shown,
      "It is the row of a relation of which the role may not use every column.",
      "List the columns: AS r(id integer, …).",
    );
}

function knowsAllColumns({ context: { grants } }: Judgement, relation: Relation): boolean {
  const grant = tableGrant(grants, relation);
  return [grant?.select, grant?.insert, grant?.update].some((part) => part?.columns === "all");
}
