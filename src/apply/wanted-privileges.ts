import { relationKey, type Catalog, type Relation } from "../catalog/catalog.ts";
import type { ConfigProblem } from "../document/problem.ts";
import type { Role } from "../policy/grants.ts";
import { knownFunction } from "../policy/lint.ts";
import type { RuleExpression, TableRule } from "../policy/role-file.ts";
import { quoteIdentifier, quoteQualified } from "../sql/names.ts";
import type { DatabaseObjects } from "./database-objects.ts";
import { definitionPrivileges } from "./definition-privileges.ts";
import { privilegeKey, type Privilege } from "./privilege.ts";

/** Relations that a rule can be about. */
const ruled = new Set(["table", "partitioned table", "view", "materialized view", "foreign table"]);

/** Their contents are the server's, and readable by all where they may be read at all. */
const serverSchemas = new Set(["pg_catalog", "information_schema"]);

/**
 * The least that a database role needs so that everything its rules allow can run: the columns that they list, those
 * that their expressions read, and what an insert uses without naming it.
 * @returns also what the rules name and the database does not have
 */
export function wantedPrivileges(
  role: Role,
  catalog: Catalog,
  objects: DatabaseObjects,
  database: string,
): {
  readonly privileges: readonly Privilege[];
  readonly notes: readonly string[];
  readonly problems: readonly ConfigProblem[];
} {
  const problems: ConfigProblem[] = [];
  const definitions = definitionPrivileges(role.file, catalog, objects, database);
  const privileges = role.file.tables.flatMap((rule) =>
    serverSchemas.has(rule.schema)
      ? []
      : relationsOf(rule, role, catalog, problems).flatMap((relation) => [
          ...onRelation(relation, rule, role, problems),
          ...besideRelation(relation, rule, objects),
        ]),
  );
  const routines = role.file.functions.flatMap((name) => {
    if (!knownFunction(catalog, name)) problems.push(unknownFunction(role, name));
    return objects.routines.filter((found) => means(name, found));
  });
  for (const { schema, name, arguments: list } of routines) {
    privileges.push(on("ROUTINE", `${quoteQualified(schema, name)}(${list})`, "EXECUTE"), usage(schema));
  }
  // An owner needs no grant, and what it granted itself would stay behind when the object changes hands.
  const needed = [...privileges, ...definitions.privileges].filter(
    ({ object, name }) => objects.owners.get(`${object} ${name}`) !== role.file.role,
  );
  const distinct = new Map(needed.map((privilege) => [privilegeKey(privilege), privilege]));
  return {
    privileges: [...distinct.values()],
    notes: definitions.notes,
    problems: [...problems, ...definitions.problems],
  };
}

function relationsOf(rule: TableRule, role: Role, catalog: Catalog, problems: ConfigProblem[]): Relation[] {
  if (rule.name === "*") {
    const named = new Set(role.file.tables.map((other) => relationKey(other.schema, other.name)));
    return [...catalog.relations]
      .filter(([key, { schema, kind }]) => schema === rule.schema && ruled.has(kind) && !named.has(key))
      .map(([, relation]) => relation);
  }
  const relation = catalog.relations.get(relationKey(rule.schema, rule.name));
  if (relation !== undefined && ruled.has(relation.kind)) return [relation];
  if (relation === undefined && mayMake(role, rule)) return [];
  problems.push({
    file: role.file.file,
    line: rule.line,
    setting: "",
    message: "the database has no such relation",
    found: `${rule.schema}.${rule.name}${relation === undefined ? "" : `, which is of kind ${relation.kind}`}`,
    expected: "a table or view",
  });
  return [];
}

/** The role itself is to make it. */
function mayMake({ file }: Role, { schema, name }: TableRule): boolean {
  return file.definitions.some(
    (rule) =>
      rule.schema === schema && (rule.name === "*" || rule.name === name) && rule.allowed.includes("create"),
  );
}

function onRelation(relation: Relation, rule: TableRule, role: Role, problems: ConfigProblem[]): Privilege[] {
  const { select, insert, update } = rule;
  const name = quoteQualified(relation.schema, relation.name);
  const existing = new Set(relation.columns.map((column) => column.name));
  const onColumns = (privilege: string, columns: "all" | Iterable<string>, line: number): Privilege[] => {
    if (columns === "all") return [on("TABLE", name, privilege)];
    return [...new Set(columns)].toSorted().flatMap((column) => {
      if (existing.has(column)) return [on("TABLE", name, privilege, column)];
      // One entry for all of a schema may list what only some of its relations have.
      if (rule.name !== "*")
        problems.push(unknownColumn(role, line, `${rule.schema}.${rule.name}.${column}`));
      return [];
    });
  };
  const found: Privilege[] = [];
  /** What expressions read; checked, but not granted again, where all columns may be read anyway. */
  const reads = (sources: Iterable<RuleExpression | undefined>) => {
    for (const source of sources) {
      if (source === undefined) continue;
      const columns = onColumns("SELECT", role.expressions.get(source)!.columns, source.line);
      if (select?.columns !== "all") found.push(...columns);
    }
  };
  if (select !== undefined) {
    found.push(...onColumns("SELECT", select.columns, select.line));
    reads([...select.mask.values(), select.rows]);
  }
  if (insert !== undefined) found.push(...onColumns("INSERT", insert.columns, insert.line));
  if (update !== undefined) found.push(...onColumns("UPDATE", update.columns, update.line));
  if (rule.delete !== undefined) found.push(on("TABLE", name, "DELETE"));
  reads([insert?.check, update?.rows, update?.check, rule.delete?.rows]);
  return found;
}

function besideRelation(relation: Relation, rule: TableRule, objects: DatabaseObjects): Privilege[] {
  const key = relationKey(relation.schema, relation.name);
  const sequences = rule.insert === undefined ? [] : (objects.defaultSequences.get(key) ?? []);
  return [
    usage(relation.schema),
    ...(objects.typeSchemas.get(key) ?? []).map(usage),
    // A default runs with the rights of who inserts, also for a column that the rule does not list.
    ...sequences.flatMap(({ schema, name }) => [
      on("SEQUENCE", quoteQualified(schema, name), "USAGE"),
      usage(schema),
    ]),
  ];
}

/** As the judgement reads a role file's function names: a bare one is that function in every schema. */
function means(written: string, routine: { readonly schema: string; readonly name: string }): boolean {
  return (
    !serverSchemas.has(routine.schema) &&
    (written === routine.name || written === `${routine.schema}.${routine.name}`)
  );
}

function usage(schema: string): Privilege {
  return on("SCHEMA", quoteIdentifier(schema), "USAGE");
}

function on(object: Privilege["object"], name: string, privilege: string, column?: string): Privilege {
  return { object, name, column, privilege, grantable: false };
}

function unknownFunction(role: Role, found: string): ConfigProblem {
  const message = "the database has no such function";
  const expected = "a function's name, with its schema or alone";
  return { file: role.file.file, line: 1, setting: "functions.allow", message, found, expected };
}

function unknownColumn(role: Role, line: number, found: string): ConfigProblem {
  const message = "the database has no such column";
  return { file: role.file.file, line, setting: "", message, found, expected: "a column of the relation" };
}
