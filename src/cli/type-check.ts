import { rolesFor } from "../access/choose-role.ts";
import { relationKey, type Catalog, type Relation } from "../catalog/catalog.ts";
import type { Config } from "../config/config.ts";
import type { ConfigProblem } from "../document/problem.ts";
import type { Identity } from "../identity/identity.ts";
import { passwordIdentity } from "../identity/password-users.ts";
import { relationsOf } from "../policy/advice.ts";
import { renderExpression } from "../policy/expression.ts";
import { bindGrants, type BoundExpression, type Role, type TableGrant } from "../policy/grants.ts";
import { lintRole } from "../policy/lint.ts";
import type { RuleExpression, TableRule } from "../policy/role-file.ts";
import { qualifiedName } from "../rewrite/reading/virtual-table.ts";
import type { RoleQuery } from "../upstream/role-client.ts";

/** Of the relations of one `schema.*`, and of the users whose attributes are tried. */
const most = 100;

/** An expression at one relation. */
type Place = {
  readonly source: RuleExpression;
  readonly relation: Relation;
  /** `select.rows`. */
  readonly key: string;
  /** The column in whose place it stands; undefined: it is a condition. */
  readonly column: string | undefined;
  /** The same with an identity's attributes in it. */
  readonly bound: (grant: TableGrant) => BoundExpression | undefined;
};

/**
 * Has the server read each rule as the session's would: PREPARE analyses the text, types, names and functions included,
 * and runs nothing. First with NULL for every attribute, which takes any type as a literal does; then with the
 * attributes of the password users that may take the role, whose values the columns' types have to accept.
 */
export async function typeProblems(
  query: RoleQuery,
  role: Role,
  catalog: Catalog,
  config: Config,
): Promise<{ readonly problems: readonly ConfigProblem[]; readonly notes: readonly ConfigProblem[] }> {
  // What is not there at all has been reported already.
  const missing = new Set(lintRole(role, catalog).map(({ line }) => line));
  const places = role.file.tables
    .flatMap((rule) => placesOf(rule, role, catalog))
    .filter(({ source }) => !missing.has(source.line));
  const problems: ConfigProblem[] = [];
  const notes: ConfigProblem[] = [];
  const sound: Place[] = [];
  for (const place of places) {
    const { relation, source } = place;
    const text = renderExpression(role.expressions.get(source)!, relation.name, () => "NULL");
    const told = await prepare(query, place, text);
    if (told !== undefined) problems.push(problemAt(place, "the server does not take the rule", told));
    else {
      sound.push(place);
      const type = await otherType(query, place);
      if (type !== undefined) notes.push(problemAt(place, "the mask changes the column's type", type));
      await query("DEALLOCATE rolegate_check");
    }
  }
  for (const identity of usersOf(role, config)) {
    const grants = bindGrants(role, identity);
    for (const place of sound) {
      const { relation, source } = place;
      if (role.expressions.get(source)!.attributes.length === 0) continue;
      const grant =
        grants.tables.get(relationKey(relation.schema, relation.name)) ?? grants.schemas.get(relation.schema);
      const text = grant && place.bound(grant)?.render(relation.name);
      if (text === undefined) continue;
      const told = await prepare(query, place, text);
      const whose = `the server does not take the rule with the attributes of ${identity.name}`;
      if (told !== undefined) problems.push(problemAt(place, whose, told));
      else await query("DEALLOCATE rolegate_check");
    }
  }
  return { problems, notes };
}

function placesOf(rule: TableRule, role: Role, catalog: Catalog): Place[] {
  const { select, insert, update, delete: remove } = rule;
  const conditions: readonly (readonly [string, RuleExpression | undefined, Place["bound"]])[] = [
    ["select.rows", select?.rows, (grant) => grant.select?.rows],
    ["insert.check", insert?.check, (grant) => grant.insert?.check],
    ["update.rows", update?.rows, (grant) => grant.update?.rows],
    ["update.check", update?.check, (grant) => grant.update?.check],
    ["delete.rows", remove?.rows, (grant) => grant.delete?.rows],
  ];
  return relationsOf(rule, role.file, catalog)
    .slice(0, most)
    .flatMap((relation) => [
      ...[...(select?.mask ?? [])].map(([column, source]) => {
        const bound: Place["bound"] = (grant) => grant.select?.mask.get(column);
        return { source, relation, key: `select.mask.${column}`, column, bound };
      }),
      ...conditions.flatMap(([key, source, bound]) =>
        source === undefined ? [] : [{ source, relation, key, column: undefined, bound }],
      ),
    ]);
}

/** The password users that could take the role from here, each set of attributes once. */
function usersOf(role: Role, { identities, access }: Config): readonly Identity[] {
  const { passwordUsers = new Map() } = identities;
  const connection = { address: "127.0.0.1", tls: true, database: role.file.database, applicationName: "" };
  const found = new Map<string, Identity>();
  for (const name of passwordUsers.keys()) {
    const identity = passwordIdentity(passwordUsers, name, Date.now())!;
    const values = role.attributes.map((path) => (path === "name" ? name : identity.attributes[path]));
    if (values.some((value) => value === undefined || value === null)) continue;
    const { roles, askable } = rolesFor(identity, connection, Date.now(), access);
    if (![...roles, ...askable].includes(role.file.role)) continue;
    if (found.size < most) found.set(JSON.stringify(values), identity);
  }
  return [...found.values()];
}

type Told = { readonly found: string; readonly expected: string };

/** Undefined: the server takes it, and has it prepared. */
async function prepare(
  query: RoleQuery,
  { relation, column }: Place,
  text: string,
): Promise<Told | undefined> {
  const from = qualifiedName(relation);
  const sql = column === undefined ? `SELECT FROM ${from} WHERE (${text})` : `SELECT (${text}) FROM ${from}`;
  try {
    await query(`PREPARE rolegate_check AS ${sql}`);
    return undefined;
  } catch (error) {
    // Anything but an answer of the server ends the whole check.
    if (!(error instanceof Error && "code" in error && /^[0-9A-Z]{5}$/.test(String(error.code)))) throw error;
    const what = column === undefined ? "a condition" : "an expression";
    return { found: error.message, expected: `${what} over ${relation.schema}.${relation.name}` };
  }
}

/** A mask's type where it is not the column's; from 16 on the server tells what a prepared statement gives. */
async function otherType(query: RoleQuery, { relation, column }: Place): Promise<Told | undefined> {
  const expected = relation.columns.find(({ name }) => name === column)?.type;
  if (expected === undefined) return undefined;
  const [row] = await query<{ type: string | null }>(
    `SELECT pg_catalog.to_jsonb(s) operator(pg_catalog.->) 'result_types' operator(pg_catalog.->>) 0 AS type
       FROM pg_catalog.pg_prepared_statements s WHERE name operator(pg_catalog.=) 'rolegate_check'`,
  );
  const type = row?.type ?? expected;
  return family(type) === family(expected) ? undefined : { found: type, expected };
}

/** Types that clients and operators take alike. */
const texts: ReadonlySet<string> = new Set([
  "text",
  "character varying",
  "character",
  "bpchar",
  "name",
  "public.citext",
]);

function family(type: string): string {
  return texts.has(type) ? "text" : type;
}

function problemAt(
  { source, relation, key }: Place,
  message: string,
  { found, expected }: Told,
): ConfigProblem {
  const setting = `${relation.schema}.${relation.name} ${key}`;
  return { file: source.file, line: source.line, setting, message, found, expected };
}
