import { randomBytes } from "node:crypto";
import { readCatalog } from "../catalog/load.ts";
import { loginUser, type DatabaseConfig } from "../config/config.ts";
import { formatProblem } from "../document/problem.ts";
import { compileRole, type Role } from "../policy/grants.ts";
import { makeVerifier, parseVerifier, saltBytes } from "../scram/verifier.ts";
import { quoteIdentifier } from "../sql/names.ts";
import { loadParser, workerLimits } from "../sql/parser.ts";
import type { AdminQuery } from "./admin-query.ts";
import { readDatabaseObjects } from "./database-objects.ts";
import { ownedBeyond } from "./definition-privileges.ts";
import { privilegeStatements } from "./privilege.ts";
import { publicNotes } from "./public-notes.ts";
import { readPrivileges } from "./read-privileges.ts";
import { readRoles, type RoleFacts } from "./read-role.ts";
import { roleProblems, roleStatements, type RolePair } from "./role-statements.ts";
import { verifyPrivileges } from "./verify.ts";
import { wantedPrivileges } from "./wanted-privileges.ts";

export type ApplyResult =
  /** What ran; empty if everything was as it should be. `notes`: what the server grants to everybody. */
  | { readonly kind: "applied"; readonly statements: readonly string[]; readonly notes: readonly string[] }
  /** Nothing was changed. */
  | { readonly kind: "refused"; readonly problems: readonly string[] };

/**
 * Makes the database's roles and logins, and grants each role as much as its rules need and nothing else.
 * @param query runs in a transaction of the caller's, as an administrator; the caller rolls it back unless this is
 *   `applied`, and where it only wanted to know the statements
 * @param adopt take over roles of these names that apply has not made
 */
export async function applyRoles(
  query: AdminQuery,
  database: DatabaseConfig,
  adopt: boolean,
): Promise<ApplyResult> {
  await query("set local search_path = pg_catalog, pg_temp");
  await query("set local jit = off");
  const { catalog } = await readCatalog(async (sql) =>
    Object.values((await query<Record<string, string>>(sql))[0]!),
  );
  const parser = await loadParser(catalog.serverMajor, workerLimits);
  const roles: Role[] = [];
  const notes: string[] = [];
  for (const file of database.roles.values()) {
    if (file.unrestricted !== undefined) {
      notes.push(
        `role ${file.role} is unrestricted: it, its login and what they are granted stay as they are`,
      );
      continue;
    }
    const compiled = compileRole(file, parser);
    if (compiled.kind === "role") roles.push(compiled.role);
    else
      return refused(
        compiled.problems.map((problem) =>
          formatProblem({ ...problem, setting: "", message: "not a usable expression" }),
        ),
      );
  }
  const objects = await readDatabaseObjects(query);
  const wanted = roles.map((role) => ({
    role,
    ...wantedPrivileges(role, catalog, objects, database.upstream.database),
  }));
  const missing = wanted.flatMap(({ problems }) => problems);
  if (missing.length > 0) return refused(missing.map(formatProblem));

  const names = roles.flatMap(({ file: { role } }) => [role, loginUser(database.login, role)]);
  const existing = await readRoles(query, names);
  const beyond = roles.map(({ file }) => [file.role, ownedBeyond(file, catalog, objects)] as const);
  const unfit = roleProblems(
    existing,
    adopt,
    new Map(beyond.flatMap(([role, owned]) => (owned === undefined ? [] : [[role, owned]]))),
  );
  if (unfit.length > 0) return refused(unfit);

  const statements: string[] = [];
  const run = async (sql: string) => {
    await query(sql);
    statements.push(sql);
  };
  const amiss: string[] = [];
  for (const { role, privileges } of wanted) {
    const pair = await pairOf(role.file.role, database, existing);
    for (const sql of roleStatements(pair, existing, catalog.serverMajor)) await run(sql);
    const connect = { object: "DATABASE", name: quoteIdentifier(database.upstream.database) } as const;
    const ofLogin = [{ ...connect, column: undefined, privilege: "CONNECT", grantable: false }];
    for (const [name, own] of [
      [pair.role, privileges],
      [pair.login, ofLogin],
    ] as const) {
      for (const sql of privilegeStatements(name, await readPrivileges(query, name), own)) await run(sql);
      amiss.push(...(await verifyPrivileges(query, name, await readPrivileges(query, name), own)));
    }
  }
  if (amiss.length > 0) return refused(amiss);
  return {
    kind: "applied",
    statements,
    notes: [...notes, ...wanted.flatMap(({ notes }) => notes), ...(await publicNotes(query))],
  };
}

function refused(problems: readonly string[]): ApplyResult {
  return { kind: "refused", problems };
}

/** A new verifier only where the stored one is of another password, so that applying twice changes nothing. */
async function pairOf(
  role: string,
  database: DatabaseConfig,
  existing: readonly RoleFacts[],
): Promise<RolePair> {
  const login = loginUser(database.login, role);
  const password = await database.login.password(role)();
  const stored = existing.find(({ name }) => name === login)?.verifier ?? undefined;
  const parsed = stored === undefined ? undefined : parseVerifier(stored);
  if (parsed !== undefined && (await makeVerifier(password, parsed)) === stored)
    return { role, login, verifier: undefined };
  return { role, login, verifier: await makeVerifier(password, { salt: randomBytes(saltBytes) }) };
}
