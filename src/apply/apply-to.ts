import { Client } from "pg";
import type { DatabaseConfig } from "../config/config.ts";
import { assertPrivateUrl } from "./admin-url.ts";
import { applyRoles, type ApplyResult } from "./apply-roles.ts";

/**
 * Connects as the administrator and applies the database's roles in one transaction.
 * @param url undefined: as the PG* variables say
 * @throws Error if the administrator cannot connect, or not to the database that the configuration names
 */
export async function applyTo(
  url: string | undefined,
  database: DatabaseConfig,
  options: { readonly dryRun?: boolean; readonly adopt?: boolean },
): Promise<ApplyResult> {
  if (url !== undefined) assertPrivateUrl(url);
  const client = new Client({
    ...(url === undefined ? {} : { connectionString: url }),
    application_name: "rolegate apply",
  });
  try {
    await client.connect();
  } catch (error) {
    const who = `${client.user} at ${client.host}:${client.port}`;
    throw new Error(`the administrator's connection (${who}): ${messageOf(error)}`, { cause: error });
  }
  try {
    await client.query("begin");
    const { rows } = await client.query<{ name: string }>("select pg_catalog.current_database() as name");
    if (rows[0]?.name !== database.upstream.database)
      throw new Error(
        `the administrator's connection: found database ${rows[0]?.name}, expected ${database.upstream.database}`,
      );
    const result = await applyRoles(
      async <Row extends object>(sql: string, values: readonly unknown[] = []) =>
        (await client.query<Row>(sql, [...values])).rows,
      database,
      options.adopt ?? false,
    );
    await client.query(result.kind === "applied" && options.dryRun !== true ? "commit" : "rollback");
    return result;
  } finally {
    await client.end();
  }
}

/** A name with several addresses fails with an error for each, and no message of its own. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(", ");
  return error instanceof Error ? error.message : String(error);
}
