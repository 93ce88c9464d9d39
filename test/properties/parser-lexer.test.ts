import { createRequire } from "node:module";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { stripComments } from "../../src/sql/comments.ts";
import { tokens, tokensAndComments } from "../../src/sql/lexer.ts";
import { loadParser, parserMajors } from "../../src/sql/parser.ts";
import { statements } from "../unit/sql/statements.ts";

/** The server's own scanner, of which only the build for 18 hands out its tokens. */
type Scanner = {
  loadModule(): Promise<void>;
  scanSync(text: string): { tokens: { start: number; end: number }[] };
};
const scanner = createRequire(import.meta.url)("libpg-query-18") as Scanner;

/** Undefined for a text that the scanner refuses. */
const scan = (text: string): string[] | undefined => {
  try {
    return scanner.scanSync(text).tokens.map(({ start, end }) => `${start}-${end}`);
  } catch {
    return undefined;
  }
};

const ours = (text: string) =>
  [...tokensAndComments(Buffer.from(text))].map(({ kind, start, end }) => ({
    kind,
    range: `${start}-${end}`,
  }));

const fragments = fc.constantFrom(
  ..."' '' 'a' E' e'\\' '\\' \\ B'01' x'f' N'a' U&' u&\" U& \" \"a\" \"\" $ $$ $a$ $a$b$a$ $1 $1a $_ a b e E u U x n é 日 😀 1 1. 1.5 .5 .. 1..2 1e5 1e 1e+ 1e-5 0x1F 0x 0b1 0o7 0o8 1_0 1_ _1 0x_1 1.e5 1a - -- + * / /* */ /*/* **/ < > = ~ ! @ # % ^ & | ` ? : :: := => <= != <> ( ) [ ] , ; select uescape '!' not $é$ a$ a$1 { }".split(
    " ",
  ),
  " ",
  "\n",
  "\t",
  "\f",
  "\v",
  "\r",
  "-- c\n",
  "-- c\r",
  "/* c */",
  "\u00a0",
  "\ufeff",
);

/** What we and the server's scanner read differently in a text; libpg-query ends a string before a comment, so without comments. */
const difference = (text: string) => {
  const plain = stripComments(Buffer.from(text));
  const theirs = scan(plain);
  if (theirs === undefined) return undefined;
  const read = ours(plain);
  const invalid = read.findIndex(({ kind }) => kind === "invalid");
  const end = invalid < 0 ? undefined : invalid;
  const left = read
    .slice(0, end)
    .map(({ range }) => range)
    .join(" ");
  const right = theirs.slice(0, end).join(" ");
  return left === right ? undefined : { left, right };
};

const kinds = (text: string) => [...tokens(Buffer.from(text))].map(({ kind }) => kind);

describe("lexer", () => {
  beforeAll(() => scanner.loadModule());

  it("reads what the server's scanner reads", () => {
    expect(statements.map(difference).filter(Boolean)).toEqual([]);
    fc.assert(
      fc.property(
        fc.array(fragments, { minLength: 1, maxLength: 12 }),
        (parts) => difference(parts.join("")) === undefined,
      ),
      { numRuns: 20_000 },
    );
  });

  it("reads the same tokens with and without comments", () => {
    fc.assert(
      fc.property(fc.array(fragments, { minLength: 1, maxLength: 12 }), (parts) => {
        const text = parts.join("");
        const read = kinds(text);
        fc.pre(!read.includes("invalid"));
        expect(kinds(stripComments(Buffer.from(text)))).toEqual(read);
      }),
      { numRuns: 5000 },
    );
  });

  it.each(parserMajors)("has a token at every place that %i's trees name", async (major) => {
    const parser = await loadParser(major);
    const stray: string[] = [];
    for (const sql of statements) {
      const result = parser.parse(sql);
      if (result.kind !== "parsed") continue;
      const starts = new Set([...tokens(Buffer.from(sql))].map(({ start }) => start));
      JSON.stringify(result.statements, (name, value: unknown) => {
        if (name.endsWith("location") && name !== "stmt_location" && typeof value === "number") {
          if (value >= 0 && !starts.has(value)) stray.push(`${value} in ${sql}`);
        }
        return value;
      });
    }
    expect(stray).toEqual([]);
  });
});
