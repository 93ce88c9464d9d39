import type { Catalog, FunctionFacts } from "../catalog/catalog.ts";
import type { ConfigProblem } from "../document/problem.ts";
import type { RoleFile } from "./role-file.ts";
import { extensionEffect } from "./server-functions/extension-functions.ts";
import { functionClasses, type FunctionClass } from "./server-functions/function-group.ts";
import { classesOf, serverFunction } from "./server-functions/function-table.ts";

/** Names under functions.allow that open nothing, because no role file can allow what they mean. */
export function functionProblems({ file, functions, lines }: RoleFile): readonly ConfigProblem[] {
  return functions.flatMap((name): ConfigProblem[] => {
    const [bare = "", schema] = name.split(".").toReversed();
    const classes = schema === undefined || schema === "pg_catalog" ? classesOf(bare) : [];
    if (classes.length === 0 || classes.some((kind) => functionClasses[kind] !== "never")) return [];
    return [
      {
        file,
        line: lines.functions.get(name) ?? 1,
        setting: "functions.allow",
        message: "no role can be allowed this function",
        found: name,
        expected: `a function that does not lift the rules themselves (${classes.join(", ")})`,
      },
    ];
  });
}

/** Functions that the role may call by name, and that show or do what no rule holds back. */
export function functionAdvice(
  { file, functions, lines }: RoleFile,
  catalog: Catalog,
): readonly ConfigProblem[] {
  return functions.flatMap((name) => {
    const [bare = "", schema] = name.split(".").toReversed();
    const found = (catalog.functions.get(bare) ?? []).filter(
      (one) => schema === undefined || one.schema === schema,
    );
    const effects = new Map(found.map((one) => [`${one.schema}.${one.name}`, effectOf(one)]));
    return [...effects].flatMap(([shown, effect]): ConfigProblem[] =>
      effect === undefined
        ? []
        : [
            {
              file,
              line: lines.functions.get(name) ?? 1,
              setting: "functions.allow",
              message: "goes past the rules of the role",
              found: shown,
              expected: `a function that ${effect}`,
            },
          ],
    );
  });
}

function effectOf({ own, name, takes, extension }: FunctionFacts): string | undefined {
  if (extension !== undefined) return extensionEffect(extension, name);
  const known = own ? serverFunction(name, takes.most) : undefined;
  return known === undefined ? undefined : effects[known.class];
}

/** What a function of a class shows or does once a role file names it. */
const effects: Partial<Readonly<Record<FunctionClass, string>>> = {
  counts: "tells how many rows there are, hidden ones included",
  setting: "shows every setting, those in which applications keep secrets included",
  sequence: "moves or shows every sequence that the database role was granted",
  "type by name": "runs what belongs to any type, the checks of domains included",
  notification: "notifies every channel",
  "large object": "reads and writes large objects, which no rule is about",
  "shows others": "shows other sessions, other transactions or statistics of every relation",
  "reaches the server":
    "reaches other sessions, directories, replication or what the server keeps of its own",
};
