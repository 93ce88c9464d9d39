import { describe, expect, test } from "vitest";
import { parseName } from "../../../src/policy/relation-name.ts";

describe("parseName reads", () => {
  test.each<[string, string[]]>([
    ["customers", ["customers"]],
    ["reporting.sales_2024", ["reporting", "sales_2024"]],
    ["reporting.*", ["reporting", "*"]],
    ["*", ["*"]],
    ['"Weird Name"', ["Weird Name"]],
    ['"My Schema"."a.b"', ["My Schema", "a.b"]],
    ['"say ""hi"""', ['say "hi"']],
    ["_x$1", ["_x$1"]],
    ["größe", ["größe"]],
    ['"*a"', ["*a"]],
    [`"${"é".repeat(31)}"`, ["é".repeat(31)]],
  ])("%s", (text, parts) => {
    expect(parseName(text, 2, true)).toEqual({ kind: "name", parts });
  });
});

describe("parseName refuses", () => {
  test.each([
    ["", "name, schema.name"],
    [" ", "'\" \"'"],
    ["a.b.c", "name, schema.name"],
    ["a.", "name, schema.name"],
    [".a", "name, schema.name"],
    ["a..b", "name, schema.name"],
    ["*.a", "name, schema.name"],
    ["*.*", "name, schema.name"],
    ["Customers", `customers (as SQL reads it), or '"Customers"'`],
    ["Sales.Orders", `sales.orders (as SQL reads it), or '"Sales"."Orders"'`],
    ["a b", `'"a b"'`],
    ["1a", `'"1a"'`],
    ['"a', "name, schema.name"],
    ['a"b"', "name, schema.name"],
    ['""', "name, schema.name"],
    ['"*"', "another name"],
    ["a;drop", `'"a;drop"'`],
    ["é".repeat(32), "at most 63 bytes"],
  ])("%j", (text, expected) => {
    const parsed = parseName(text, 2, true);
    expect(parsed).toMatchObject({ kind: "refused" });
    expect(parsed.kind === "refused" && parsed.expected).toContain(expected);
  });

  test("a star or a schema where none can be", () => {
    expect(parseName("a.*", 2).kind).toBe("refused");
    expect(parseName("*", 1).kind).toBe("refused");
    expect(parseName("a.b", 1).kind).toBe("refused");
  });
});
