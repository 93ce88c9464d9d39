import { readCatalog } from "../catalog/load.ts";
import type { Config } from "../config/config.ts";
import type { ConfigProblem } from "../document/problem.ts";
import { RolegateError } from "../errors.ts";
import { adviceOn } from "../policy/advice.ts";
import { compileRole } from "../policy/grants.ts";
import { lintRole } from "../policy/lint.ts";
import { pinNotes } from "../policy/pinned-settings.ts";
import type { RoleFile } from "../policy/role-file.ts";
import { loginFor } from "../session/database.ts";
import { loadParser, workerLimits } from "../sql/parser.ts";
import { askAs, type RoleQuery } from "../upstream/role-client.ts";
import { typeProblems } from "./type-check.ts";
import { writeEffects } from "./write-effects.ts";

/** What the database has to say of a role file. */
export type DatabaseFindings = {
  readonly problems: readonly ConfigProblem[];
  /** What is worth a look. */
  readonly notes: readonly ConfigProblem[];
  /** Roles that the database could not be asked as, and why. */
  readonly unasked: readonly { readonly database: string; readonly role: string; readonly reason: string }[];
};

/** Asks each database about each of its role files, with the role's own login, as a session would be opened. */
export async function askDatabases(config: Config): Promise<DatabaseFindings> {
  const problems: ConfigProblem[] = [];
  const notes: ConfigProblem[] = [];
  const unasked: { database: string; role: string; reason: string }[] = [];
  for (const database of config.databases.values())
    for (const [role, file] of database.roles) {
      try {
        const found = await askAs(
          database.upstream,
          loginFor(database, role),
          { role, unrestricted: file.unrestricted !== undefined },
          config.limits.upstreamTimeout,
          (query) => askAbout(query, file, config),
        );
        problems.push(...found.problems);
        notes.push(...found.notes);
      } catch (error) {
        if (!(error instanceof RolegateError)) throw error;
        unasked.push({ database: database.name, role, reason: reasonOf(error) });
      }
    }
  return { problems, notes, unasked };
}

async function askAbout(
  query: RoleQuery,
  file: RoleFile,
  config: Config,
): Promise<Pick<DatabaseFindings, "problems" | "notes">> {
  const [before] = await query<{ path: string }>("SELECT pg_catalog.current_setting('search_path') AS path");
  // The catalog is read under a path that shows nothing (catalog/load.ts), the rules under the role's own.
  await query("SET search_path = pg_catalog, pg_temp");
  await query("SET jit = off");
  const { catalog } = await readCatalog(async (sql) =>
    Object.values((await query<Record<string, string>>(sql))[0]!),
  );
  await query(`SET search_path = ${before!.path === "" ? "''" : before!.path}`);
  const compiled = compileRole(file, await loadParser(catalog.serverMajor, workerLimits));
  if (compiled.kind === "refused")
    return {
      problems: compiled.problems.map((problem) => ({
        ...problem,
        setting: "",
        message: `not a usable expression for PostgreSQL ${catalog.serverMajor}`,
      })),
      notes: [],
    };
  const { role } = compiled;
  const missing = lintRole(role, catalog).map((problem) => ({
    ...problem,
    setting: "",
    message: "the database does not have this",
  }));
  const { problems, notes } = await typeProblems(query, role, catalog, config);
  return {
    problems: [...missing, ...problems],
    notes: [
      ...(await unrestrictedNotes(query, file)),
      ...notes,
      ...pinNotes(role, catalog),
      ...adviceOn(file, catalog),
      ...(await writeEffects(query, file, catalog)),
    ],
  };
}

/** What an unrestricted role comes to. */
async function unrestrictedNotes(query: RoleQuery, file: RoleFile): Promise<readonly ConfigProblem[]> {
  if (file.unrestricted === undefined) return [];
  const [facts] = await query<{ superuser: boolean }>(
    "SELECT rolsuper AS superuser FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) current_user",
  );
  return [
    {
      file: file.file,
      line: file.unrestricted,
      setting: "unrestricted",
      message: "no rule keeps anything from this role",
      found: facts?.superuser === true ? `${file.role}, a superuser` : file.role,
      expected:
        facts?.superuser === true
          ? "an administrator, who may do everything in every database, and read files and run programs on its server"
          : "an administrator or a migration, who may do whatever the database role may",
    },
  ];
}

function reasonOf({ message, cause, problem }: RolegateError): string {
  if (cause instanceof AggregateError) return cause.errors.map(String).join(", ");
  return cause instanceof Error ? cause.message : (problem.detail ?? message);
}
