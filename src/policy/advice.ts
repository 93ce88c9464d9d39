import { relationKey, type Catalog, type Relation } from "../catalog/catalog.ts";
import type { ConfigProblem } from "../document/problem.ts";
import { functionAdvice } from "./function-advice.ts";
import type { RoleFile, TableRule } from "./role-file.ts";
import { hiddenParts } from "./whole-relations.ts";

/**
 * What a role file opens beside what its rules say. Nothing of it is wrong by itself: a view may be meant to show more,
 * and a function to do more; but whoever keeps the file should have meant it.
 */
export function adviceOn(file: RoleFile, catalog: Catalog): readonly ConfigProblem[] {
  return [
    ...definers(file, catalog),
    ...functionAdvice(file, catalog),
    ...file.tables.flatMap((rule) => waysAround(file, rule, catalog)),
  ];
}

/** Functions that the role may call and that run with their owner's rights. */
function definers({ file, functions, lines }: RoleFile, catalog: Catalog): ConfigProblem[] {
  return functions.flatMap((name) => {
    const [bare = "", schema] = name.split(".").toReversed();
    const found = (catalog.functions.get(bare) ?? []).filter(
      (one) => one.securityDefiner && (schema === undefined || one.schema === schema),
    );
    return found.map((one) => ({
      file,
      line: lines.functions.get(name) ?? 1,
      setting: "functions.allow",
      message: "runs with its owner's rights, and past the rules of the role",
      found: `${one.schema}.${one.name}, a SECURITY DEFINER function`,
      expected: "a function that may see and do all that its owner may",
    }));
  });
}

/** Relations that the role reads by another entry and that show rows or columns which this one hides. */
function waysAround(file: RoleFile, rule: TableRule, catalog: Catalog): ConfigProblem[] {
  const parts = hiddenParts(rule);
  if (parts.length === 0) return [];
  return relationsOf(rule, file, catalog).flatMap((relation) => {
    const name = `${relation.schema}.${relation.name}`;
    return [...shownBy(relation, catalog)].flatMap(([key, how]): ConfigProblem[] => {
      const other = catalog.relations.get(key);
      const entry = other && entryOf(file, other);
      if (other === undefined || entry?.select === undefined || entry === rule) return [];
      // A partition has the columns of its table; rules for it are compared by what they leave out, not by their text.
      if (how === "child" && parts.every((part) => hiddenParts(entry).includes(part))) return [];
      if (how === "view" && entry.select.rows !== undefined) return [];
      return [
        {
          file: file.file,
          line: entry.line,
          setting: "tables",
          message: `shows ${name} past the rule on line ${rule.line}`,
          found: `${other.schema}.${other.name}, ${how === "child" ? "a partition or child" : "a view"} of it`,
          expected:
            how === "child"
              ? `rules of its own like those of ${name} (${parts.join(", ")}), or no entry that covers it`
              : "a view whose rows and columns the role may all see",
        },
      ];
    });
  });
}

/** The relations that an entry is about. */
export function relationsOf(rule: TableRule, file: RoleFile, catalog: Catalog): readonly Relation[] {
  if (rule.name !== "*") {
    const relation = catalog.relations.get(relationKey(rule.schema, rule.name));
    return relation === undefined ? [] : [relation];
  }
  return [...catalog.relations.values()].filter(
    (relation) => relation.schema === rule.schema && entryOf(file, relation) === rule,
  );
}

const wildcardKinds: ReadonlySet<string> = new Set([
  "table",
  "partitioned table",
  "view",
  "materialized view",
  "foreign table",
]);

function entryOf({ tables }: RoleFile, { schema, name, kind }: Relation): TableRule | undefined {
  const own = tables.find((rule) => rule.schema === schema && rule.name === name);
  if (own !== undefined || !wildcardKinds.has(kind)) return own;
  return tables.find((rule) => rule.schema === schema && rule.name === "*");
}

/** Views over a relation, over those views too, and its partitions and children, by key. */
function shownBy(
  { schema, name }: Relation,
  { dependents, relations }: Catalog,
): ReadonlyMap<string, "view" | "child"> {
  const found = new Map<string, "view" | "child">();
  const visit = (key: string): void => {
    for (const { how, key: other } of dependents.get(key) ?? []) {
      if (other === undefined || found.has(other) || (how !== "child" && how !== "whole")) continue;
      const isView = how === "whole" && relations.get(other)?.kind.endsWith("view") === true;
      if (how === "whole" && !isView) continue;
      found.set(other, isView ? "view" : "child");
      visit(other);
    }
  };
  visit(relationKey(schema, name));
  return found;
}
