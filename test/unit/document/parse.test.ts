import { describe, expect, test } from "vitest";
import { contentLineAt, lineAt, settingName, valueAt } from "../../../src/document/document.ts";
import { parseDocument } from "../../../src/document/parse.ts";

const refused: readonly [name: string, yaml: string, line: number, message: string][] = [
  ["nothing", "", 1, "the file is empty"],
  ["only a comment", "# later\n", 1, "the file is empty"],
  ["a list", "- a\n", 1, "wrong type"],
  ["a text", "\nhello\n", 2, "wrong type"],
  ["a duplicate key", "a: 1\nb: 2\na: 3\n", 3, "duplicate key"],
  ["a duplicate key that is quoted once", 'a: 1\n"a": 3\n', 2, "duplicate key"],
  ["a duplicate key far down", "a:\n  b: 1\n  b: 2\n", 3, "duplicate key"],
  ["a duplicate key without values", "a:\nb: 1\na:\n", 3, "duplicate key"],
  ["a directive", "%YAML 1.1\n---\na: yes\n", 1, "bad YAML"],
  ["a tag that YAML knows", "b: 1\na: !!set { b }\n", 2, "bad YAML"],
  ["a tag on a text", "a: !!str 5\n", 1, "bad YAML"],
  ["nesting that no stack holds", `a: ${"[".repeat(100_000)}`, 1, "bad YAML"],
  ["an unclosed list", "a: [1, 2\nb: 3\n", 2, "bad YAML"],
  ["an unclosed quote", 'a: "x\n', 2, "bad YAML"],
  ["wrong indentation", "a:\n  b: 1\n c: 2\n", 3, "bad YAML"],
  ["a tab", "a:\n\tb: 1\n", 2, "bad YAML"],
  ["a second colon", "a: b: c\n", 1, "bad YAML"],
  ["an unknown tag", "a: !secret x\n", 1, "bad YAML"],
  ["a second document", "a: 1\n---\nb: 2\n", 2, "more than one YAML document"],
  ["an alias", "a: &x 1\nb: *x\n", 2, "aliases are not supported"],
  ["a number as key", "a: 1\n1: 2\n", 2, "not a usable key"],
  ["null as key", "a: 1\n~: 2\n", 2, "not a usable key"],
  ["a list as key", "a: 1\n? [b]\n: 2\n", 2, "not a usable key"],
  ["__proto__ as key", "a: 1\n__proto__: { b: 1 }\n", 2, "not a usable key"],
  ["a whole number beyond 2^53", "a: 1\nb: 9007199254740993\n", 2, "the number would lose digits"],
  ["infinity", "a: .inf\n", 1, "the number would lose digits"],
  ["deep nesting", `a: ${"[".repeat(60)}${"]".repeat(60)}\n`, 1, "too deeply nested"],
];

describe("parseDocument refuses", () => {
  test.each(refused)("%s", (_name, yaml, line, message) => {
    const { problems } = parseDocument("x.yaml", yaml);
    expect(problems.map((problem) => [problem.line, problem.message])).toContainEqual([line, message]);
  });

  test("without ever repeating the text, in which a secret may stand", () => {
    for (const [, yaml] of refused) {
      const broken = yaml.replaceAll("x", "hunter2");
      expect(JSON.stringify(parseDocument("f", `k: hunter2\nhunter2: ${broken}`).problems)).not.toContain(
        "hunter2",
      );
      expect(JSON.stringify(parseDocument("f", `${broken}\nk: "hunter2\n`).problems)).not.toContain(
        "hunter2",
      );
    }
  });
});

describe("a document", () => {
  const yaml = "a:\n  b: [1,\n      two]\n  c: |\n    select\n  d: >-\n    x\n'e': { f: no, g: 0x10 }\n";
  const { document, problems } = parseDocument("x.yaml", yaml);
  if (document === undefined) throw new Error("no document");

  test("has the values of YAML 1.2", () => {
    expect(problems).toEqual([]);
    expect(document.value).toEqual({ a: { b: [1, "two"], c: "select\n", d: "x" }, e: { f: "no", g: 16 } });
    expect(valueAt(document, ["a", "b", 1])).toBe("two");
    expect(valueAt(document, ["a", "toString"])).toBeUndefined();
  });

  test.each([
    [["a"], 1],
    [["a", "b"], 2],
    [["a", "b", 1], 3],
    [["a", "c"], 4],
    [["e", "g"], 8],
    [["e", "missing"], 8],
    [["missing"], 1],
    [["a", "b", 7], 2],
  ])("knows that %j stands in line %i", (path, line) => {
    expect(lineAt(document, path)).toBe(line);
  });

  test("knows where a block text begins", () => {
    expect(contentLineAt(document, ["a", "c"])).toBe(5);
    expect(contentLineAt(document, ["a", "d"])).toBe(7);
    expect(contentLineAt(document, ["a", "b", 1])).toBe(3);
  });

  test("names settings with dots and indices", () => {
    expect(settingName(["access", 0, "when"])).toBe("access[0].when");
  });
});
