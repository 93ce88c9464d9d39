import { expect, test } from "vitest";
import { parseSearchPath } from "../../../src/sql/search-path.ts";

test.for([
  ['"$user", public', ["analyst", "public"]],
  ["Public,PG_Catalog", ["public", "pg_catalog"]],
  ['"Public" , "a""b","c, d"', ["Public", 'a"b', "c, d"]],
  ["", []],
  ["  ", []],
  ['""', [""]],
  ["$user", ["analyst"]],
  ['a"b', ['a"b']],
  [`${"x".repeat(62)}éy`, undefined],
  [`"${"x".repeat(62)}éy"`, ["x".repeat(62)]],
  ["y".repeat(70), ["y".repeat(63)]],
] as const)("%s", ([setting, path]) => {
  expect(parseSearchPath(setting, "analyst")).toEqual(path);
});

test.for(['"open', "a b", "a,,b", ",a", "a,", "Ä"])("%s cannot be read", (setting) => {
  expect(parseSearchPath(setting, "analyst")).toBeUndefined();
});
