import { relationKey, type Catalog, type Relation } from "./catalog.ts";
import { localRelation, temporarySchema, type LocalObjects } from "./local-objects.ts";

/**
 * The relation that a name means, as the server would resolve it: a qualified one in its schema, a bare one along the
 * search path, with the session's temporary schema and pg_catalog searched first unless the path names them
 * (documentation, 5.10.5 and search_path).
 * @param searchPath the schemas in order, as names (not quoted); schemas that do not exist are skipped.
 */
export function resolveRelation(
  catalog: Catalog,
  local: LocalObjects,
  schema: string | undefined,
  name: string,
  searchPath: readonly string[],
): Relation | undefined {
  if (schema !== undefined) return relationIn(catalog, local, schema, name);
  const implied = [temporarySchema, "pg_catalog"].filter((always) => !searchPath.includes(always));
  for (const candidate of [...implied, ...searchPath]) {
    const found = relationIn(catalog, local, candidate, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function relationIn(
  catalog: Catalog,
  local: LocalObjects,
  schema: string,
  name: string,
): Relation | undefined {
  const key = relationKey(schema, name);
  return localRelation(local, key) ?? catalog.relations.get(key);
}
