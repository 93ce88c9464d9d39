import { describe, expect, it } from "vitest";
import { proveCuts, showConstants } from "../../../src/sql/cut-proof.ts";
import { parseShort } from "../../../src/sql/parse-short.ts";
import { loadParser, parserMajors, workerLimits } from "../../../src/sql/parser.ts";
import { shortText } from "../../../src/sql/short-text.ts";

/** Cuts whatever can be cut. */
const sizes = { leastSaved: 1, literalKept: 4 };

const short = (text: string) => shortText(text, sizes).text;

describe("short text", () => {
  it.each([
    ["insert into t values (1, 'a'), (2, 'b'), (3, 'c')", "insert into t values (1, 'a'), (3, 'c')"],
    ["values (1),(2),(3),(4) order by 1", "values (1),(4) order by 1"],
    ["values (1,default),(2,DEFAULT),(3,default)", "values (1,default),(3,default)"],
    ["values ('2024'::date),('2'::date),('3')", "values ('2024'::date),('3')"],
    ["values (-1.5e3),(null),(TRUE),($1)", "values (-1.5e3),($1)"],
    ["select 1 where a in (1, 2, 3) and b in ('x','y','z')", "select 1 where a in (1, 3) and b in ('x','z')"],
    ["select array[1,2,3,4]", "select array[1,4]"],
    ["select 'a long one'", "select 'a lo'"],
    ["select 'é''s long'", "select 'é'''"],
    ["select $$a long one$$", "select $$a lo$$"],
  ])("leaves out of %s what is only more of the same", (text, expected) => {
    expect(short(text)).toBe(expected);
  });

  it.each([
    ["another number of items", "values (1),(2,3),(4)"],
    ["DEFAULT elsewhere", "values (1),(default),(2)"],
    ["another cast", "values (1),(2::oid),(3)"],
    ["a cast of DEFAULT", "values (1),(default::int),(3)"],
    ["the negative of a cast", "values (-1::int),(-2::int),(-3::int)"],
    ["a call", "values (1),(f(2)),(3)"],
    ["a column", "values (1),(a),(3)"],
    ["a comment", "values (1),/**/(2),(3)"],
    ["a comment in a row", "values (1),(2--\n),(3)"],
    ["a string that goes on", "values ('1'),('2'\n'3'),('4')"],
    ["a string with escapes", String.raw`values ('1'),(E'\'),(2),('),('3')`],
    ["a number with junk", "values (1),(2a),(3)"],
    ["two signs", "values (1),(--2\n2),(3)"],
    ["a sign of its own", "values (1),(- 2),(3)"],
    ["a vertical tab", "values (1),\v(2),(3)"],
    ["a parameter beside values in IN", "select 1 where a in (1,$1,3)"],
    ["sub-selects", "select 1 where a in (1,(select 2),3)"],
    ["another kind of quotes", `values ("1"),("2"),("3")`],
    ["a tag in the way", "select $a$ $a b$a$"],
    ["a string with a prefix", "select E'a long one', U&'a long one', B'0101010101'"],
  ])("keeps rows with %s", (_, text) => {
    expect(short(text)).toBe(text);
  });

  it("says where the bytes are missing", () => {
    const { cuts, whole } = shortText("values (1),(2),(3) union values ('a long one')", sizes);
    expect(cuts.map(({ at, from, to }) => [at, whole.toString("utf8", from, to)])).toEqual([
      [11, "(2),"],
      [34, "ng one"],
    ]);
  });
});

describe.each(parserMajors)("cuts, by the trees of %i,", (major) => {
  const proved = async (text: string) => {
    const found = shortText(text, sizes);
    expect(found.cuts.length).toBeGreaterThan(0);
    const parsed = (await loadParser(major)).parse(found.text);
    return parsed.kind === "parsed" ? proveCuts(parsed.statements, found.cuts) : parsed.kind;
  };

  it.each([
    "insert into t (a, b) values (1, 'a'), (2, 'b'), (3, 'c') returning a",
    "with x as (values (1::int),(2::int),(3)) select * from x",
    "select 1 where (a, b) in ((1, 2), (3, 4), (5, 6))",
    "select 1 from t where a not in (-1, 2, 3) or b = any (array['a','b','c'])",
    "update t set (a, b) = (select 1, 2 where 3 in (4, 5, 6))",
  ])("are where they seem to be in %s", async (text) => {
    expect(await proved(text)).toEqual([]);
  });

  it("give strings their whole value", async () => {
    const parsed = await proved("select 'it''s a long one', $t$it's another$t$");
    if (!Array.isArray(parsed)) throw new TypeError("not proved");
    const values = () => parsed.map(({ fields }: { fields: { sval?: string } }) => fields.sval);
    showConstants(parsed as never, "whole");
    expect(values()).toEqual(["it's a long one", "it's another"]);
    showConstants(parsed as never, "short");
    expect(values()).toEqual(["it'", "it's"]);
  });

  it.each([
    "select f((1),(2),(3))",
    "comment on table t is 'a long one'",
    "select row((1, 2), (3, 4), (5, 6))",
    "select array[(1, 2), (3, 4), (5, 6)]",
  ])("are not taken for what they are not in %s", async (text) => {
    expect(await proved(text)).toBeUndefined();
  });

  it("are put back where they were not", async () => {
    const parser = await loadParser(major, workerLimits);
    const rows = Array.from({ length: 400 }, (_, index) => `(${index}, 2)`).join(", ");
    expect(parseShort(`select row(${rows})`, parser)).toMatchObject({ kind: "parsed", short: { cuts: [] } });
    expect(parseShort(`values ${rows}`, parser)).toMatchObject({ kind: "parsed", short: { cuts: [{}] } });
    expect(parseShort(`values ${rows} fro m`, parser)).toMatchObject({
      kind: "error",
      position: `values ${rows} fro `.length - 3,
    });
  });

  it("are found again where comments had to go", async () => {
    const parser = await loadParser(major, workerLimits);
    const rows = Array.from({ length: 400 }, (_, index) => `(${index}, 2)`).join(", ");
    expect(parseShort(`values ${rows}, (1, 'a' -- é\n 'b')`, parser)).toMatchObject({
      kind: "parsed",
      short: { cuts: [{}] },
    });
  });
});
