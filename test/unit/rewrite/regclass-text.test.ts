import { expect, test } from "vitest";
import { readName } from "../../../src/rewrite/text/regclass-text.ts";

test.each([
  ["orders", undefined, "orders"],
  ["Orders", undefined, "orders"],
  [' app . "Orders" ', "app", "Orders"],
  ['"a""b"."c.d"', 'a"b', "c.d"],
  ["größe", undefined, "größe"],
  ["ÄRGER", undefined, "Ärger"],
  ["x".repeat(70), undefined, "x".repeat(63)],
])("%s", (text, schema, name) => {
  expect(readName(text)).toEqual({ schema, name });
});

test.each(["", "1259", "a.b.c", "a b", "a.", '"a', "'a'", "a;b", "$a"])("%s is no name", (text) => {
  expect(readName(text)).toBeUndefined();
});
