import { constantRow, endOfItemLike, endOfPlainString, endOfRowLike, skipSpace } from "./constant-row.ts";
import { isKeyword, tokenAt, type Token } from "./lexer.ts";
import { endOfOperatorRun } from "./plain-tokens.ts";

/** Where bytes were left out of a text. Offsets are in the short text, except for the first two. */
export type Cut = {
  /** The bytes of the whole text that are missing. */
  readonly from: number;
  readonly to: number;
  /** Where they are missing. */
  readonly at: number;
  /** What they are part of, for the tree to show it. */
  readonly inside: Inside;
};

type Inside =
  /** Rows of constants: where the first items of the rows before and behind stand, and how many items a row has. */
  | { readonly kind: "rows"; readonly before: number; readonly behind: number; readonly items: number }
  /** Constants in IN or ARRAY: the items before and behind. */
  | { readonly kind: "items"; readonly before: number; readonly behind: number }
  /** The end of a string constant: where it starts, the value that is left, and all of it. */
  | {
      readonly kind: "literal";
      readonly start: number;
      readonly value: string;
      readonly whole: () => string;
    };

/** A text, and the same without what its meaning does not depend on. */
export type ShortText = {
  readonly whole: Buffer;
  readonly text: string;
  /** In the order of the text. */
  readonly cuts: readonly Cut[];
};

/** In bytes: a cut that saves less is not worth the trouble; so much stays of a long string. */
type CutSizes = { readonly leastSaved: number; readonly literalKept: number };

const usual: CutSizes = { leastSaved: 512, literalKept: 512 };

/** A text with nothing left out. */
export function wholeText(text: string): ShortText {
  return { whole: Buffer.from(text), text, cuts: [] };
}

/**
 * The text without what is only more of the same, so that a bulk insert is judged as quickly as one of a few rows: rows
 * of constants between two others, constants between two others in IN or ARRAY, and the rest of a long string constant.
 *
 * Why the rest of the text reads as before: the scanner decides by the bytes from where it is, and the grammar by its
 * state. Behind each comma of a list of constants both are in the same state, and a plain string constant is in one
 * state up to its closing quote. That a cut lies in such a list or string, the tree of the short text must show
 * (cut-proof.ts); what was left out was read as nothing but constants here (constant-row.ts).
 */
export function shortText(text: string, sizes = usual): ShortText {
  if (text.length < sizes.leastSaved || !text.isWellFormed()) return wholeText(text);
  const whole = Buffer.from(text);
  const cuts = whole.includes(0) ? [] : findCuts(whole, sizes);
  if (cuts.length === 0) return { whole, text, cuts };
  const parts: string[] = [];
  let from = 0;
  for (const cut of cuts) {
    parts.push(whole.toString("utf8", from, cut.from));
    from = cut.to;
  }
  parts.push(whole.toString("utf8", from));
  return { whole, text: parts.join(""), cuts };
}

/** A list of constants; from its second element to its last it can be left out. */
type List = { readonly second: number; readonly last: number; readonly inside: (removed: number) => Inside };

/** As in guards.ts. */
const mostRescanned = 128 * 1024;

function findCuts(whole: Buffer, { leastSaved, literalKept }: CutSizes): Cut[] {
  const cuts: Cut[] = [];
  let removed = 0;
  let list: List | undefined;
  /** Up to here the lists have been looked at. */
  let seen = 0;
  let before: Token | undefined;
  let runEnd = 0;
  let rescanned = 0;
  const cut = (from: number, to: number, inside: Inside): void => {
    cuts.push({ from, to, at: from - removed, inside });
    removed += to - from;
  };
  for (let token = tokenAt(whole, 0); token !== undefined;) {
    if (list !== undefined && token.start >= list.second) {
      const { second, last, inside } = list;
      cut(second, last, inside(removed + last - second));
      list = undefined;
      before = undefined;
      token = tokenAt(whole, last);
      continue;
    }
    if (token.kind === "operator" || token.kind === "comment") {
      // What the guards refuse before it is parsed must not be read to its end here either.
      if (token.start >= runEnd) runEnd = endOfOperatorRun(whole, token.start);
      rescanned += runEnd - token.start;
      if (rescanned > mostRescanned) return [];
    }
    const byte = whole[token.start];
    if (token.kind === "punctuation" && (byte === 0x28 || byte === 0x5b) && token.start >= seen) {
      const found = itemsAt(whole, token.start, before, removed) ?? rowsAt(whole, token.start, removed);
      if (found !== undefined) seen = found.last;
      if (found !== undefined && found.last - found.second >= leastSaved) list = found;
    } else if (token.kind === "string" && token.end - token.start > literalKept + leastSaved) {
      const rest = restOfLiteral(whole, token, literalKept);
      if (rest !== undefined && rest.to - rest.from >= leastSaved)
        cut(rest.from, rest.to, { ...rest.inside, start: token.start - removed });
    }
    if (token.kind !== "comment") before = token;
    token = tokenAt(whole, token.end);
  }
  return cuts;
}

/** `(…), (…), (…)` */
function rowsAt(whole: Buffer, open: number, removed: number): List | undefined {
  if (whole[open] !== 0x28) return undefined;
  const row = constantRow(whole, open);
  if (row === undefined) return undefined;
  let second = 0;
  let last = 0;
  for (let end = row.end; end > 0;) {
    const next = behindComma(whole, end);
    end = next > 0 && whole[next] === 0x28 ? endOfRowLike(whole, next, row) : -1;
    if (end > 0) {
      if (second === 0) second = next;
      last = next;
    }
  }
  if (second === 0) return undefined;
  const before = row.start - removed;
  const behind = skipSpace(whole, last + 1);
  const inside = (gone: number): Inside => ({
    kind: "rows",
    before,
    behind: behind - gone,
    items: row.defaults.length,
  });
  return { second, last, inside };
}

const noCasts: ReadonlySet<string> = new Set();

/** `IN (…, …, …)` and `ARRAY[…, …, …]` */
function itemsAt(whole: Buffer, open: number, word: Token | undefined, removed: number): List | undefined {
  const wanted = whole[open] === 0x5b ? "array" : "in";
  if (word === undefined || !isKeyword(whole, word, wanted)) return undefined;
  const first = skipSpace(whole, open + 1);
  const parameter = whole[first] === 0x24;
  let second = 0;
  let last = 0;
  for (let end = endOfItemLike(whole, first, noCasts); end > 0;) {
    const next = behindComma(whole, end);
    // A condition on a parameter is judged by other rules than one on a value.
    end = next > 0 && (whole[next] === 0x24) === parameter ? endOfItemLike(whole, next, noCasts) : -1;
    // What an item is shows only in what stands behind it.
    if (end > 0 && isSeparator(whole, end)) {
      if (second === 0) second = next;
      last = next;
    } else end = -1;
  }
  if (second === 0) return undefined;
  const before = first - removed;
  return { second, last, inside: (gone) => ({ kind: "items", before, behind: last - gone }) };
}

function isSeparator(whole: Buffer, end: number): boolean {
  const byte = whole[skipSpace(whole, end)];
  return byte === 0x2c || byte === 0x29 || byte === 0x5d;
}

/** Where the next element of a list starts; 0 if no comma stands behind the one that ends at `end`. */
function behindComma(whole: Buffer, end: number): number {
  const comma = skipSpace(whole, end);
  return whole[comma] === 0x2c ? skipSpace(whole, comma + 1) : 0;
}

/** All but the beginning of a plain or dollar-quoted string constant. */
function restOfLiteral(
  whole: Buffer,
  { start, end }: Token,
  literalKept: number,
): { from: number; to: number; inside: Omit<Extract<Inside, { kind: "literal" }>, "start"> } | undefined {
  const dollar = whole[start] === 0x24;
  if (!dollar && (whole[start] !== 0x27 || endOfPlainString(whole, start + 1) !== end)) return undefined;
  const first = dollar ? whole.indexOf(0x24, start + 1) + 1 : start + 1;
  const to = dollar ? end - (first - start) : end - 1;
  let from = first + literalKept;
  while (from > first && (whole[from]! & 0xc0) === 0x80) from -= 1;
  if (dollar) {
    // What stays must not end the constant together with its closing tag.
    const inTheWay = whole.indexOf(0x24, first);
    if (inTheWay < from) return undefined;
  } else {
    from = betweenQuotes(whole, first, from);
  }
  if (from >= to) return undefined;
  const read = (upTo: number): string => {
    const text = whole.toString("utf8", first, upTo);
    return dollar ? text : text.replaceAll("''", "'");
  };
  return { from, to, inside: { kind: "literal", value: read(from), whole: () => read(to) } };
}

/** The offset, or the one behind it where it lies between a quote and its double. */
function betweenQuotes(whole: Buffer, first: number, offset: number): number {
  let at = first;
  while (at < offset) at += whole[at] === 0x27 ? 2 : 1;
  return at;
}
