import { describe, expect, it } from "vitest";
import { createTextParser } from "../../../src/sql/parse-text.ts";
import { loadParser, mainThreadLimits, parserMajors } from "../../../src/sql/parser.ts";

const parse = async (sql: string, major = 18) => (await loadParser(major)).parse(sql);

describe.each(parserMajors)("parser for %i", (major) => {
  it("gives a statement's tree with byte offsets", async () => {
    const result = await parse("select 'é'; select b from c", major);
    expect(result).toMatchObject({
      kind: "parsed",
      statements: [
        { stmt_len: 11 },
        { stmt: { SelectStmt: { fromClause: [{ RangeVar: { relname: "c", location: 27 } }] } } },
      ],
    });
  });

  it.each(["", " ", "-- c", "/* c */ ;; "])("finds no statement in %j", async (sql) => {
    expect(await parse(sql, major)).toEqual({ kind: "parsed", statements: [] });
  });

  it("gives the server's message, with the place in characters from 1", async () => {
    expect(await parse("select 'é😀' fro m x", major)).toEqual({
      kind: "error",
      message: 'syntax error at or near "m"',
      position: 17,
    });
    expect(await parse("select E'\\xff'", major)).toEqual({
      kind: "error",
      message: 'invalid byte sequence for encoding "UTF8": 0xff',
      position: undefined,
    });
  });

  it("reads strings that go on behind a comment as the server does, and gives the text that it read", async () => {
    const result = await parse("do 'a' -- é\n 'b'", major);
    expect(result).toMatchObject({ kind: "parsed", text: "do 'a'     \n 'b'" });
    expect(JSON.stringify(result)).toContain('"sval":"ab"');
    expect(await parse("select 1 not/* c */in (1)", major)).toMatchObject({
      kind: "parsed",
      text: "select 1 not       in (1)",
    });
    expect(await parse("select /* c */ 1 -- d", major)).not.toHaveProperty("text");
  });

  it("does not let a block comment join strings", async () => {
    expect(await parse("select 'a' /* c */\n 'b'", major)).toMatchObject({ kind: "error" });
  });

  it("refuses what is no UTF-8 text", async () => {
    expect(await parse("select 1\0; drop table t", major)).toMatchObject({ code: "encoding_invalid" });
    expect(await parse("select '\ud800'", major)).toMatchObject({ code: "encoding_invalid" });
  });

  it("goes on after what breaks the instance", () => {
    const loose = createTextParser(major, {
      ...mainThreadLimits,
      bytes: 1e9,
      tokens: 1e9,
      depth: 1e9,
      rescanned: 1e9,
    });
    // Without the guards this comes to more memory than the instance may have.
    let hostile = "select 1,2";
    for (let round = 0; round < 20; round += 1) {
      hostile = `with x as (update t set (a,b)=(${hostile}) returning 1) select 1,2`;
    }
    for (let round = 0; round < 3; round += 1) {
      expect(loose(hostile)).toMatchObject({ kind: "refused", code: "statement_too_complex" });
      expect(loose("select 1").kind).toBe("tree");
    }
  });
});

describe("parser", () => {
  it("knows the majors whose grammar is installed, one parser each", async () => {
    await expect(loadParser(14)).rejects.toThrow("no grammar for PostgreSQL 14");
    await expect(loadParser(19)).rejects.toThrow("no grammar for PostgreSQL 19");
    expect(await loadParser(17)).toBe(await loadParser(17));
  });

  it("follows the server's major: 15 has no system_user, 18 has old and new in RETURNING", async () => {
    expect(JSON.stringify(await parse("select 1 from system_user", 15))).toContain('"relname":"system_user"');
    expect(JSON.stringify(await parse("select 1 from system_user", 16))).not.toContain("relname");
    expect(await parse("delete from t returning with (old as o) o.a", 17)).toMatchObject({ kind: "error" });
    expect(await parse("delete from t returning with (old as o) o.a", 18)).toMatchObject({ kind: "parsed" });
  });
});
