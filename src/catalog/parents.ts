import type { Catalog } from "./catalog.ts";

const known = new WeakMap<Catalog, ReadonlyMap<string, string>>();

/** The relation (its key) that each partition or inheritance child belongs to, by the child's key. Made once. */
function parentsOf(catalog: Catalog): ReadonlyMap<string, string> {
  let parents = known.get(catalog);
  if (parents === undefined) {
    parents = new Map(
      [...catalog.dependents].flatMap(([parent, dependents]) =>
        dependents.flatMap(({ how, key }) =>
          how === "child" && key !== undefined ? [[key, parent] as const] : [],
        ),
      ),
    );
    known.set(catalog, parents);
  }
  return parents;
}

/** A relation and those that it is a part of, the nearest first, by key. */
export function withParents(catalog: Catalog, key: string): readonly string[] {
  const parents = parentsOf(catalog);
  const found = [key];
  for (
    let above = parents.get(key);
    above !== undefined && !found.includes(above);
    above = parents.get(above)
  )
    found.push(above);
  return found;
}
