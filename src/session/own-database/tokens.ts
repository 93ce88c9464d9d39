import { refuse } from "../../errors.ts";

/** A part of a command; `[start, end)` is where it stands in the text. */
export type Token = {
  /** `quoted`: a name in double quotes. */
  readonly kind: "word" | "quoted" | "literal" | "number";
  /** Words in lower case, quotes taken off. */
  readonly value: string;
  readonly start: number;
  readonly end: number;
};

/**
 * One alternative for each kind, and behind white space nothing else. A number has at most 15 digits, so that it is the
 * one that was written. Quotes are doubled, and there are no other escapes.
 */
const token =
  /(?<word>[A-Za-z_][A-Za-z0-9_]*)|(?<number>[0-9]{1,15}(?![0-9A-Za-z_.]))|"(?<quoted>(?:[^"]|"")+)"|'(?<literal>(?:[^']|'')*)'/y;
const space = /[ \t\r\n\f\v]*/y;

/**
 * Takes a text apart; one semicolon may stand at its end.
 * @throws RolegateError statement_unparsable for anything that is no token: comments and other operators too
 */
export function readTokens(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const skipSpace = (from: number): number => {
    space.lastIndex = from;
    space.exec(text);
    return space.lastIndex;
  };
  let at = skipSpace(0);
  while (at < text.length) {
    if (text[at] === ";" && skipSpace(at + 1) === text.length) break;
    token.lastIndex = at;
    const { word, number, quoted, literal } = token.exec(text)?.groups ?? {};
    const end = token.lastIndex;
    if (word !== undefined) tokens.push({ kind: "word", value: word.toLowerCase(), start: at, end });
    else if (number !== undefined) tokens.push({ kind: "number", value: number, start: at, end });
    else if (quoted !== undefined)
      tokens.push({ kind: "quoted", value: quoted.replaceAll('""', '"'), start: at, end });
    else if (literal !== undefined)
      tokens.push({ kind: "literal", value: literal.replaceAll("''", "'"), start: at, end });
    else return noToken(text, at);
    at = skipSpace(end);
    // Two literals side by side would be one in SQL, and `12ab` is no number and a word.
    if (at === end && at < text.length && text[at] !== ";") return noToken(text, at);
  }
  return tokens;
}

function noToken(text: string, at: number): never {
  const found = Array.from(text.slice(at, at + 2))[0] ?? "";
  refuse("statement_unparsable", `syntax error at or near "${found}"`, {
    detail: "This is rolegate's own database: it knows a few commands, and no SQL.",
    position: Array.from(text.slice(0, at)).length + 1,
  });
}
