import { within } from "../upstream/deadline.ts";
import { destroyClient, storeClient, type StoreAddress } from "./connection.ts";
import { readMigrations, type Migration } from "./migrations.ts";
import { queryOn, type Query } from "./store.ts";
import { storeError } from "./unavailable.ts";

/** "role", "gate": whoever migrates holds this lock, so instances that start together do it one after the other. */
const lock = "pg_advisory_lock(1919904869, 1734440037)";

/** For connecting, and for the others to be done. */
const connectDeadline = 10_000;
const lockDeadline = 120_000;

/**
 * Brings the store's schema up to this program's, each step in a transaction of its own.
 * @returns the names of the migrations that were applied now
 * @throws Error for a store that a newer or another rolegate has written; RolegateError store_unavailable
 */
export async function migrate(
  address: StoreAddress,
  migrations: readonly Migration[] = readMigrations(),
): Promise<readonly string[]> {
  const client = storeClient(address);
  try {
    try {
      await within(connectDeadline, "connecting to the store", client.connect());
      await within(lockDeadline, "waiting for another migration", client.query(`select ${lock}`));
    } catch (error) {
      throw storeError(error);
    }
    const query = queryOn(client);
    await prepare(query);
    const pending = pendingOf(await applied(query), migrations);
    for (const { number, name, sql, checksum } of pending) {
      // A text of many statements, and as long as it takes.
      await client.query(`begin; set local lock_timeout = '60s'; ${sql}`);
      await query("insert into rolegate.migrations (number, name, checksum) values ($1, $2, $3)", [
        number,
        name,
        checksum,
      ]);
      await query("commit");
    }
    return pending.map(({ name }) => name);
  } finally {
    // The lock goes with the connection.
    destroyClient(client);
  }
}

/**
 * Holds the store's schema against this program's.
 * @throws Error for one that is older, newer or another; as `query` does
 */
export async function checkSchema(query: Query): Promise<void> {
  const [found] = await query<{ there: boolean }>(
    "select to_regclass('rolegate.migrations') is not null as there",
  );
  const pending = pendingOf(found?.there === true ? await applied(query) : [], readMigrations());
  if (pending.length > 0)
    throw new SchemaError(
      `the store lacks ${pending.map(({ name }) => name).join(", ")}: run rolegate migrate`,
    );
}

/** The store's schema is not the one that this program works with. */
export class SchemaError extends Error {}

async function prepare(query: Query): Promise<void> {
  const [found] = await query<{ there: boolean }>("select to_regnamespace('rolegate') is not null as there");
  // Asked first: CREATE SCHEMA IF NOT EXISTS needs the right to create one even where it does nothing.
  if (found?.there !== true) await query("create schema rolegate");
  await query(`create table if not exists rolegate.migrations (
    number integer primary key,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now()
  )`);
}

type Applied = { readonly number: number; readonly name: string; readonly checksum: string };

function applied(query: Query): Promise<Applied[]> {
  return query<Applied>("select number, name, checksum from rolegate.migrations order by number");
}

/** What is still to be applied. @throws SchemaError if what was applied is not the beginning of ours */
function pendingOf(done: readonly Applied[], ours: readonly Migration[]): readonly Migration[] {
  for (const [index, { number, name, checksum }] of done.entries()) {
    const migration = ours[index];
    if (migration === undefined)
      throw new SchemaError(`the store is newer than this rolegate: it has ${name}; use the newer version`);
    if (migration.number !== number || migration.checksum !== checksum)
      throw new SchemaError(
        `the store has another ${name} than this rolegate: found checksum ${checksum.slice(0, 12)}…, ` +
          `expected ${migration.name} with ${migration.checksum.slice(0, 12)}…`,
      );
  }
  return ours.slice(done.length);
}
