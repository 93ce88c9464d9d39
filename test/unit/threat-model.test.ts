import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { missingTests, testsNamedIn } from "./named-tests.ts";

const root = path.resolve(import.meta.dirname, "../..");
const text = readFileSync(path.join(root, "docs/threat-model.md"), "utf8");

/** A heading with a number is a class of attack. */
const sections = text
  .split(/^## (?=\d+\. )/m)
  .slice(1)
  .map((section) => ({ title: section.slice(0, section.indexOf("\n")), section }));

function rowsOf(
  section: string,
): { readonly attack: string; readonly shown: ReturnType<typeof testsNamedIn> }[] {
  return section
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(1)
    .map((line) => {
      const cells = line.slice(2, -2).split(/ (?<!\\)\| /);
      return { attack: cells[0] ?? "", shown: testsNamedIn(cells[2] ?? "") };
    });
}

test("docs/threat-model.md has every class of attack, in order", () => {
  expect(sections.map(({ title }) => title)).toEqual([
    "1. Becoming someone else",
    "2. Naming a relation without being seen",
    "3. Seeing a hidden column or row through an open one",
    "4. A client's expression on a hidden row",
    "5. Writing past the rule",
    "6. Reading something else than the server",
    "7. The protocol",
    "8. The next user of a connection",
    "9. Wearing it down",
    "10. Logging in",
    "11. The record",
  ]);
});

describe.each(sections)("$title", ({ section }) => {
  test("says what is not defended", () => {
    expect(section).toMatch(/\nNot defended:\n\n- /);
  });

  test.each(rowsOf(section))("$attack: is shown by tests that are there", ({ shown }) => {
    expect(shown.length).toBeGreaterThan(0);
    expect(missingTests(shown)).toEqual([]);
  });
});
