import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";

const root = path.resolve(import.meta.dirname, "../..");

/** A file of tests, and names of tests or cases in it. */
type NamedTests = { readonly file: string; readonly cases: readonly string[] };

/** The tests that a cell of a page names: `file`: a case; another case `file`: … */
export function testsNamedIn(cell: string): NamedTests[] {
  return [...cell.matchAll(/`([^`]+)`(?:: ([^`]*))?/g)].map(([, file = "", cases = ""]) => ({
    file,
    cases: cases
      .split("; ")
      .map((name) => name.trim())
      .filter((name) => name !== ""),
  }));
}

/** Of those, the ones that are not there. */
export function missingTests(named: readonly NamedTests[]): string[] {
  return named.flatMap(({ file, cases }) =>
    existsSync(path.join(root, file))
      ? cases.filter((name) => !hasCase(file, name)).map((name) => `${file}: ${name}`)
      : [file],
  );
}

/** True if the file has a case or a test of this name. */
function hasCase(file: string, name: string): boolean {
  const content = readFileSync(path.join(root, file), "utf8");
  if (!file.endsWith(".yaml")) return content.includes(name);
  return (parse(content) as { name: string }[]).some((one) => one.name === name);
}
