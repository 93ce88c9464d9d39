import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** What test/clients/install puts below test. */
const installed = /(^|\/)(node_modules|generated)\//;

/** The TypeScript files below a directory, as `folder/file.ts` with forward slashes, sorted; without what is installed. */
export function sourceFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => name.split(path.sep).join("/"))
    .filter((name) => !installed.test(name))
    .toSorted();
}

/** `sql/` for a file in that folder, the name of a file that stands in no folder: the rows of the import table. */
export function rowOf(file: string): string {
  const slash = file.indexOf("/");
  return slash < 0 ? file : file.slice(0, slash + 1);
}

export type Import =
  | { readonly kind: "file"; readonly row: string }
  | { readonly kind: "package"; readonly name: string };

/** An import statement, one over several lines included; a dynamic import; a require; a file that a worker runs. */
const specifiers = [
  /^(?:import|export)\s(?:[^;"]*?\sfrom\s)?"([^"]+)"/gm,
  /\b(?:import|require|require\.resolve)\(\s*["'`]([^"'`]+)["'`]/g,
  /\bnew URL\(\s*["'`](\.[^"'`]+\.[jt]s)["'`]/g,
];

/** Everything that a file imports, types included, as rows of the table or names of packages. */
export function importsOf(directory: string, file: string): Import[] {
  const text = readFileSync(path.join(directory, file), "utf8");
  const found = specifiers.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1]!));
  return found.map((specifier) => {
    if (!specifier.startsWith(".")) return { kind: "package", name: packageName(specifier) };
    return { kind: "file", row: rowOf(path.posix.join(path.posix.dirname(file), specifier)) };
  });
}

/** `hono/cors` → `hono`; a name that is put together (`libpg-query-${major}`) ends in `*`. */
function packageName(specifier: string): string {
  if (specifier.startsWith("node:")) return specifier;
  const [first = "", second = ""] = specifier.split("/");
  const name = first.startsWith("@") ? `${first}/${second}` : first;
  return name.replace(/\$\{.*$/, "*");
}
