import { describe, expect, it } from "vitest";
import { quoteIdentifier, quoteLiteral, quoteQualified, truncateName } from "../../../src/sql/names.ts";
import { loadParser, parserMajors } from "../../../src/sql/parser.ts";

const names = [
  "t",
  "Customers",
  'a"b',
  "a b",
  "select",
  "user",
  "left",
  "int",
  "é",
  "1a",
  "a$b",
  "_x",
  "a.b",
  "\\",
  "json_table",
  "merge_action",
  "system_user",
  "abort",
  "name",
];

describe("names", () => {
  it.each(parserMajors)("quotes so that %i reads the name back", async (major) => {
    const parser = await loadParser(major);
    for (const name of names) {
      const quoted = quoteIdentifier(name);
      const result = parser.parse(
        `select ${quoted}, ${quoted}() from ${quoteQualified(name, name)} as ${quoted}`,
      );
      expect(JSON.stringify(result)).toContain(`"schemaname":${JSON.stringify(name)}`);
      expect(JSON.stringify(result)).toContain(
        `"ColumnRef":{"fields":[{"String":{"sval":${JSON.stringify(name)}}}]`,
      );
      expect(JSON.stringify(result)).toContain(`"funcname":[{"String":{"sval":${JSON.stringify(name)}}}]`);
      expect(JSON.stringify(result)).toContain(`"aliasname":${JSON.stringify(name)}`);
    }
  });

  it("leaves plain names bare", () => {
    expect(quoteQualified("public", "order_items2")).toBe("public.order_items2");
    expect(quoteQualified("Public", "order")).toBe('"Public"."order"');
  });

  it.each(parserMajors)("makes literals that %i reads back", async (major) => {
    const parser = await loadParser(major);
    for (const text of ["", "it's", "\\", "\\'; drop table t; --", "$$", "a\nb", "é😀"]) {
      const result = parser.parse(`select ${quoteLiteral(text)}`);
      expect(JSON.stringify(result)).toContain(`"sval":{"sval":${JSON.stringify(text)}}`);
    }
  });

  it("refuses what no text can hold", () => {
    for (const text of ["a\0b", "\ud800"]) {
      expect(() => quoteIdentifier(text)).toThrow("name");
      expect(() => quoteLiteral(text)).toThrow("value");
    }
    expect(() => quoteIdentifier("")).toThrow("empty");
  });

  it("cuts names as the server does", async () => {
    const parser = await loadParser(18);
    for (const name of [
      "x".repeat(63),
      "x".repeat(64),
      `${"x".repeat(62)}é`,
      `${"x".repeat(61)}日本`,
      "😀".repeat(20),
    ]) {
      const result = parser.parse(`select 1 from "${name}"`);
      expect(JSON.stringify(result)).toContain(`"relname":"${truncateName(name)}"`);
      expect(Buffer.byteLength(truncateName(name))).toBeLessThanOrEqual(63);
    }
  });
});
