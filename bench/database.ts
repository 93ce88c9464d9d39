import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { EmbeddedPostgres } from "../src/embedded/embedded-postgres.ts";

export const databaseName = "postgres";
/** Owns the tables; direct connections, the pipe and PgBouncer use it. */
export const owner = "bench_owner";
/** rolegate's roles: everything allowed, and a row rule on the one table. */
export const roles = { all: "bench_all", rows: "bench_rows" } as const;

export type BenchDatabase = {
  readonly server: EmbeddedPostgres;
  readonly version: string;
  readonly ownerPassword: string;
  readonly loginPassword: string;
};

/** A server of our own with pgbench's tables (scale 1), their owner, and a role and login for each policy. */
export async function startDatabase(
  settings: Readonly<Record<string, string>> = { max_connections: "200" },
): Promise<BenchDatabase> {
  const server = await EmbeddedPostgres.start({ settings });
  const [ownerPassword, loginPassword] = [randomBytes(12).toString("hex"), randomBytes(12).toString("hex")];
  const client = new Client({ connectionString: server.url(databaseName) });
  try {
    await client.connect();
    await client.query(
      tables(ownerPassword) +
        Object.values(roles)
          .map((role) => grants(role, loginPassword))
          .join(""),
    );
    await client.query("VACUUM ANALYZE");
    const { rows } = await client.query<{ server_version: string }>("SHOW server_version");
    return { server, version: rows[0]!.server_version, ownerPassword, loginPassword };
  } catch (error) {
    await server.stop();
    throw error;
  } finally {
    await client.end();
  }
}

/** What `pgbench -i` makes, as far as `pgbench -S` looks at it; so that no pgbench is needed for it. */
function tables(password: string): string {
  return `
    CREATE ROLE ${owner} LOGIN PASSWORD '${password}';
    GRANT CREATE ON SCHEMA public TO ${owner};
    SET ROLE ${owner};
    CREATE TABLE public.pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88));
    CREATE TABLE public.pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
    INSERT INTO public.pgbench_branches VALUES (1, 0);
    INSERT INTO public.pgbench_accounts SELECT aid, 1, 0, '' FROM generate_series(1, 100000) aid;
    RESET ROLE;`;
}

/** The login can become its one role and nothing else, as rolegate asks for. */
function grants(role: string, password: string): string {
  return `
    CREATE ROLE ${role} NOLOGIN;
    CREATE ROLE rolegate_${role} LOGIN NOINHERIT PASSWORD '${password}';
    GRANT ${role} TO rolegate_${role};
    GRANT SELECT ON public.pgbench_accounts, public.pgbench_branches TO ${role};`;
}
