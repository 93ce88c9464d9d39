import type { Catalog, RelationKind } from "../../catalog/catalog.ts";
import { isTemporary, localRelations } from "../../catalog/local-objects.ts";
import { refuse } from "../../errors.ts";
import { truncateName } from "../../sql/names.ts";
import type { Judgement } from "../judgement.ts";

/**
 * The server looks for a bare name among the session's temporary relations and their row types first, before pg_catalog:
 * one named like something else would take its place in the rules' own expressions, in catalogs that are named bare, and
 * in functions that run with their definer's rights (CVE-2007-2138). So a temporary relation has a name of its own.
 * @param kind a view's name stays a view's for as long as the session has the connection.
 * @throws RolegateError name_taken
 */
export function judgeTemporaryName(judgement: Judgement, name: string, kind?: RelationKind): void {
  const { catalog, grants } = judgement.context;
  if (!grants.session.temporaryTables)
    refuse("statement_not_allowed", "temporary relations are not allowed", {
      detail: `Role "${grants.role}" may make none (${grants.file}).`,
      hint: "It can be allowed by session.temporary_tables.",
    });
  // Every type has another for its arrays, with one more underscore in front, or two.
  const types = [name, truncateName(`_${name}`), name.replace(/^_+/, "")];
  const taken =
    relationNames(catalog).has(name) ||
    types.some((type) => catalog.builtinTypes.has(type) || catalog.types.has(type)) ||
    (kind !== "view" && judgement.local.views.has(name)) ||
    localRelations(judgement.local).some((known) => known.name === name && !isTemporary(known));
  if (!taken) return;
  // It may just have been dropped.
  judgement.unresolved = true;
  refuse("name_taken", `a temporary relation cannot be named ${name}`, {
    detail:
      "Some schema of the database has a relation or type of this name, or the session had a view of it.",
    hint: "Give it a name that nothing else has.",
  });
}

const names = new WeakMap<Catalog, ReadonlySet<string>>();

function relationNames(catalog: Catalog): ReadonlySet<string> {
  const known = names.get(catalog);
  if (known !== undefined) return known;
  const found = new Set([...catalog.relations.values()].map(({ name }) => name));
  names.set(catalog, found);
  return found;
}

/** NAMEDATALEN: what a name takes in the server, with the byte that ends it. */
const nameBytes = 64;

/**
 * The name that the server gives a column's sequence (makeObjectName in indexcmds.c): the longer of table and column is
 * cut until `table_column_seq` fits.
 */
export function sequenceName(table: string, column: string): string {
  const label = "_seq";
  let [first, second] = [Buffer.byteLength(table), Buffer.byteLength(column)];
  while (first + 1 + second + label.length >= nameBytes) {
    if (first > second) first -= 1;
    else second -= 1;
  }
  return `${clip(table, first)}_${clip(column, second)}${label}`;
}

/** At most so many bytes, never a part of a character. */
function clip(name: string, most: number): string {
  const bytes = Buffer.from(name);
  let end = Math.min(most, bytes.length);
  while (end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytes.toString("utf8", 0, end);
}
