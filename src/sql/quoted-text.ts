import { isSpace } from "./plain-tokens.ts";

/** How a string constant reads what is inside: `E'…'` has escapes, `B'…'` and `X'…'` not even doubled quotes. */
export type StringForm = "plain" | "escapes" | "bits";

/**
 * The end of a string constant whose text begins at `from`, behind its first quote; undefined when
 * it is never closed. A string goes on behind white space that holds a newline: `'a'` newline `'b'` is one constant.
 */
export function endOfString(bytes: Buffer, from: number, form: StringForm): number | undefined {
  let at = from;
  for (;;) {
    const quote = form === "escapes" ? unescapedQuote(bytes, at) : bytes.indexOf(0x27, at);
    if (quote < 0) return undefined;
    if (bytes[quote + 1] === 0x27 && form !== "bits") {
      at = quote + 2;
      continue;
    }
    const next = continuation(bytes, quote + 1);
    if (next === undefined) return quote + 1;
    at = next;
  }
}

/** The first quote from `from` on that no backslash escapes; -1 if none. */
function unescapedQuote(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at += 1) {
    if (bytes[at] === 0x27) return at;
    if (bytes[at] === 0x5c) at += 1;
  }
  return -1;
}

/** The end of a quoted identifier whose text begins at `from`; a doubled quote stays inside. */
export function endOfQuoted(bytes: Buffer, from: number): number | undefined {
  let at = from;
  for (;;) {
    const quote = bytes.indexOf(0x22, at);
    if (quote < 0) return undefined;
    if (bytes[quote + 1] !== 0x22) return quote + 1;
    at = quote + 2;
  }
}

/**
 * Where the text goes on behind a quote at `from` (scan.l: quotecontinue); undefined if it does
 * not. Line comments count as white space here, block comments do not.
 */
function continuation(bytes: Buffer, from: number): number | undefined {
  let at = from;
  let newline = false;
  for (;;) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    if (isSpace(byte)) {
      if (byte === 0x0a || byte === 0x0d) newline = true;
      at += 1;
    } else if (byte === 0x2d && bytes[at + 1] === 0x2d) {
      at += 2;
      while (at < bytes.length && bytes[at] !== 0x0a && bytes[at] !== 0x0d) at += 1;
      if (at === bytes.length) return undefined;
    } else {
      return newline && byte === 0x27 ? at + 1 : undefined;
    }
  }
}
