import { randomBytes } from "node:crypto";
import { Client, type QueryResult, escapeIdentifier, escapeLiteral } from "pg";
import { describe, inject } from "vitest";
import { shopTemplate, type TestServer } from "./global-setup.ts";

/** The password of every login that `addRole` makes. */
export const loginPassword = "login-password-of-the-tests";

/** A database that no other test file uses, on a server of the run. */
export type TestDatabase = {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  /** `postgres://…` of the superuser. */
  readonly adminUrl: string;
  /** Runs SQL as the superuser; without values it may hold several statements. */
  query(sql: string, values?: unknown[]): Promise<QueryResult>;
  /**
   * Makes sure that the database role `role` and its login `rolegate_<role>` (NOINHERIT, a member of that role
   * alone, password `loginPassword`) exist. Roles are the whole server's and other files use the same names, so
   * they stay; what a role may do is granted in this database alone.
   */
  addRole(role: string, grants?: string): Promise<void>;
  /** Ends all connections to the database and drops it. */
  close(): Promise<void>;
};

/** Describes the same for each server of the run; one that is not installed shows as skipped, under its name. */
export function describeServers(body: (server: TestServer, major: number) => void): void {
  for (const { major, server } of inject("servers"))
    describe.skipIf(server === undefined)(`PostgreSQL ${major}`, () => {
      body(server!, major);
    });
}

/**
 * A new database.
 * @param options.template "shop": the demo's schema and rows; another database's name: a copy of it, which ends all
 *   connections to it; undefined: empty.
 * @param options.sql run in it by the superuser.
 * @param options.server where; undefined: the newest major version. The shop is there alone.
 */
export async function createTestDatabase(
  options: { readonly template?: string; readonly sql?: string; readonly server?: TestServer } = {},
): Promise<TestDatabase> {
  const { host, port, user, password } = options.server ?? inject("postgres");
  const name = `test_${randomBytes(6).toString("hex")}`;
  const client = (database: string) => new Client({ host, port, user, password, database });

  await withAdmin(async (admin) => {
    // Only one copy of a template can be made at a time, and no more than one at a time is needed.
    await admin.query("select pg_advisory_lock(1)");
    const { template } = options;
    if (template !== undefined)
      await admin.query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1", [
        template,
      ]);
    const source = template === undefined ? "" : ` template ${template === "shop" ? shopTemplate : template}`;
    await admin.query(`create database ${name}${source} strategy file_copy`);
  });
  const connection = client(name);
  // close() below ends it; a server that a test restarts must not end the test.
  connection.on("error", () => {});
  await connection.connect();
  if (options.sql !== undefined) await connection.query(options.sql);

  async function withAdmin(work: (admin: Client) => Promise<void>): Promise<void> {
    const admin = client("postgres");
    await admin.connect();
    try {
      await work(admin);
    } finally {
      await admin.end();
    }
  }

  return {
    host,
    port,
    name,
    adminUrl: `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${name}`,
    query: (sql, values) => connection.query(sql, values),
    addRole: async (role, grants) => {
      await withAdmin(async (admin) => {
        await admin.query("select pg_advisory_lock(2)");
        await admin.query(roleSql(role));
      });
      if (grants !== undefined) await connection.query(grants);
    },
    close: async () => {
      await connection.end();
      await withAdmin(async (admin) => {
        await admin.query(`drop database ${name} with (force)`);
      });
    },
  };
}

function roleSql(role: string): string {
  const [name, login] = [escapeIdentifier(role), escapeIdentifier(`rolegate_${role}`)];
  return `do $$ begin
    if not ${exists(role)} then create role ${name} nologin; end if;
    if not ${exists(`rolegate_${role}`)} then
      create role ${login} login noinherit password ${escapeLiteral(loginPassword)};
      grant ${name} to ${login};
    end if;
  end $$`;
}

function exists(role: string): string {
  return `exists (select from pg_roles where rolname = ${escapeLiteral(role)})`;
}
