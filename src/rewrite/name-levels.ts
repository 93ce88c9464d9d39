import type { FromNames } from "./from-names.ts";

/**
 * Names of a FROM list that a reference can see; `inFrom`: it stands in the list itself, and does not see all of it.
 * The first level is the statement's own, beside the target; the others are those of sub-selects, from the outermost on.
 */
export type Level = FromNames & { readonly inFrom: boolean };

/** What a name means where it stands in a statement that writes. */
export type Meaning =
  | { readonly kind: "target" | "inner" | "unclear" }
  | { readonly kind: "beside"; readonly item: string };

/** What a bare name means as a column, from the innermost FROM list outwards, as the server looks for it. */
export function columnMeaning(levels: readonly Level[], name: string): Meaning {
  for (let depth = levels.length - 1; depth >= 0; depth -= 1) {
    const { known, unknown, inFrom } = levels[depth]!;
    const owners = known.get(name) ?? [];
    if (owners.length > 0 && inFrom) return { kind: "unclear" };
    // Two tables that have it make it ambiguous, as without the target.
    if (owners.length > 1 || (owners.length > 0 && depth > 0)) return { kind: "inner" };
    const [item] = owners;
    if (item !== undefined) return isShadowed(levels, item) ? { kind: "unclear" } : { kind: "beside", item };
    if (owners.length > 0 || unknown) return { kind: "unclear" };
  }
  return { kind: "target" };
}

/** What a name means as a table's, where the target has it. */
export function itemMeaning(levels: readonly Level[], name: string): "target" | "inner" | "unclear" {
  const level = levels.slice(1).findLast(({ items }) => items.has(name));
  if (level === undefined) return "target";
  return level.inFrom ? "unclear" : "inner";
}

/** True if some sub-select around the place gives a table's name to another one. */
export function isShadowed(levels: readonly Level[], name: string): boolean {
  return levels.slice(1).some(({ items }) => items.has(name));
}
