import { Client } from "pg";
import { stringify } from "yaml";
import type { Catalog } from "../../src/catalog/catalog.ts";
import { readCatalog } from "../../src/catalog/load.ts";
import type { Identity } from "../../src/identity/identity.ts";
import { bindGrants, compileRole, type Grants } from "../../src/policy/grants.ts";
import { readRoleFile } from "../../src/policy/read.ts";
import type { Parser } from "../../src/sql/parser.ts";
import type { TestDatabase } from "./embedded-database.ts";

/** The catalog of a database, for judging without a proxy. */
export async function catalogOf({ adminUrl }: Pick<TestDatabase, "adminUrl">): Promise<Catalog> {
  const client = new Client({ connectionString: adminUrl, options: "-c search_path=pg_catalog,pg_temp" });
  await client.connect();
  const reading = await readCatalog(
    async (text) => (await client.query<string[]>({ text, rowMode: "array" })).rows[0]!,
  );
  await client.end();
  return reading.catalog;
}

/**
 * What a role file gives alice.
 * @param file its text, or what it says beside the role and the database.
 */
export function grantsOf(
  file: string | object,
  role: string,
  parser: Parser,
  attributes: Identity["attributes"],
): Grants {
  const text =
    typeof file === "string"
      ? file
      : stringify({ role, database: "shop", ...file }, { aliasDuplicateObjects: false });
  const { roleFile, problems } = readRoleFile(text, `roles/${role}.yaml`);
  if (roleFile === undefined) throw new Error(JSON.stringify(problems));
  const compiled = compileRole(roleFile, parser);
  if (compiled.kind === "refused") throw new Error(JSON.stringify(compiled.problems));
  return bindGrants(compiled.role, { name: "alice", method: "password", attributes });
}
