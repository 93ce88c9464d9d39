import { readFileSync } from "node:fs";
import { Client } from "pg";
import { EmbeddedPostgres } from "../embedded/embedded-postgres.ts";

/** Starts a PostgreSQL with the database `shop` in it: the schema and rows of shop.sql. */
export async function startShop(): Promise<EmbeddedPostgres> {
  const postgres = await EmbeddedPostgres.start();
  try {
    await run(postgres.url("postgres"), "create database shop");
    await run(postgres.url("shop"), readFileSync(new URL("shop.sql", import.meta.url), "utf8"));
    return postgres;
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function run(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
