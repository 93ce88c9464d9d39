import type { Node } from "@pgsql/types";
import { walk } from "../../sql/walk.ts";
import type { Extent } from "./guard.ts";
import { closingIndex, endBefore, indexAt, keywordAt, startOf, symbolAt, type Source } from "./source.ts";

/** One part of `a AND b AND …`: its tree, its tokens, and how another tree takes its place. */
export type Part = { readonly node: Node; readonly extent: Extent; readonly put: (other: Node) => void };

/**
 * The parts of a condition with their places in the text; of an AND inside brackets those inside.
 * @param keyword what the condition stands behind.
 * @param put puts another tree in the place of the whole condition.
 * @returns undefined where the text does not tell for sure.
 */
export function partsInText(
  source: Source,
  condition: Node,
  keyword: "where" | "on",
  put: (other: Node) => void,
): readonly Part[] | undefined {
  const places = placesOf(condition);
  const from = firstToken(source, Math.min(...places), keyword);
  if (from === undefined) return undefined;
  const { pieces, end } = piecesFrom(source, from, source.tokens.length);
  // A tree of which a part was replaced has places of another text.
  if (places.some((place) => place < startOf(source, from) || place >= endBefore(source, end)))
    return undefined;
  return partsOf(source, condition, { from, to: end }, pieces, put);
}

function partsOf(
  source: Source,
  node: Node,
  extent: Extent,
  pieces: readonly Extent[],
  put: (other: Node) => void,
): readonly Part[] | undefined {
  const args = "BoolExpr" in node && node.BoolExpr.boolop === "AND_EXPR" ? (node.BoolExpr.args ?? []) : [];
  if (args.length === 0) return [{ node, extent, put }];
  const found = flattened(source, extent, pieces);
  if (found.length !== args.length) return undefined;
  const parts = args.map((arg, index) => {
    const piece = found[index]!;
    const inner = piecesOf(source, piece);
    return partsOf(source, arg, piece, inner, (other) => {
      args[index] = other;
    });
  });
  return parts.some((part) => part === undefined) ? undefined : parts.flatMap((part) => part ?? []);
}

/** The grammar takes `(a AND b) AND c` for one AND of three (gram.y, makeAndExpr). */
function flattened(source: Source, extent: Extent, pieces: readonly Extent[]): readonly Extent[] {
  const [first, ...others] = pieces.length > 1 ? pieces : piecesOf(source, extent);
  if (first === undefined || others.length === 0) return pieces;
  const inner = piecesOf(source, first);
  return inner.length > 1 ? [...flattened(source, first, inner), ...others] : [first, ...others];
}

/** What AND parts in an extent, behind the brackets around all of it. */
function piecesOf(source: Source, extent: Extent): readonly Extent[] {
  let { from, to } = extent;
  while (symbolAt(source, from, "(") && closingIndex(source, from) === to - 1) {
    from += 1;
    to -= 1;
  }
  const { pieces, end } = piecesFrom(source, from, to);
  return end === to ? pieces : [extent];
}

/** Byte offsets of all that has one in a condition. */
function placesOf(condition: Node): number[] {
  const places: number[] = [];
  walk(condition, (_, { location }) => {
    if (typeof location === "number" && location >= 0) places.push(location);
  });
  return places;
}

/** The index of a condition's first token, which stands behind the keyword. */
function firstToken(source: Source, place: number, keyword: string): number | undefined {
  let index = indexAt(source, place);
  while (index !== undefined && index > 0 && !keywordAt(source, index - 1, keyword)) {
    if (!symbolAt(source, index - 1, "(") && !keywordAt(source, index - 1, "not")) return undefined;
    index -= 1;
  }
  return index === undefined || index === 0 ? undefined : index;
}

/** Goes on to the end of the condition, or to `to`. The AND of BETWEEN, and those between CASE and END, part nothing. */
function piecesFrom(
  source: Source,
  from: number,
  to: number,
): { readonly pieces: readonly Extent[]; readonly end: number } {
  const pieces: Extent[] = [];
  let start = from;
  let betweens = 0;
  let cases = 0;
  let index = from;
  for (; index < to; index += 1) {
    if (symbolAt(source, index, "(") || symbolAt(source, index, "[")) {
      index = closingIndex(source, index);
      continue;
    }
    if (closers.some((symbol) => symbolAt(source, index, symbol))) break;
    if (source.tokens[index]!.kind !== "word" || symbolAt(source, index - 1, ".")) continue;
    if (keywordAt(source, index, "case")) cases += 1;
    else if (keywordAt(source, index, "end")) cases -= 1;
    else if (cases > 0) continue;
    else if (keywordAt(source, index, "between")) betweens += 1;
    else if (keywordAt(source, index, "and")) {
      if (betweens > 0) betweens -= 1;
      else {
        pieces.push({ from: start, to: index });
        start = index + 1;
      }
    } else if (endsCondition(source, index)) break;
  }
  pieces.push({ from: start, to: index });
  return { pieces, end: index };
}

/** Outside of brackets, these are behind a condition. */
const closers: readonly string[] = [")", "]", ";", ","];

/** Words that can stand behind a condition; all of these words are reserved. */
const enders: readonly string[] =
  "group having window union intersect except order limit offset for on using where returning when".split(
    " ",
  );

/** The first word of a join is a name too: `left(a, 1)`. WITH belongs to `IS JSON … WITH UNIQUE` as well. */
const enderPairs: readonly (readonly [word: string, next: readonly string[]])[] = [
  ["join", []],
  ["inner", ["join"]],
  ["cross", ["join"]],
  ["natural", ["join", "inner", "left", "right", "full"]],
  ["left", ["join", "outer"]],
  ["right", ["join", "outer"]],
  ["full", ["join", "outer"]],
  ["fetch", ["first", "next"]],
  ["with", ["no", "data", "check", "local", "cascaded"]],
];

function endsCondition(source: Source, index: number): boolean {
  if (enders.some((word) => keywordAt(source, index, word))) return true;
  return enderPairs.some(
    ([word, next]) =>
      keywordAt(source, index, word) &&
      (next.length === 0 || next.some((second) => keywordAt(source, index + 1, second))),
  );
}
