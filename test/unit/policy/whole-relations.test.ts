import { expect, test } from "vitest";
import { readRoleFile } from "../../../src/policy/read.ts";
import { definitionProblems } from "../../../src/policy/whole-relations.ts";

function problemsOf(tables: string, definitions: string): string[] {
  const text = `role: r\ndatabase: d\ntables: ${tables}\ndefinitions: ${definitions}\n`;
  const { roleFile, problems } = readRoleFile(text, "roles/r.yaml");
  expect(problems).toEqual([]);
  return definitionProblems(roleFile!).map(({ file, line, found }) => `${file}:${line} ${found}`);
}

test("what a role may change it has to see and write whole", () => {
  for (const definition of ["create", "alter"]) {
    expect(problemsOf("{ a: { select: all, insert: all } }", `{ a: [${definition}] }`)).toEqual([]);
    expect(problemsOf("{ a: { delete: all } }", `{ a: [${definition}], b: [${definition}] }`)).toEqual([]);
    for (const [rules, part] of [
      ["select: { rows: id = 1 }", "select.rows"],
      ["select: { columns: [id] }", "select.columns"],
      ["select: { mask: { id: '1' } }", "select.mask"],
      ["insert: { columns: [id] }", "insert.columns"],
      ["insert: { check: id = 1 }", "insert.check"],
      ["update: { rows: id = 1 }", "update.rows"],
      ["update: { check: id = 1 }", "update.check"],
      ["delete: { rows: id = 1 }", "delete.rows"],
    ])
      expect(problemsOf(`{ a: { ${rules} } }`, `{ a: [${definition}] }`)).toEqual([
        `roles/r.yaml:4 public.a has ${part} (line 3)`,
      ]);
  }
});

test("an index needs no more than that nothing is hidden", () => {
  expect(problemsOf("{ a: { select: all, insert: { check: id = 1 } } }", "{ a: [index] }")).toEqual([]);
  expect(problemsOf("{ a: { select: { rows: id = 1 } } }", "{ a: [index] }")).toHaveLength(1);
});

test("truncate, comment and drop go with any rule", () => {
  expect(problemsOf("{ a: { select: { rows: id = 1 } } }", "{ a: [truncate, comment, drop] }")).toEqual([]);
});

test("an entry for a schema is held against that schema's own rules, and one for a relation against either", () => {
  const ruled = "{ rows: id = 1 }";
  expect(problemsOf(`{ "s.*": { select: ${ruled} } }`, `{ "s.*": [alter] }`)).toHaveLength(1);
  expect(problemsOf(`{ "s.*": { select: ${ruled} } }`, "{ s.a: [alter] }")).toHaveLength(1);
  // The judgement leaves that one relation out.
  expect(problemsOf(`{ s.a: { select: ${ruled} } }`, `{ "s.*": [alter] }`)).toEqual([]);
});
