import type { Cut } from "./short-text.ts";

type Fields = Record<string, unknown>;

/** A string constant of the tree whose value is only the beginning of the client's. */
export type ShortenedConstant = {
  readonly fields: { sval?: string };
  readonly short: string;
  readonly whole: () => string;
};

/**
 * Until it is called again, with `short`, whoever looks at one of the constants sees all of it. Hardly anybody does, and
 * whoever looks at all fields of a node passes over it.
 */
export function showConstants(constants: readonly ShortenedConstant[], as: "whole" | "short"): void {
  for (const { fields, short, whole } of constants)
    Object.defineProperty(fields, "sval", {
      configurable: true,
      enumerable: as === "short",
      ...(as === "whole" ? { get: whole } : { value: short }),
    });
}

/**
 * Looks in the tree of a short text for what each cut says of its place.
 * @param shift how much further than in the cut's own text a byte offset is in the text that was parsed.
 * @returns the constants that were cut short; undefined if some cut does not lie where it seemed to.
 */
export function proveCuts(
  tree: unknown,
  cuts: readonly Cut[],
  shift: (offset: number) => number = (offset) => offset,
): readonly ShortenedConstant[] | undefined {
  if (cuts.length === 0) return [];
  const lists = new Map<number, Cut>();
  const literals = new Map<number, Cut>();
  for (const cut of cuts) {
    const { inside } = cut;
    if (inside.kind === "literal") literals.set(shift(inside.start), cut);
    else lists.set(shift(inside.before), cut);
  }
  const shortened: ShortenedConstant[] = [];
  // The grammar hangs one sub-select on every column of SET (a, b) = (…), so a place can come more than once.
  const proven = new Set<Cut>();
  const list = (items: unknown, rows: boolean): void => {
    if (!Array.isArray(items)) return;
    for (let index = 1; index < items.length; index += 1) {
      const cut = lists.get(placeOf(items[index - 1], rows));
      if (cut === undefined || cut.inside.kind === "literal") continue;
      const { inside } = cut;
      if (placeOf(items[index], rows) !== shift(inside.behind)) continue;
      if ((inside.kind === "rows") !== rows) continue;
      if (
        inside.kind === "rows" &&
        [index - 1, index].some((at) => rowOf(items[at])?.length !== inside.items)
      )
        continue;
      proven.add(cut);
    }
  };
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    if (Array.isArray(node)) {
      for (const item of node as unknown[]) visit(item);
      return;
    }
    const fields = node as Fields;
    for (const name in fields) {
      const value = fields[name] as Fields;
      if (name === "valuesLists") list(value, true);
      else if (name === "A_ArrayExpr") list(value["elements"], false);
      else if (name === "A_Expr" && value["kind"] === "AEXPR_IN") {
        const items = (value["rexpr"] as { List?: Fields } | undefined)?.List?.["items"];
        list(items, false);
        list(items, true);
      } else if (name === "A_Const") {
        const cut = literals.get(value["location"] as number);
        const constant = value["sval"] as { sval?: string } | undefined;
        if (cut?.inside.kind === "literal" && constant?.sval === cut.inside.value) {
          shortened.push({ fields: constant, short: cut.inside.value, whole: cut.inside.whole });
          proven.add(cut);
        }
        continue;
      }
      visit(value);
    }
  };
  visit(tree);
  return proven.size === cuts.length ? shortened : undefined;
}

/** Where a constant, or the first one of a row, stands in the text; -1 for anything else. */
function placeOf(node: unknown, row: boolean): number {
  const item = row ? rowOf(node)?.[0] : node;
  if (typeof item !== "object" || item === null) return -1;
  const [kind] = Object.keys(item);
  const fields = (item as Record<string, Fields>)[kind!]!;
  if (kind === "TypeCast") return placeOf(fields["arg"], false);
  const constant = kind === "A_Const" || kind === "ParamRef" || kind === "SetToDefault";
  return constant && typeof fields["location"] === "number" ? fields["location"] : -1;
}

/** The items of a row of VALUES, or of `(a, b)` in IN. */
function rowOf(node: unknown): readonly unknown[] | undefined {
  const { List, RowExpr } = (node ?? {}) as { List?: { items?: unknown[] }; RowExpr?: { args?: unknown[] } };
  return List?.items ?? RowExpr?.args;
}
