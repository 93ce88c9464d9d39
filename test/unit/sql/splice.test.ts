import { describe, expect, it } from "vitest";
import { loadParser } from "../../../src/sql/parser.ts";
import { sameTree, splice } from "../../../src/sql/splice.ts";

const edit = (text: string, ...edits: [number, number, string][]) =>
  splice(
    Buffer.from(text),
    edits.map(([start, end, text]) => ({ start, end, text })),
  );

describe("splice", () => {
  it("replaces and inserts at byte offsets, in any order given", () => {
    expect(edit("select 'é' from t", [17, 18, "(select 1) t"], [7, 11, "2"])).toBe(
      "select 2 from (select 1) t",
    );
    expect(edit("a", [1, 1, " b"], [1, 1, " c"], [0, 0, "z "])).toBe("z a b c");
    expect(edit("from t", [5, 6, "u"], [5, 5, "x "])).toBe("from x u");
    expect(edit("a b")).toBe("a b");
  });

  it.each([
    ["1from t", "1", 0, 1, "a", "a from t"],
    ["select(1)", "word before", 6, 6, "x", "select x(1)"],
    ["'a'", "strings", 3, 3, "'b'", "'a' 'b'"],
    ["e", "prefix", 1, 1, "'\\n'", "e '\\n'"],
    ["u&", "unicode prefix", 2, 2, "'a'", "u& 'a'"],
    ["a-b", "comment", 1, 1, "-", "a- -b"],
    ["a/b", "block comment", 2, 2, "*", "a/ *b"],
    ["a:b", "cast", 2, 2, ":", "a: :b"],
    ["$1", "parameter", 2, 2, "0", "$1 0"],
    ["1", "number", 1, 1, ".5", "1 .5"],
    ["a.t", "qualified", 0, 2, "b.", "b.t"],
  ])("keeps tokens apart in %s (%s)", (text, _, start, end, insert, expected) => {
    expect(edit(text, [start, end, insert])).toBe(expected);
  });

  it.each([
    ["overlap", [0, 2, "x"], [1, 3, "y"]],
    ["the same place twice", [0, 2, "x"], [0, 2, "y"]],
    ["outside", [2, 9, "x"], [0, 0, ""]],
    ["backwards", [2, 1, "x"], [0, 0, ""]],
  ] as const)("refuses edits that %s", (_, first, second) => {
    expect(() => edit("abcd", [...first], [...second])).toThrow("overlap");
  });
});

const same = async (a: string, b: string) => {
  const parser = await loadParser(18);
  const [left, right] = [parser.parse(a), parser.parse(b)];
  if (left.kind !== "parsed" || right.kind !== "parsed") throw new Error("not parsed");
  return sameTree(left.statements, right.statements);
};

describe("sameTree", () => {
  it("ignores where things stand", async () => {
    expect(await same("select 1", "  /* c */ SELECT\n1 ;")).toBe(true);
    expect(await same("select a in (1,2), array[1]", "select  a  in  (1, 2),  array [ 1 ]")).toBe(true);
  });

  it.each([
    ["select 1", "select 2"],
    ["select 0", "select 1"],
    ["select a", "select a, a"],
    ["select a", 'select "A"'],
    ["select a from t", "select a from only t"],
    ["select 1", "select 1; select 1"],
    ["select distinct a", "select a"],
    ["create tablespace a location '/b'", "create tablespace a location '/c'"],
    ["select a[1]", "select a"],
  ])("tells %s from %s", async (a, b) => {
    expect(await same(a, b)).toBe(false);
    expect(await same(b, a)).toBe(false);
  });
});
