import type { TestDatabase } from "../../pg/embedded-database.ts";
import { choicesFrom, seededNumbers } from "./choices.ts";
import type { World } from "./world.ts";
import { makeWorld } from "./world.ts";
import { dataSql, storedTables } from "./tables-sql.ts";

/**
 * Two worlds that look the same to the role: they differ in the values of hidden rows and columns alone. In the first these
 * are harmless, in the second they make expressions raise that run on them, and can be told from all other values.
 */
export function makeTwins(seed: number): readonly [World, World] {
  const twin = (hidden: number, secret: number | undefined): World =>
    makeWorld(choicesFrom(seededNumbers(seed, 2000)), choicesFrom(seededNumbers(hidden, 2000)), secret);
  return [twin(-2 * seed - 1, undefined), twin(-2 * seed - 2, 720_000_000)];
}

/**
 * Puts a world's rows in the place of those that are there: in the same order, at the same places, in the same tables.
 * @param statistics the planner gets to know the rows, hidden ones included.
 */
export async function fill(database: TestDatabase, world: World, statistics: boolean): Promise<void> {
  const tables = storedTables(world);
  await database.query("set session_replication_role = replica");
  for (const table of tables) await database.query(`delete from ${table}`);
  for (const table of tables) await database.query(`vacuum ${table}`);
  await database.query(dataSql(world));
  await database.query("reset session_replication_role");
  if (statistics) await database.query("analyze");
}

/**
 * What of an answer must not follow what is hidden. Plans follow statistics (docs/threat-model.md), and with them the shape that
 * EXPLAIN shows, the order of rows that no ORDER BY orders and what a cursor then gives first; everything else does not.
 */
export function comparable(lines: readonly string[], statistics: boolean): readonly string[] {
  if (!statistics) return lines;
  const partly = lines.some((line) =>
    /^(?:PortalSuspended|CommandComplete "(?:EXPLAIN|FETCH|MOVE|DECLARE))/.test(line),
  );
  return partly ? lines.filter((line) => !line.startsWith("DataRow")) : lines.toSorted();
}

/** What no answer may hold: the words and numbers of which hidden values are made. */
export const canary = /CANARY|7200\d{5}|caca0000|1999-09-09/;

/** Answers that may follow what is hidden, each with the reason; undefined for all others. */
export function meantToTell(lines: readonly string[]): string | undefined {
  // docs/threat-model.md: that a key is referred to cannot be kept from whoever may delete or change it.
  if (lines.some((line) => line.startsWith("ErrorResponse") && line.includes('C="23503"')))
    return "a foreign key that a hidden row holds, or that holds a hidden row";
  return undefined;
}
