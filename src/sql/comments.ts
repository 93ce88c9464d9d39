import { isKeyword, tokenAt, type Token } from "./lexer.ts";

/**
 * libpg-query hands comments to its grammar as tokens, where the server's scanner drops them. It
 * skips them again everywhere but in the places where the scanner or the grammar looks one token
 * ahead: between the parts of a string constant, behind U&'…' and U&"…", and between these words.
 * There it may read another statement than the server, or none.
 */
const lookAhead: Readonly<Record<string, readonly string[]>> = {
  not: ["between", "in", "like", "ilike", "similar"],
  nulls: ["first", "last"],
  with: ["time", "ordinality"],
  without: ["time"],
  format: ["json"],
};

/** True if a comment stands where libpg-query reads on differently from the server. */
export function hasCommentInLookAhead(bytes: Buffer): boolean {
  let before: Token | undefined;
  let commented = false;
  for (let token = tokenAt(bytes, 0); token; token = tokenAt(bytes, token.end)) {
    if (token.kind === "comment") {
      commented = true;
    } else {
      // A string that goes on behind a comment is one token here, and two in libpg-query.
      if (token.kind === "string" && withoutInnerComments(bytes, token) !== undefined) return true;
      if (commented && before && looksAhead(bytes, before, token)) return true;
      before = token;
      commented = false;
    }
  }
  return false;
}

/**
 * The text with spaces in place of comments, one for each character so that positions stay: the
 * same to the server. A block comment behind a plain string stays, because without it the string
 * might go on on the next line.
 */
export function stripComments(bytes: Buffer): string {
  const parts: string[] = [];
  let from = 0;
  let before: Token | undefined;
  for (let token = tokenAt(bytes, 0); token; token = tokenAt(bytes, token.end)) {
    const replacement = replacementFor(bytes, token, before);
    if (token.kind !== "comment") before = token;
    if (replacement === undefined) continue;
    parts.push(bytes.toString("utf8", from, token.start), replacement);
    from = token.end;
  }
  parts.push(bytes.toString("utf8", from));
  return parts.join("");
}

function replacementFor(bytes: Buffer, token: Token, before: Token | undefined): string | undefined {
  if (token.kind !== "comment") return withoutInnerComments(bytes, token);
  const block = bytes[token.start] === 0x2f;
  if (block && before?.kind === "string" && !isUnicodeForm(bytes, before)) return undefined;
  return blank(bytes.toString("utf8", token.start, token.end));
}

/** As many spaces as the text has characters (code points). */
function blank(text: string): string {
  return text.replace(/[^]/gu, " ");
}

function looksAhead(bytes: Buffer, token: Token, next: Token): boolean {
  if (token.kind !== "word") return isUnicodeForm(bytes, token);
  for (const first in lookAhead) {
    if (isKeyword(bytes, token, first)) {
      return lookAhead[first]!.some((second) => isKeyword(bytes, next, second));
    }
  }
  return false;
}

/** `U&'…'` and `U&"…"`, behind which UESCAPE may follow. */
function isUnicodeForm(bytes: Buffer, token: Token): boolean {
  return (token.kind === "string" || token.kind === "quoted") && bytes[token.start + 1] === 0x26;
}

/** A string constant with the comments between its parts made spaces; undefined if it has none. */
function withoutInnerComments(bytes: Buffer, token: Token): string | undefined {
  if (token.kind !== "string" || bytes[token.start] === 0x24) return undefined;
  const text = bytes.subarray(token.start, token.end);
  if (!text.includes("--")) return undefined;
  return stripBetweenParts(text);
}

function stripBetweenParts(text: Buffer): string | undefined {
  const open = text.indexOf(0x27);
  const escapes = open === 1 && (text[0]! | 0x20) === 0x65;
  const parts: string[] = [];
  let inside = true;
  let from = 0;
  for (let at = open + 1; at < text.length; at += 1) {
    const byte = text[at];
    if (inside && escapes && byte === 0x5c) at += 1;
    else if (byte === 0x27) {
      if (inside && text[at + 1] === 0x27) at += 1;
      else inside = !inside;
    } else if (!inside && byte === 0x2d) {
      parts.push(text.toString("utf8", from, at));
      from = at;
      while (at < text.length && text[at] !== 0x0a && text[at] !== 0x0d) at += 1;
      parts.push(blank(text.toString("utf8", from, at)));
      from = at;
    }
  }
  if (parts.length === 0) return undefined;
  parts.push(text.toString("utf8", from));
  return parts.join("");
}
