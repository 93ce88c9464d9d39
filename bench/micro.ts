import { writeFileSync } from "node:fs";
import { Client } from "pg";
import { readCatalog } from "../src/catalog/load.ts";
import type { Catalog } from "../src/catalog/catalog.ts";
import { databaseName, startDatabase } from "./database.ts";
import { accessCosts } from "./micro-access.ts";
import { frameCosts } from "./micro-frames.ts";
import { judgementCosts, parseCosts } from "./micro-judgement.ts";
import { recordCosts } from "./micro-record.ts";

/** What one part of the way costs a statement, in microseconds. */
export type Cost = {
  readonly part: string;
  readonly median: number;
  /** The quickest sample: what it costs where nothing else is going on. */
  readonly least: number;
};

/** Prints what each part costs, and writes it as JSON where asked to. */
export async function runMicro(json: string | undefined): Promise<void> {
  const catalog = await demoCatalog();
  const costs = [
    ...(await parseCosts(catalog.serverMajor)),
    ...(await judgementCosts(catalog)),
    ...frameCosts(),
    ...(await recordCosts()),
    ...accessCosts(),
  ];
  line("part", "median µs", "least µs");
  for (const { part, median, least } of costs) line(part, median.toFixed(2), least.toFixed(2));
  if (json !== undefined) writeFileSync(json, JSON.stringify(costs, undefined, 2));
}

function line(part: string, ...values: readonly string[]): void {
  console.log(part.padEnd(64) + values.map((value) => value.padStart(10)).join(""));
}

/** The catalog of a database with pgbench's tables, as rolegate would read it. */
async function demoCatalog(): Promise<Catalog> {
  const { server } = await startDatabase();
  await using _ = server;
  const client = new Client({
    connectionString: server.url(databaseName),
    options: "-c search_path=pg_catalog,pg_temp",
  });
  await client.connect();
  try {
    const { catalog } = await readCatalog(async (text) => {
      const { rows } = await client.query<string[]>({ text, rowMode: "array" });
      return rows[0]!;
    });
    return catalog;
  } finally {
    await client.end();
  }
}
