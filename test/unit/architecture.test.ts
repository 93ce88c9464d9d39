import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { codes, tableUnder } from "./markdown-table.ts";
import { importsOf, rowOf, sourceFiles } from "./source-tree.ts";

const root = path.resolve(import.meta.dirname, "../..");
const src = path.join(root, "src");
const files = sourceFiles(src);

type Row = {
  readonly name: string;
  readonly pure: boolean;
  /** `all above` is written out. */
  readonly mayImport: readonly string[];
  readonly packages: readonly string[];
};

const table: readonly Row[] = readTable();

function readTable(): Row[] {
  const rows: Row[] = [];
  for (const [name = "", what = "", imports = "", packages = ""] of tableUnder(
    path.join(root, "ARCHITECTURE.md"),
    "## The import table",
  )) {
    rows.push({
      name: codes(name)[0] ?? name,
      pure: what.startsWith("pure"),
      mayImport: imports === "all above" ? rows.map((row) => row.name) : codes(imports),
      packages: codes(packages),
    });
  }
  return rows;
}

const row = (name: string): Row | undefined => table.find((candidate) => candidate.name === name);

describe("the import table of ARCHITECTURE.md", () => {
  test("has a row for every folder and file at the top of src, and none for what is not there", () => {
    expect(table.map(({ name }) => name).toSorted()).toEqual([...new Set(files.map(rowOf))].toSorted());
  });

  test("lets a row import only rows above it", () => {
    const upwards = table.flatMap(({ name, mayImport }, index) => {
      const above = table.slice(0, index).map((other) => other.name);
      return mayImport
        .filter((imported) => !above.includes(imported))
        .map((imported) => `${name} imports ${imported}`);
    });
    expect(upwards).toEqual([]);
  });

  test("names every import that there is", () => {
    const wrong = files.flatMap((file) => {
      const own = row(rowOf(file));
      return importsOf(src, file).flatMap((found) => {
        if (found.kind === "file")
          return found.row === own?.name || own?.mayImport.includes(found.row) === true
            ? []
            : [`${file} imports ${found.row}`];
        return own?.packages.some((name) => fits(name, found.name)) === true
          ? []
          : [`${file} imports ${found.name}`];
      });
    });
    expect(wrong).toEqual([]);
  });

  test("names no package that its folder does not import", () => {
    const idle = table.flatMap(({ name, packages }) => {
      const used = files
        .filter((file) => rowOf(file) === name)
        .flatMap((file) =>
          importsOf(src, file).flatMap((found) => (found.kind === "package" ? [found.name] : [])),
        );
      return packages
        .filter((listed) => !used.some((found) => fits(listed, found)))
        .map((listed) => `${name} ${listed}`);
    });
    expect(idle).toEqual([]);
  });
});

/** `node:*` stands for every module of Node's own, `libpg-query-*` for its builds. */
function fits(listed: string, found: string): boolean {
  return listed.endsWith("*") ? found.startsWith(listed.slice(0, -1)) : listed === found;
}

/** What a pure function cannot do: look at a clock, at chance, at its surroundings, or wait. In quotes FETCH is SQL. */
const impure =
  /\b(?:Date\.now|new Date\(\)|performance\.|process\.|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|(?<!")fetch|await)\b\(?/;

describe("src", () => {
  test("keeps clocks, chance and surroundings out of the rows that are called pure", () => {
    expect(table.some(({ pure }) => pure)).toBe(true);
    const wrong = files
      .filter((file) => row(rowOf(file))?.pure === true)
      .flatMap((file) =>
        code(file)
          .filter(({ text }) => impure.test(text))
          .map(({ text, line }) => `${file}:${line} ${text.trim()}`),
      );
    expect(wrong).toEqual([]);
  });

  test("has no folder or file that is named for nothing in particular", () => {
    const vague = /(^|[/-])(utils?|helpers?|commons?|types|shared|lib|misc)([/.-]|$)/;
    expect([...files, ...sourceFiles(path.join(root, "test"))].filter((file) => vague.test(file))).toEqual(
      [],
    );
  });

  test("names nothing Manager, Handler, Service or Impl", () => {
    const declared = /\b(?:class|function|type|interface|const) \w*(?:Manager|Handler|Service|Impl)\b/;
    expect(files.filter((file) => code(file).some(({ text }) => declared.test(text)))).toEqual([]);
  });

  test("has no file of more than 300 lines", () => {
    const long = files.filter((file) => readFileSync(path.join(src, file), "utf8").split("\n").length > 301);
    expect(long).toEqual([]);
  });
});

/** A file's lines without those that are comments. */
function code(file: string): { text: string; line: number }[] {
  const lines = readFileSync(path.join(src, file), "utf8").split("\n");
  return lines
    .map((text, index) => ({ text, line: index + 1 }))
    .filter(({ text }) => !/^\s*(\/\/|\/?\*)/.test(text));
}
