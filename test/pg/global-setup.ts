import { readFileSync } from "node:fs";
import { Client } from "pg";
import type { TestProject } from "vitest/node";
import { EmbeddedPostgres } from "../../src/demo/embedded-postgres.ts";

/** Where the tests' PostgreSQL listens, and its superuser's password. */
export type TestServer = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Holds the server's Unix socket and its log. */
  readonly directory: string;
};

declare module "vitest" {
  export interface ProvidedContext {
    postgres: TestServer;
  }
}

/** The template with the demo's shop that `createTestDatabase({ template: "shop" })` copies. */
export const shopTemplate = "shop_template";

/** Starts the one server of a test run; the files get databases of their own (embedded-database.ts). */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await EmbeddedPostgres.start({ settings: { max_connections: "300" } });
  const client = new Client({ connectionString: server.url("postgres") });
  await client.connect();
  await client.query(`create database ${shopTemplate}`);
  await client.end();
  const shop = new Client({ connectionString: server.url(shopTemplate) });
  await shop.connect();
  await shop.query(readFileSync(new URL("../../src/demo/shop.sql", import.meta.url), "utf8"));
  await shop.end();
  const { host, port, superuser: user, password, directory } = server;
  project.provide("postgres", { host, port, user, password, directory });
  return () => server.stop();
}
