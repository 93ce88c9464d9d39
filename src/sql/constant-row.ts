import { isDigit, isIdentifierPart, isIdentifierStart } from "./plain-tokens.ts";

/** `(item, item, …)`, all of them constants. */
export type ConstantRow = {
  /** Byte offset of the first item. */
  readonly start: number;
  /** Which of the items are the word DEFAULT; the others are values. */
  readonly defaults: readonly boolean[];
  /** Casts behind values, such as `::date`. */
  readonly casts: ReadonlySet<string>;
  /** Byte offset behind the closing bracket. */
  readonly end: number;
};

/** `::name`, perhaps with a schema, modifier and brackets. */
const longestCast = 64;

/**
 * Reads the row of constants whose bracket stands at `open`; undefined if there is anything else in it. Only forms are
 * taken in which the scanner can be in one state alone: numbers, plain strings of one part, parameters, NULL, TRUE,
 * FALSE, DEFAULT, with plain white space between them, each up to a comma or the closing bracket.
 */
export function constantRow(bytes: Buffer, open: number): ConstantRow | undefined {
  const defaults: boolean[] = [];
  const casts = new Set<string>();
  for (let at = open; ;) {
    const start = skipSpace(bytes, at + 1);
    const value = endOfConstant(bytes, start);
    const end = value < 0 ? -1 : endOfCast(bytes, start, value);
    if (end < 0) return undefined;
    defaults.push(isDefault(bytes, start));
    if (end > value) casts.add(bytes.toString("latin1", value, end));
    at = skipSpace(bytes, end);
    if (bytes[at] === 0x29) return { start: skipSpace(bytes, open + 1), defaults, casts, end: at + 1 };
    if (bytes[at] !== 0x2c) return undefined;
  }
}

/** The end of another row at `open` that has as many items, DEFAULT in the same places and no other casts; -1 if there is none. */
export function endOfRowLike(bytes: Buffer, open: number, { defaults, casts }: ConstantRow): number {
  let at = open;
  for (let index = 0; index < defaults.length; index += 1) {
    if (index > 0 && bytes[at] !== 0x2c) return -1;
    const end = endOfItemLike(bytes, skipSpace(bytes, at + 1), casts);
    if (end < 0 || isDefault(bytes, skipSpace(bytes, at + 1)) !== defaults[index]) return -1;
    at = skipSpace(bytes, end);
  }
  return bytes[at] === 0x29 ? at + 1 : -1;
}

/** The end of the item at `start`, with one of the casts or none; -1 if it is no constant. */
export function endOfItemLike(bytes: Buffer, start: number, casts: ReadonlySet<string>): number {
  const value = endOfConstant(bytes, start);
  if (value < 0 || bytes[value] !== 0x3a) return value;
  const end = endOfCast(bytes, start, value);
  return end > 0 && casts.has(bytes.toString("latin1", value, end)) ? end : -1;
}

function isDefault(bytes: Buffer, start: number): boolean {
  return (bytes[start]! | 0x20) === 0x64;
}

function endOfConstant(bytes: Buffer, start: number): number {
  const first = bytes[start] ?? 0;
  if (first === 0x27) return endOfPlainString(bytes, start + 1);
  if (isIdentifierStart(first)) return endOfConstantWord(bytes, start);
  if (first !== 0x24) return endOfNumber(bytes, start);
  const end = endOfDigits(bytes, start + 1);
  return end > start + 1 ? end : -1;
}

/** The offset of the first byte from `at` on that is no white space in any version. */
export function skipSpace(bytes: Buffer, at: number): number {
  for (let end = at; ; end += 1) {
    const byte = bytes[end];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x09 && byte !== 0x0d && byte !== 0x0c) return end;
  }
}

/** Behind the quote that closes a string whose text begins at `from`; -1 if none does, or a NUL stands in it. */
export function endOfPlainString(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === 0) return -1;
    if (byte !== 0x27) continue;
    if (bytes[at + 1] !== 0x27) return at + 1;
    at += 1;
  }
  return -1;
}

const words = ["null", "true", "false", "default"];

function endOfConstantWord(bytes: Buffer, start: number): number {
  for (const word of words) {
    let at = 0;
    while (at < word.length && (bytes[start + at]! | 0x20) === word.charCodeAt(at)) at += 1;
    if (at === word.length) return isIdentifierPart(bytes[start + at] ?? 0) ? -1 : start + at;
  }
  return -1;
}

/** Digits with at most one sign, dot and exponent; -1 for anything else. What stands behind is the caller's to look at. */
function endOfNumber(bytes: Buffer, start: number): number {
  const from = bytes[start] === 0x2d ? start + 1 : start;
  let at = endOfDigits(bytes, from);
  if (at === from) return -1;
  if (bytes[at] === 0x2e) {
    const dot = at + 1;
    at = endOfDigits(bytes, dot);
    if (at === dot) return -1;
  }
  if ((bytes[at]! | 0x20) === 0x65) {
    const sign = bytes[at + 1] === 0x2d || bytes[at + 1] === 0x2b ? 2 : 1;
    const exponent = at + sign;
    at = endOfDigits(bytes, exponent);
    if (at === exponent) return -1;
  }
  return at;
}

function endOfDigits(bytes: Buffer, start: number): number {
  let at = start;
  while (isDigit(bytes[at] ?? 0)) at += 1;
  return at;
}

/**
 * The end of what stands behind the value that ends at `end`: that of a cast, or `end` itself; -1 for what is no cast,
 * and for -1::int, which is the negative of a cast and so an operator's work.
 */
function endOfCast(bytes: Buffer, start: number, end: number): number {
  if (bytes[end] !== 0x3a) return end;
  if (bytes[end + 1] !== 0x3a || !isIdentifierStart(bytes[end + 2] ?? 0)) return -1;
  if (bytes[start] === 0x2d || isDefault(bytes, start)) return -1;
  let at = end + 2;
  while (isIdentifierPart(bytes[at] ?? 0) || bytes[at] === 0x2e) at += 1;
  if (bytes[at] === 0x28) {
    at += 1;
    while (isDigit(bytes[at] ?? 0) || bytes[at] === 0x2c) at += 1;
    if (bytes[at] !== 0x29) return -1;
    at += 1;
  }
  if (bytes[at] === 0x5b && bytes[at + 1] === 0x5d) at += 2;
  return at - end > longestCast ? -1 : at;
}
