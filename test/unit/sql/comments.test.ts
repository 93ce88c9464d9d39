import { describe, expect, it } from "vitest";
import { hasCommentInLookAhead, stripComments } from "../../../src/sql/comments.ts";
import { loadParser, parserMajors } from "../../../src/sql/parser.ts";
import { sameTree } from "../../../src/sql/splice.ts";

/** With a comment in a look-ahead place, and the same without. */
const pairs = [
  ["select 'a' -- c\n 'b'", "select 'ab'"],
  ["select E'a\\'' -- ' c\n '\\n'", "select E'a\\'\\n'"],
  ["select a not /* c */ between 1 and 2", "select a not between 1 and 2"],
  ["select a not /* c */ -- d\n ilike b", "select a not ilike b"],
  ["select a from t order by a nulls /* c */ first", "select a from t order by a nulls first"],
  ["select '1'::timestamp with /* c */ time zone", "select '1'::timestamp with time zone"],
  ["select '1'::time without --\n time zone", "select '1'::time without time zone"],
  ["select * from f() with /* c */ ordinality", "select * from f() with ordinality"],
  ["select U&'d!0061' /* c */ uescape '!'", "select 'da'"],
  ["select U&\"d!0061\" -- c\n uescape /* d */ '!'", "select da"],
] as const;

describe("comments", () => {
  it.each(parserMajors)("are no difference to %i's parser where the server drops them", async (major) => {
    const parser = await loadParser(major);
    const different: string[] = [];
    for (const [commented, plain] of pairs) {
      const [left, right] = [parser.parse(commented), parser.parse(plain)];
      if (left.kind !== "parsed" || right.kind !== "parsed" || left.text === undefined)
        different.push(commented);
      else if (!sameTree(left.statements, right.statements)) different.push(commented);
    }
    expect(different).toEqual([]);
  });

  it.each(pairs)("are found in look-ahead places: %j", (commented, plain) => {
    expect(hasCommentInLookAhead(Buffer.from(commented))).toBe(true);
    expect(hasCommentInLookAhead(Buffer.from(plain))).toBe(false);
  });

  it.each([
    "with /* c */ x as (select 1) select 1",
    "select not /* c */ a, '--', E'\\'--', $$--$$, \"--\" -- c",
    "select 'a' /* c */, 'b' -- 'c'\n, 'd'",
  ])("stay where nothing looks ahead: %j", (sql) => {
    expect(hasCommentInLookAhead(Buffer.from(sql))).toBe(false);
  });

  it("become as many spaces as they have characters, and line ends stay", () => {
    expect(stripComments(Buffer.from("a--é😀\nb/*日*/c'--'"))).toBe("a    \nb     c'--'");
    expect(stripComments(Buffer.from("'a' /* c */\n'b'"))).toBe("'a' /* c */\n'b'");
  });
});
