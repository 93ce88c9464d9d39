import { expect, test } from "vitest";
import { splitStatements } from "../../../src/session/split-statements.ts";

test.for([
  ["select 1", 1, ["select 1"]],
  [" select 1 ; -- done", 1, [" select 1 ; -- done"]],
  ["select ';', $a$;$a$; ; select \"a;b\" /* ; */ ;", 2, ["select ';', $a$;$a$", 'select "a;b"']],
  ["begin; select 'ü'; commit", 3, ["begin", "select 'ü'", "commit"]],
  ["", 0, []],
] as const)("%s", ([text, count, statements]) => {
  expect(splitStatements(text, count)).toEqual(statements);
});

test("where the count differs, the first stands for the whole text", () => {
  expect(splitStatements("a; b", 3)).toEqual(["a; b", "", ""]);
});
