import { describe, expect, it } from "vitest";
import {
  endOfRelationName,
  matchingParen,
  tokenAt,
  tokens,
  tokensAndComments,
} from "../../../src/sql/lexer.ts";

const read = (sql: string) => {
  const bytes = Buffer.from(sql);
  return [...tokensAndComments(bytes)].map(
    ({ kind, start, end }) => `${kind} ${bytes.toString("utf8", start, end)}`,
  );
};

describe("lexer", () => {
  it.each([
    ['select a1$é from "a""b"', ["word select", "word a1$é", "word from", 'quoted "a""b"']],
    [
      "'a''b' E'\\'' 'c'\n'd' N'e'",
      ["string 'a''b'", "string E'\\''", "string 'c'\n'd'", "word N", "string 'e'"],
    ],
    ["'a' -- c\n 'b'", ["string 'a' -- c\n 'b'"]],
    ["'a' /* c */\n 'b'", ["string 'a'", "comment /* c */", "string 'b'"]],
    ["'a' 'b'", ["string 'a'", "string 'b'"]],
    [
      "b'0''1' x'f' U&'\\0041' U&\"a\"",
      ["string b'0'", "string '1'", "string x'f'", "string U&'\\0041'", 'quoted U&"a"'],
    ],
    [
      "$$a$$ $t$ $$ $t$ $1 $12a",
      ["string $$a$$", "string $t$ $$ $t$", "parameter $1", "parameter $12", "word a"],
    ],
    [
      "1 1.5 .5 1. 1e-5 0x1F 1_000 1..2",
      [
        "number 1",
        "number 1.5",
        "number .5",
        "number 1.",
        "number 1e-5",
        "number 0x1F",
        "number 1_000",
        "number 1",
        "punctuation ..",
        "number 2",
      ],
    ],
    [
      "a::b <= -1 +-+ @- a=-1 =>",
      [
        "word a",
        "operator ::",
        "word b",
        "operator <=",
        "operator -",
        "number 1",
        "operator +",
        "operator -",
        "operator +",
        "operator @-",
        "word a",
        "operator =",
        "operator -",
        "number 1",
        "operator =>",
      ],
    ],
    [
      "a+/* c */b *--x\nc",
      ["word a", "operator +", "comment /* c */", "word b", "operator *", "comment --x", "word c"],
    ],
    ["/* a /* b */ c */ d --e\rf", ["comment /* a /* b */ c */", "word d", "comment --e", "word f"]],
    ["'open", ["invalid 'open"]],
    ['"open', ['invalid "open']],
    ["$a$ open $b$", ["invalid $a$ open $b$"]],
    ["/* open /* */", ["invalid /* open /* */"]],
  ])("reads %j", (sql, expected) => {
    expect(read(sql)).toEqual(expected);
  });

  it("starts where it is told, and leaves comments out", () => {
    const bytes = Buffer.from("a /* b */ c");
    expect([...tokens(bytes, 1)]).toEqual([{ kind: "word", start: 10, end: 11 }]);
    expect(tokenAt(bytes, 11)).toBeUndefined();
  });

  it.each([
    ["t where", "t"],
    ['public."T" x', 'public."T"'],
    ["a . /* c */ b -- d\n . c.d", "a . /* c */ b -- d\n . c.d"],
    ["t.* from", "t"],
    ["U&\"d!0061\" UESCAPE '!' . x", "U&\"d!0061\" UESCAPE '!' . x"],
  ])("finds the end of the name in %j", (sql, name) => {
    expect(endOfRelationName(Buffer.from(sql), 0)).toBe(name.length);
  });

  it("finds closing brackets past those in strings and comments", () => {
    const bytes = Buffer.from("(a[1] ')' /* ) */ (b) \")\") c");
    expect(matchingParen(bytes, 0)).toBe(26);
    expect(matchingParen(bytes, 2)).toBe(5);
  });

  it("refuses offsets at which the tree cannot have meant a name or a bracket", () => {
    const bytes = Buffer.from("(a 'b'");
    expect(() => matchingParen(bytes, 0)).toThrow("no closed bracket");
    expect(() => matchingParen(bytes, 1)).toThrow("no closed bracket");
    expect(() => endOfRelationName(bytes, 2)).toThrow("no name");
    expect(() => endOfRelationName(bytes, 3)).toThrow("no name");
  });
});
