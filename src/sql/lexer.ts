import { refuse } from "../errors.ts";
import { isSpace } from "./plain-tokens.ts";
import { byteAt, readToken, type Token } from "./read-token.ts";

export type { Token } from "./read-token.ts";

/** The tokens of UTF-8 `bytes` from byte offset `from` on, comments left out. `from` must not lie inside a token. */
export function* tokens(bytes: Buffer, from = 0): Generator<Token, void> {
  for (const token of tokensAndComments(bytes, from)) {
    if (token.kind !== "comment") yield token;
  }
}

/** Like `tokens`, with the comments. */
export function* tokensAndComments(bytes: Buffer, from = 0): Generator<Token, void> {
  for (let token = tokenAt(bytes, from); token; token = tokenAt(bytes, token.end)) yield token;
}

/** The first token or comment at or behind byte offset `from`; undefined where only white space is left. */
export function tokenAt(bytes: Buffer, from: number): Token | undefined {
  let start = from;
  while (start < bytes.length && isSpace(byteAt(bytes, start))) start += 1;
  if (start >= bytes.length) return undefined;
  return readToken(bytes, start);
}

/** The first token at or behind byte offset `from` that is not a comment. */
function tokenFrom(bytes: Buffer, from: number): Token | undefined {
  let token = tokenAt(bytes, from);
  while (token?.kind === "comment") token = tokenAt(bytes, token.end);
  return token;
}

/**
 * The byte offset behind the dotted name (`a`, `a.b`, `"a" . b . c`) whose first part stands at
 * byte offset `start`, as the location of a RangeVar or TypeName gives it. White space and comments may stand around the dots.
 * @throws RolegateError `internal` when no name stands there
 */
export function endOfRelationName(bytes: Buffer, start: number): number {
  let part = tokenAt(bytes, start);
  if (!part || part.start !== start || !isName(part))
    refuse("internal", "no name where the tree says that one stands");
  for (;;) {
    const escape = endOfUescape(bytes, part);
    const dot = tokenFrom(bytes, escape);
    if (!dot || !is(bytes, dot, ".")) return escape;
    const next = tokenFrom(bytes, dot.end);
    if (!next || !isName(next)) return escape;
    part = next;
  }
}

/**
 * The byte offset behind the bracket that closes the one at byte offset `open`, `(` or `[`.
 * @throws RolegateError `internal` when no bracket stands there or it is never closed
 */
export function matchingParen(bytes: Buffer, open: number): number {
  const first = bytes[open];
  const closer = first === 0x28 ? ")" : first === 0x5b ? "]" : undefined;
  const opener = first === 0x28 ? "(" : "[";
  let depth = 0;
  if (closer !== undefined) {
    for (const token of tokens(bytes, open)) {
      if (is(bytes, token, opener)) depth += 1;
      if (is(bytes, token, closer)) depth -= 1;
      if (depth === 0) return token.end;
    }
  }
  return refuse("internal", "no closed bracket where the tree says that one stands");
}

/** True if the token's bytes are `text`, compared exactly; for punctuation and operators. */
export function is(bytes: Buffer, token: Token, text: string): boolean {
  if (token.end - token.start !== text.length) return false;
  for (let at = 0; at < text.length; at += 1) {
    if (bytes[token.start + at] !== text.charCodeAt(at)) return false;
  }
  return token.kind !== "quoted" && token.kind !== "string";
}

/** True if the token is the keyword `word` (given in lower case), in any case of letters. */
export function isKeyword(bytes: Buffer, token: Token, word: string): boolean {
  if (token.kind !== "word" || token.end - token.start !== word.length) return false;
  for (let at = 0; at < word.length; at += 1) {
    // Keywords are ASCII: setting the bit 0x20 folds A-Z, and turns no other identifier byte into a letter.
    if ((byteAt(bytes, token.start + at) | 0x20) !== (word.charCodeAt(at) | 0x20)) return false;
  }
  return true;
}

function isName(token: Token): boolean {
  return token.kind === "word" || token.kind === "quoted";
}

/** `U&"d!0061" UESCAPE '!'` is one name to the grammar. */
function endOfUescape(bytes: Buffer, name: Token): number {
  if (name.kind !== "quoted" || bytes[name.start] === 0x22) return name.end;
  const keyword = tokenFrom(bytes, name.end);
  if (!keyword || !isKeyword(bytes, keyword, "uescape")) return name.end;
  const escape = tokenFrom(bytes, keyword.end);
  return escape?.kind === "string" ? escape.end : name.end;
}
