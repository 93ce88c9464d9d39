import type { RawStmt } from "@pgsql/types";
import { stripComments } from "./comments.ts";
import { proveCuts, type ShortenedConstant } from "./cut-proof.ts";
import type { Parser, ParseResult } from "./parser.ts";
import { shortText, wholeText, type ShortText } from "./short-text.ts";

/** The statements of a text, with locations in its short form. */
export type ShortParse =
  | {
      readonly kind: "parsed";
      readonly statements: readonly RawStmt[];
      readonly short: ShortText;
      /** Constants of the tree that have only their beginning there. */
      readonly shortened: readonly ShortenedConstant[];
    }
  | Exclude<ParseResult, { kind: "parsed" }>;

/** Parses a text in its short form; whole, where the tree does not show that what was left out may be. */
export function parseShort(text: string, parser: Parser): ShortParse {
  const short = shortText(text);
  const longest = parser.limits.text;
  if (short.text.length > longest) return tooLong(longest, short);
  const parsed = parser.parse(short.text);
  if (parsed.kind === "refused") return parsed;
  if (parsed.kind === "error") return { ...parsed, position: wholePosition(short, parsed.position) };
  if (parsed.text === undefined) {
    const shortened = proveCuts(parsed.statements, short.cuts);
    return shortened === undefined
      ? parseWhole(text, parser)
      : { kind: "parsed", statements: parsed.statements, short, shortened };
  }
  // Comments were taken out: what is left is the text from here on.
  if (short.cuts.length === 0) {
    return { kind: "parsed", statements: parsed.statements, short: wholeText(parsed.text), shortened: [] };
  }
  return parseShort(stripComments(short.whole), parser);
}

function parseWhole(text: string, parser: Parser): ShortParse {
  const longest = parser.limits.text;
  if (text.length > longest) return tooLong(longest, wholeText(text));
  const parsed = parser.parse(text);
  if (parsed.kind !== "parsed") return parsed;
  return {
    kind: "parsed",
    statements: parsed.statements,
    short: wholeText(parsed.text ?? text),
    shortened: [],
  };
}

function tooLong(longest: number, { cuts }: ShortText): ShortParse {
  const besides = cuts.length === 0 ? "" : ", long lists of constants and long strings not counted";
  return {
    kind: "refused",
    code: "statement_too_complex",
    reason: `statement is longer than ${longest} bytes${besides}`,
  };
}

/** A place in the short text as one in the whole text; both 1-based, in characters. */
function wholePosition({ whole, cuts }: ShortText, position: number | undefined): number | undefined {
  if (position === undefined) return undefined;
  let at = position;
  let from = 0;
  let characters = 0;
  for (const cut of cuts) {
    characters += charactersIn(whole, from, cut.from);
    if (position - 1 < characters) break;
    at += charactersIn(whole, cut.from, cut.to);
    from = cut.to;
  }
  return at;
}

/** In UTF-8 every byte but those that go on with a character begins one. */
function charactersIn(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; at += 1) if ((bytes[at]! & 0xc0) !== 0x80) count += 1;
  return count;
}
