import { relationKey, type Catalog, type Relation } from "../catalog/catalog.ts";
import type { ExpressionProblem } from "./expression.ts";
import type { Role } from "./grants.ts";
import { expressionsOf, type DefinitionRule, type TableRule } from "./role-file.ts";

/**
 * What a role file says that the database cannot honour: relations, columns and functions that are not there. Such a
 * rule gives nothing (a statement that would need it fails), so it is a warning and not a reason to stop: the
 * database may change while rolegate runs.
 */
export function lintRole(role: Role, catalog: Catalog): ExpressionProblem[] {
  const { file } = role;
  const functions = file.functions.filter((name) => !knownFunction(catalog, name));
  return [
    ...file.tables.flatMap((rule) => lintTable(role, rule, catalog)),
    ...file.definitions
      .filter((rule) => !isDefinable(rule, catalog))
      .map(({ schema, name, line }) => ({
        file: file.file,
        line,
        found: `definitions: ${schema}.${name}`,
        expected: "what the database has, or create among what is allowed",
      })),
    ...functions.map((name) => ({
      file: file.file,
      line: file.lines.functions.get(name) ?? 1,
      found: `functions.allow: ${name}`,
      expected: "a function that the database has",
    })),
  ];
}

/** An entry that allows to create may speak of what is still to come; any other is about something that is there. */
export function isDefinable({ schema, name, allowed }: DefinitionRule, catalog: Catalog): boolean {
  if (allowed.includes("create") && (name === "*" || catalog.schemas.has(schema))) return true;
  if (name === "*") return catalog.schemas.has(schema);
  const isType = (catalog.types.get(name) ?? []).some((type) => type.schema === schema);
  return isType || catalog.relations.has(relationKey(schema, name));
}

function lintTable(role: Role, rule: TableRule, catalog: Catalog): ExpressionProblem[] {
  const problem = (line: number, found: string, expected: string): ExpressionProblem => ({
    file: role.file.file,
    line,
    found,
    expected,
  });
  if (rule.name === "*")
    return catalog.schemas.has(rule.schema)
      ? []
      : [problem(rule.line, `${rule.schema}.*`, "a schema that the database has")];
  const relation = catalog.relations.get(relationKey(rule.schema, rule.name));
  if (relation === undefined)
    return [problem(rule.line, `${rule.schema}.${rule.name}`, "a relation that the database has")];
  const expected = `a column of ${rule.schema}.${rule.name}`;
  const listed = [rule.select, rule.insert, rule.update].flatMap((part) =>
    part === undefined || part.columns === "all"
      ? []
      : missing(relation, part.columns).map((name) => problem(part.line, name, expected)),
  );
  const used = expressionsOf(rule).flatMap((source) =>
    missing(relation, role.expressions.get(source)?.columns ?? []).map((name) =>
      problem(source.line, name, expected),
    ),
  );
  return [...listed, ...used];
}

function missing(relation: Relation, names: readonly string[]): string[] {
  return names.filter((name) => !relation.columns.some((column) => column.name === name));
}

/** Does the database have a function, or a type with functions of its own, that a role file names like this? */
export function knownFunction(catalog: Catalog, name: string): boolean {
  const [bare, schema] = name.split(".").toReversed() as [string, string | undefined];
  return [...(catalog.functions.get(bare) ?? []), ...(catalog.types.get(bare) ?? [])].some(
    (found) => schema === undefined || found.schema === schema,
  );
}
