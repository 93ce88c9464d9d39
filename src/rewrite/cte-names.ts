/** The names that WITH has given to queries at some place of a statement. */
export type CteNames = { has(name: string): boolean };

export const noCtes: CteNames = { has: () => false };

/**
 * The names of a WITH clause on top of those around it.
 * @returns what each of its queries sees: those before it, or all of them in WITH RECURSIVE; and what the statement's
 *   body sees. Nothing is copied for each query, for there may be thousands.
 */
export function withCtes(
  outer: CteNames,
  names: readonly string[],
  recursive: boolean,
): { readonly body: CteNames; seenBy(index: number): CteNames } {
  const places = new Map<string, number>();
  for (const [index, name] of names.entries()) if (!places.has(name)) places.set(name, index);
  const before = (count: number): CteNames => ({
    has: (name) => (places.get(name) ?? Infinity) < count || outer.has(name),
  });
  const body = before(names.length);
  return { body, seenBy: (index) => (recursive ? body : before(index)) };
}
