import { refuse } from "../../errors.ts";
import type { Extent } from "../text/guard.ts";
import { closingIndex, endIndex, keywordAt, symbolAt, type Source } from "../text/source.ts";

/** Where the parts of a MERGE stand: its tree tells the places of neither ON nor WHEN. */
export type MergeText = { readonly on: Extent; readonly clauses: readonly ClauseText[] };

export type ClauseText = {
  /** What follows `AND`, if it is there. */
  readonly condition: Extent | undefined;
  /** The index of `THEN`. */
  readonly thenAt: number;
  /** The index behind the clause's last token. */
  readonly end: number;
};

/** @param from index of the token behind the target's name. */
export function readMerge(source: Source, from: number): MergeText {
  const words = wordsOf(source, from);
  const whens = words.when;
  const first = whens[0] ?? missing();
  const on = words.on.findLast((index) => index < first) ?? missing();
  const clauses = whens.map((when, number): ClauseText => {
    const end = whens[number + 1] ?? words.end;
    const thenAt = words.thens[number] ?? missing();
    const and = behindMatched(source, when);
    return {
      condition: keywordAt(source, and, "and") ? { from: and + 1, to: thenAt } : undefined,
      thenAt,
      end,
    };
  });
  return { on: { from: on + 1, to: first }, clauses };
}

function missing(): never {
  refuse("internal", "no keyword of MERGE where the tree says that one stands");
}

/** `WHEN NOT MATCHED BY SOURCE`: the index behind it. */
function behindMatched(source: Source, when: number): number {
  let index = when + 1;
  if (keywordAt(source, index, "not")) index += 1;
  index += 1;
  return keywordAt(source, index, "by") ? index + 2 : index;
}

/** The places of the keywords at the statement's own depth; those of CASE, whose WHEN and THEN are others, left out. */
function wordsOf(
  source: Source,
  from: number,
): { on: number[]; when: number[]; thens: number[]; end: number } {
  const found = { on: [] as number[], when: [] as number[], thens: [] as number[] };
  const end = endIndex(source, from);
  let cases = 0;
  for (let index = from; index < end; index += 1) {
    if (symbolAt(source, index, "(") || symbolAt(source, index, "[")) {
      index = closingIndex(source, index);
      continue;
    }
    // Behind a dot any keyword is a name, and behind AS in RETURNING, where nothing follows that matters.
    if (symbolAt(source, index - 1, ".") || keywordAt(source, index - 1, "as")) continue;
    if (keywordAt(source, index, "returning")) return { ...found, end: index };
    if (keywordAt(source, index, "case")) cases += 1;
    else if (keywordAt(source, index, "end")) cases -= 1;
    else if (cases > 0) continue;
    else if (keywordAt(source, index, "on")) found.on.push(index);
    else if (keywordAt(source, index, "when")) found.when.push(index);
    else if (keywordAt(source, index, "then")) found.thens.push(index);
  }
  return { ...found, end };
}
