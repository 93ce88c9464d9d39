import { existsSync, readFileSync } from "node:fs";
import { Client } from "pg";
import type { TestProject } from "vitest/node";
import { EmbeddedPostgres } from "../../src/embedded/embedded-postgres.ts";

/** Where the tests' PostgreSQL listens, and its superuser's password. */
export type TestServer = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Holds the server's Unix socket and its log. */
  readonly directory: string;
};

/** A server by its major version; no server: it is not installed here, and what needs it is skipped. */
export type ServerOfMajor = { readonly major: number; readonly server: TestServer | undefined };

declare module "vitest" {
  export interface ProvidedContext {
    postgres: TestServer;
    /** The newest major version that is supported and the oldest, on which the rules' tests run too. */
    servers: readonly ServerOfMajor[];
  }
}

/** The template with the demo's shop that `createTestDatabase({ template: "shop" })` copies. */
export const shopTemplate = "shop_template";

/** The oldest major version that is supported, where Debian's package puts it. */
const oldest = { major: 15, installation: "/usr/lib/postgresql/15" };

/** Starts the servers of a test run; the files get databases of their own (embedded-database.ts). */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const settings = { max_connections: "300", max_prepared_transactions: "20" };
  const installed = existsSync(`${oldest.installation}/bin/initdb`);
  if (!installed)
    console.warn(`PostgreSQL ${oldest.major} is not in ${oldest.installation}: its tests are skipped`);
  const [server, older] = await Promise.all([
    EmbeddedPostgres.start({ settings }),
    installed ? EmbeddedPostgres.start({ settings, installation: oldest.installation }) : undefined,
  ]);
  const client = new Client({ connectionString: server.url("postgres") });
  await client.connect();
  await client.query(`create database ${shopTemplate}`);
  await client.end();
  const shop = new Client({ connectionString: server.url(shopTemplate) });
  await shop.connect();
  await shop.query(readFileSync(new URL("../../src/demo/shop.sql", import.meta.url), "utf8"));
  await shop.end();
  project.provide("postgres", addressOf(server));
  project.provide("servers", [
    { major: 18, server: addressOf(server) },
    { major: oldest.major, server: older && addressOf(older) },
  ]);
  return async () => {
    await Promise.all([server.stop(), older?.stop()]);
  };
}

function addressOf({ host, port, superuser: user, password, directory }: EmbeddedPostgres): TestServer {
  return { host, port, user, password, directory };
}
