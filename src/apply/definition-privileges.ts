import { relationKey, type Catalog } from "../catalog/catalog.ts";
import type { ConfigProblem } from "../document/problem.ts";
import { isDefinable } from "../policy/lint.ts";
import type { DefinitionRule, RoleFile } from "../policy/role-file.ts";
import { quoteIdentifier, quoteQualified } from "../sql/names.ts";
import type { DatabaseObjects } from "./database-objects.ts";
import type { Privilege } from "./privilege.ts";

/** What only an object's owner may do: no privilege stands for it. */
const owners: ReadonlySet<string> = new Set(["alter", "drop", "comment", "index"]);

/** Making and renaming puts a name into the schema, and so does the index of a constraint. */
const naming: ReadonlySet<string> = new Set(["create", "alter", "index"]);

const tables: ReadonlySet<string> = new Set(["table", "partitioned table"]);

/**
 * What a role needs so that it may define what its file says.
 * @param database its name.
 * @returns also a note on what cannot be granted, and what the file names and the database does not have
 */
export function definitionPrivileges(
  { role, file, definitions, session }: RoleFile,
  catalog: Catalog,
  objects: DatabaseObjects,
  database: string,
): {
  readonly privileges: readonly Privilege[];
  readonly notes: readonly string[];
  readonly problems: readonly ConfigProblem[];
} {
  const privileges: Privilege[] = [];
  const problems: ConfigProblem[] = [];
  const foreign = new Set<string>();
  if (session.temporaryTables) privileges.push(on("DATABASE", quoteIdentifier(database), "TEMPORARY"));
  for (const rule of definitions) {
    const { schema, name, allowed } = rule;
    const known = catalog.schemas.has(schema);
    // Who may make a schema needs this beside it, also where it is there already and nobody else's.
    const own = objects.owners.get(`SCHEMA ${quoteIdentifier(schema)}`) === role;
    if (name === "*" && allowed.includes("create") && (!known || own))
      privileges.push(on("DATABASE", quoteIdentifier(database), "CREATE"));
    if (!isDefinable(rule, catalog)) problems.push(missing(file, rule));
    if (!known) continue;
    privileges.push(on("SCHEMA", quoteIdentifier(schema), "USAGE"));
    if (allowed.some((word) => naming.has(word)))
      privileges.push(on("SCHEMA", quoteIdentifier(schema), "CREATE"));
    const relations = [...catalog.relations.values()].filter(
      (relation) =>
        relation.schema === schema &&
        relation.kind !== "toast table" &&
        means(rule, relation.name, definitions),
    );
    for (const relation of relations) {
      const quoted = quoteQualified(schema, relation.name);
      if (allowed.includes("truncate") && tables.has(relation.kind))
        privileges.push(on("TABLE", quoted, "TRUNCATE"));
      const owner = objects.owners.get(`TABLE ${quoted}`) ?? objects.owners.get(`SEQUENCE ${quoted}`);
      if (owner !== undefined && owner !== role && allowed.some((word) => owners.has(word)))
        foreign.add(quoted);
    }
  }
  return { privileges, notes: note(role, [...foreign]), problems };
}

/**
 * What a role that defines owns beyond what its file lets it define: no rule and no REVOKE would hold there. Undefined:
 * it defines nothing, and must own nothing.
 */
export function ownedBeyond(
  { role, definitions }: RoleFile,
  catalog: Catalog,
  objects: DatabaseObjects,
): string[] | undefined {
  if (definitions.length === 0) return undefined;
  const isDefined = (schema: string, name: string): boolean =>
    definitions.some((rule) => rule.schema === schema && (rule.name === "*" || rule.name === name));
  const covered = new Set(
    [...catalog.schemas]
      .filter((schema) => isDefined(schema, "*"))
      .map((schema) => `SCHEMA ${quoteIdentifier(schema)}`),
  );
  for (const [key, { schema, name }] of catalog.relations) {
    const [ofSchema = schema, ofName = name] = catalog.tablesOf.get(key)?.split("\0") ?? [];
    if (!isDefined(schema, name) && !isDefined(ofSchema, ofName)) continue;
    for (const kind of ["TABLE", "SEQUENCE"]) covered.add(`${kind} ${quoteQualified(schema, name)}`);
  }
  return [...objects.owners]
    .filter(([object, owner]) => owner === role && !covered.has(object))
    .map(([object]) => object.replace(/^[A-Z]+/, (kind) => kind.toLowerCase()))
    .toSorted();
}

/** An entry for a schema leaves out what has one of its own. */
function means(rule: DefinitionRule, relation: string, all: readonly DefinitionRule[]): boolean {
  if (rule.name !== "*") return rule.name === relation;
  return !all.some(({ schema, name }) => relationKey(schema, name) === relationKey(rule.schema, relation));
}

function note(role: string, foreign: readonly string[]): string[] {
  if (foreign.length === 0) return [];
  const listed = foreign.slice(0, 5).join(", ") + (foreign.length > 5 ? `, … (${foreign.length})` : "");
  return [
    `role ${role} does not own ${listed}: to alter, drop, index or comment on them it has to, and ownership cannot be granted`,
  ];
}

function missing(file: string, { schema, name, line }: DefinitionRule): ConfigProblem {
  return {
    file,
    line,
    setting: "definitions",
    message: name === "*" ? "the database has no such schema" : "the database has no such relation",
    found: `${schema}.${name}`,
    expected: "what is there, or create among what is allowed",
  };
}

function on(object: Privilege["object"], name: string, privilege: string): Privilege {
  return { object, name, column: undefined, privilege, grantable: false };
}
