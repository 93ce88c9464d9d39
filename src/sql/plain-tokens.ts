/** One bit per class of character in scan.l, so that a test is one look-up. */
const space = 1;
const digit = 2;
const identifierStart = 4;
const operator = 8;
/** Operator characters that let an operator end in + or - (SQL's own operators may not). */
const freeing = 16;
const hexDigit = 32;

const classes = new Uint8Array(256);
const mark = (characters: string, bit: number) => {
  for (let at = 0; at < characters.length; at += 1) classes[characters.charCodeAt(at)]! |= bit;
};
// VT is white space from 16 on; 15 refuses it outside strings, so that reading it as white space changes nothing there.
mark(" \t\n\r\f\v", space);
mark("0123456789", digit | hexDigit);
mark("abcdefABCDEF", hexDigit);
mark("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_", identifierStart);
mark("~!@#^&|`?+-*/%<>=", operator);
mark("~!@#^&|`?%", freeing);
for (let byte = 0x80; byte <= 0xff; byte += 1) classes[byte] = identifierStart;

const has = (byte: number, bit: number) => ((classes[byte] as number) & bit) !== 0;

export const isSpace = (byte: number): boolean => has(byte, space);
export const isDigit = (byte: number): boolean => has(byte, digit);
export const isIdentifierStart = (byte: number): boolean => has(byte, identifierStart);
export const isIdentifierPart = (byte: number): boolean =>
  has(byte, identifierStart | digit) || byte === 0x24;
export const isOperatorPart = (byte: number): boolean => has(byte, operator);

/**
 * The end of the operator at `start`, by scan.l's rule: the longest run of operator characters, cut
 * before a comment, and shorn of trailing + and - unless it holds one of ~ ! @ # ^ & | ` ? %.
 * Returns `start` when no operator stands there.
 */
export function endOfOperator(bytes: Buffer, start: number): number {
  let end = start;
  let free = false;
  let freeUpTo = start;
  while (end < bytes.length && has(bytes[end]!, operator)) {
    const next = bytes[end + 1];
    if (bytes[end] === 0x2f && next === 0x2a) break;
    if (bytes[end] === 0x2d && next === 0x2d) break;
    if (has(bytes[end]!, freeing)) {
      if (!free) freeUpTo = end;
      free = true;
    }
    end += 1;
  }
  const last = end - 1;
  const signed = bytes[last] === 0x2b || bytes[last] === 0x2d;
  // A freeing character in the last place is no sign, so it is always before a trailing sign.
  if (end - start > 1 && signed && !(free && freeUpTo < last)) {
    while (end - start > 1 && (bytes[end - 1] === 0x2b || bytes[end - 1] === 0x2d)) end -= 1;
  }
  return end;
}

/** The end of the run of operator characters at `start`: what the scanner reads before it decides. */
export function endOfOperatorRun(bytes: Buffer, start: number): number {
  let end = start;
  while (end < bytes.length && has(bytes[end]!, operator)) end += 1;
  return end;
}

/**
 * The end of the number at `start`, by scan.l's rules of 16 and later: `1`, `1.5`, `.5`, `1.`,
 * `1e-5`, `0x1F`, `0o17`, `0b1`, `1_000`; the dots of `1..10` are no part of it. What 15 and later
 * refuse as junk (`1a`, in 15 `0x1F`) need not agree with any rule.
 */
export function endOfNumber(bytes: Buffer, start: number): number {
  if (bytes[start] === 0x30) {
    const base = (bytes[start + 1] ?? 0) | 0x20;
    const radix = base === 0x78 ? hexDigit : base === 0x6f || base === 0x62 ? digit : 0;
    if (radix !== 0) {
      const end = endOfDigits(bytes, start + 2, radix);
      if (end > start + 2) return end;
    }
  }
  let end = endOfDigits(bytes, start, digit);
  if (bytes[end] === 0x2e && !(end > start && bytes[end + 1] === 0x2e)) {
    end = endOfDigits(bytes, end + 1, digit);
  }
  if (((bytes[end] ?? 0) | 0x20) === 0x65) {
    const sign = bytes[end + 1];
    const exponent = end + (sign === 0x2b || sign === 0x2d ? 2 : 1);
    const behind = endOfDigits(bytes, exponent, digit);
    if (behind > exponent) end = behind;
  }
  return end;
}

/** Digits, with single underscores between them (or, behind a prefix such as 0x, before them). */
function endOfDigits(bytes: Buffer, start: number, radix: number): number {
  let end = start;
  for (;;) {
    const byte = bytes[end] ?? 0;
    if (has(byte, radix)) end += 1;
    else if (byte === 0x5f && has(bytes[end + 1] ?? 0, radix)) end += 2;
    else return end;
  }
}
