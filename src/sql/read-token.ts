import { endOfNumber, endOfOperator, isDigit, isIdentifierPart, isIdentifierStart } from "./plain-tokens.ts";
import { endOfQuoted, endOfString } from "./quoted-text.ts";

/**
 * The token kinds of the server's scanner (src/backend/parser/scan.l), as far as ends and
 * neighbours need them told apart. `invalid` is what the scanner raises an error for; it reaches
 * to the end of the text.
 */
type TokenKind =
  /** An identifier or keyword without quotes. */
  | "word"
  /** `"…"` or `U&"…"`. */
  | "quoted"
  /** `'…'` with any prefix and its continuations on later lines, or `$tag$…$tag$`. */
  | "string"
  | "number"
  /** `$1` */
  | "parameter"
  /** Operators, and the characters that the grammar uses as such: `+`, `=`, `::`, `:=`, `=>`, … */
  | "operator"
  /** One of `( ) [ ] , ; . :` or `..`. */
  | "punctuation"
  | "comment"
  | "invalid";

/** `start` and `end` are byte offsets, `end` being that behind the last byte. */
export type Token = { readonly kind: TokenKind; readonly start: number; readonly end: number };

/** The token or comment whose first byte is at `start`. */
export function readToken(bytes: Buffer, start: number): Token {
  const first = byteAt(bytes, start);
  const second = byteAt(bytes, start + 1);
  const token = (kind: TokenKind, end: number): Token => ({ kind, start, end });
  const orInvalid = (kind: TokenKind, end: number | undefined): Token =>
    end === undefined ? token("invalid", bytes.length) : token(kind, end);

  switch (first) {
    case 0x27: // '
      return orInvalid("string", endOfString(bytes, start + 1, "plain"));
    case 0x22: // "
      return orInvalid("quoted", endOfQuoted(bytes, start + 1));
    case 0x2d: // -
      if (second === 0x2d) return token("comment", endOfLine(bytes, start));
      break;
    case 0x2f: // /
      if (second === 0x2a) return orInvalid("comment", endOfComment(bytes, start));
      break;
    case 0x24: // $
      return dollar(bytes, start);
    case 0x2e: // .
      if (isDigit(second)) return token("number", endOfNumber(bytes, start));
      return token("punctuation", second === 0x2e ? start + 2 : start + 1);
    case 0x3a: // :
      if (second === 0x3a || second === 0x3d) return token("operator", start + 2);
      return token("punctuation", start + 1);
    case 0x28:
    case 0x29:
    case 0x5b:
    case 0x5d:
    case 0x2c:
    case 0x3b: // ( ) [ ] , ;
      return token("punctuation", start + 1);
    default:
      break;
  }
  if (isIdentifierStart(first)) {
    if (second === 0x27) {
      const prefix = first | 0x20;
      if (prefix === 0x65) return orInvalid("string", endOfString(bytes, start + 2, "escapes")); // E'…'
      if (prefix === 0x62 || prefix === 0x78)
        return orInvalid("string", endOfString(bytes, start + 2, "bits")); // B X
    }
    if (second === 0x26 && (first | 0x20) === 0x75) {
      const third = byteAt(bytes, start + 2); // U&
      if (third === 0x27) return orInvalid("string", endOfString(bytes, start + 3, "plain"));
      if (third === 0x22) return orInvalid("quoted", endOfQuoted(bytes, start + 3));
    }
    let end = start + 1;
    while (isIdentifierPart(byteAt(bytes, end))) end += 1;
    return token("word", end);
  }
  if (isDigit(first)) return token("number", endOfNumber(bytes, start));
  const end = endOfOperator(bytes, start);
  return end > start ? token("operator", end) : token("invalid", bytes.length);
}

function dollar(bytes: Buffer, start: number): Token {
  let at = start + 1;
  if (isDigit(byteAt(bytes, at))) {
    while (isDigit(byteAt(bytes, at))) at += 1;
    return { kind: "parameter", start, end: at };
  }
  if (isIdentifierStart(byteAt(bytes, at))) {
    while (isIdentifierPart(byteAt(bytes, at)) && byteAt(bytes, at) !== 0x24) at += 1;
  }
  if (byteAt(bytes, at) !== 0x24) return { kind: "invalid", start, end: bytes.length };
  const tag = bytes.subarray(start, at + 1);
  const close = bytes.indexOf(tag, at + 1);
  if (close < 0) return { kind: "invalid", start, end: bytes.length };
  return { kind: "string", start, end: close + tag.length };
}

function endOfLine(bytes: Buffer, start: number): number {
  let end = start;
  while (end < bytes.length && byteAt(bytes, end) !== 0x0a && byteAt(bytes, end) !== 0x0d) end += 1;
  return end;
}

/** Comments nest, as SQL says and C does not. */
function endOfComment(bytes: Buffer, start: number): number | undefined {
  let depth = 1;
  for (let at = start + 2; at < bytes.length; at += 1) {
    const byte = byteAt(bytes, at);
    const next = byteAt(bytes, at + 1);
    if (byte === 0x2f && next === 0x2a) {
      depth += 1;
      at += 1;
    } else if (byte === 0x2a && next === 0x2f) {
      depth -= 1;
      at += 1;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
}

/** The byte at an offset; 0, which no valid text holds, beyond the end. */
export function byteAt(bytes: Buffer, at: number): number {
  return at < bytes.length ? (bytes[at] as number) : 0;
}
