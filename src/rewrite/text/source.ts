import { refuse } from "../../errors.ts";
import { endOfRelationName, is, isKeyword, tokens, type Token } from "../../sql/lexer.ts";
import type { ShortText } from "../../sql/short-text.ts";

/** A client's text as bytes and tokens: where the tree gives only a start, the tokens give the end. */
export type Source = {
  readonly bytes: Buffer;
  readonly tokens: readonly Token[];
  /** For each token that opens a bracket the index of the one that closes it; 0: it is never closed. */
  readonly closing: Int32Array;
  /** What was left out of the client's text: what stands around a cut is not all that the client wrote there. */
  readonly short: ShortText;
};

/** Most texts are judged without a look at their tokens, so these are read when somebody asks. */
export function readSource(short: ShortText): Source {
  const bytes = short.cuts.length === 0 ? short.whole : Buffer.from(short.text);
  let all: readonly Token[] | undefined;
  let closing: Int32Array | undefined;
  const read = (): readonly Token[] => (all ??= [...tokens(bytes)]);
  return {
    bytes,
    short,
    get tokens() {
      return read();
    },
    get closing() {
      return (closing ??= matchBrackets(bytes, read()));
    },
  };
}

/** One pass, so that whoever looks for an end steps over what lies between, however deep. */
function matchBrackets(bytes: Buffer, all: readonly Token[]): Int32Array {
  const closing = new Int32Array(all.length);
  const open: number[] = [];
  for (const [index, { kind, start }] of all.entries()) {
    if (kind !== "punctuation") continue;
    const byte = bytes[start];
    if (byte === 0x28 || byte === 0x5b) open.push(index);
    else if (byte === 0x29 || byte === 0x5d) {
      const opener = open.pop();
      if (opener !== undefined) closing[opener] = index;
    }
  }
  return closing;
}

/** The index of the token at a byte offset that the tree gives. */
export function indexOf(source: Source, offset: number): number {
  return indexAt(source, offset) ?? refuse("internal", "no token where the tree says that one stands");
}

/** The same, where a token may or may not begin at the offset. */
export function indexAt(source: Source, offset: number): number | undefined {
  const index = indexFrom(source, offset);
  return source.tokens[index]?.start === offset ? index : undefined;
}

export function keywordAt(source: Source, index: number, keyword: string): boolean {
  const token = source.tokens[index];
  return token !== undefined && isKeyword(source.bytes, token, keyword);
}

export function symbolAt(source: Source, index: number, symbol: string): boolean {
  const token = source.tokens[index];
  return token !== undefined && is(source.bytes, token, symbol);
}

/** The index of the token behind the dotted name that starts at a byte offset. */
export function indexAfterName(source: Source, offset: number): number {
  const end = endOfRelationName(source.bytes, offset);
  let index = indexOf(source, offset);
  while (index < source.tokens.length && source.tokens[index]!.start < end) index += 1;
  return index;
}

/** The index of the parenthesis that closes the one at `open`. */
export function closingIndex(source: Source, open: number): number {
  const close = source.closing[open];
  if (close !== undefined && close > 0) return close;
  return refuse("internal", "no closed bracket where the tree says that one stands");
}

/**
 * The index of the first token that ends the statement or sub-statement that `from` lies in: the closing
 * parenthesis around it, the semicolon behind it, or the end of the text.
 */
export function endIndex(source: Source, from: number): number {
  return scan(source, from, () => false);
}

/**
 * The index of the next occurrence of a keyword at the depth of `from`, or that of the statement's end. Behind AS and
 * behind a dot any keyword is a name.
 */
export function keywordIndex(source: Source, from: number, keyword: string): number {
  const isName = (index: number): boolean =>
    keywordAt(source, index - 1, "as") || symbolAt(source, index - 1, ".");
  return scan(source, from, (index) => keywordAt(source, index, keyword) && !isName(index));
}

/** The index of the next comma at the depth of `from`, or that of the statement's end. */
export function commaIndex(source: Source, from: number, before: number): number {
  return Math.min(
    before,
    scan(source, from, (index) => symbolAt(source, index, ",")),
  );
}

function scan(source: Source, from: number, found: (index: number) => boolean): number {
  const { bytes, tokens: all, closing } = source;
  for (let index = from; index < all.length; index += 1) {
    if (found(index)) return index;
    const { kind, start } = all[index]!;
    if (kind !== "punctuation") continue;
    const byte = bytes[start];
    if (byte === 0x3b || byte === 0x29 || byte === 0x5d) return index; // ; ) ]
    if (byte === 0x28 || byte === 0x5b) {
      index = closing[index]!;
      if (index === 0) break;
    }
  }
  return all.length;
}

/** Byte offset of a token's start; the end of the text for the index behind the last one. */
export function startOf(source: Source, index: number): number {
  return source.tokens[index]?.start ?? source.bytes.length;
}

/** Byte offset behind the token before `index`: where something is added that must stand before a trailing comment. */
export function endBefore(source: Source, index: number): number {
  return source.tokens[index - 1]?.end ?? 0;
}

/** True if something was left out between two byte offsets of the source, or at one of them. */
export function isCut({ short }: Source, from: number, to: number): boolean {
  return short.cuts.some(({ at }) => from <= at && at <= to);
}

/** What the client wrote between two byte offsets of the source, what was left out included. */
export function wholeBetween({ short }: Source, from: number, to: number): string {
  let start = from;
  let end = to;
  for (const cut of short.cuts) {
    if (cut.at < from) start += cut.to - cut.from;
    if (cut.at <= to) end += cut.to - cut.from;
  }
  return short.whole.toString("utf8", start, end);
}

const counts = new WeakMap<Source, ReadonlyMap<string, number>>();

/** How often each parameter stands in the client's text, as `$1` even where it is written `$01`. Counted once. */
export function parameterCounts(source: Source): ReadonlyMap<string, number> {
  const known = counts.get(source);
  if (known !== undefined) return known;
  const found = new Map<string, number>();
  const count = (written: string) => {
    const text = written.replace(/^\$0+(?=\d)/, "$");
    found.set(text, (found.get(text) ?? 0) + 1);
  };
  for (const { kind, start, end } of source.tokens)
    if (kind === "parameter") count(source.bytes.toString("latin1", start, end));
  const { whole, cuts } = source.short;
  // In a string `$1` is no parameter; one too many does no harm.
  for (const { from, to } of cuts)
    for (const [text] of whole.toString("latin1", from, to).matchAll(/\$\d+/g)) count(text);
  counts.set(source, found);
  return found;
}

/** The index of the first token at or behind a byte offset; that behind the last one if there is none. */
export function indexFrom(source: Source, offset: number): number {
  let low = 0;
  let high = source.tokens.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (source.tokens[middle]!.start < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** True if the name that starts at an index stands as `ONLY (name)`. */
export function inOnlyBrackets(source: Source, first: number): boolean {
  return symbolAt(source, first - 1, "(") && keywordAt(source, first - 2, "only");
}
