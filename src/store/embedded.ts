import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Client, escapeIdentifier, escapeLiteral } from "pg";
import { KeptPostgres } from "../embedded/kept-postgres.ts";
import type { StoreAddress } from "./connection.ts";

/** The store's database there, and the login that owns it. */
const own = "rolegate";

/** Where a running store is found: by this file, which only its owner can read. */
const connectionFile = (directory: string): string => path.join(directory, "connection.json");

export type EmbeddedStore = { readonly address: StoreAddress; stop(): Promise<void> };

/** Starts the store of a directory. @throws Error if another process has it or the server does not start */
export async function startEmbeddedStore(directory: string): Promise<EmbeddedStore> {
  const server = await KeptPostgres.start(directory);
  try {
    const password = randomBytes(24).toString("base64url");
    await makeDatabase(server, password);
    const { host, port } = server;
    const connection = { host, port, database: own, user: own, password };
    const file = connectionFile(directory);
    writeFileSync(`${file}.new`, JSON.stringify(connection), { mode: 0o600 });
    renameSync(`${file}.new`, file);
    return {
      address: addressOf(connection),
      stop: async () => {
        rmSync(file, { force: true });
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/**
 * Where the store of a directory is now.
 * @throws Error if it does not run
 */
export function embeddedAddress(directory: string): StoreAddress {
  try {
    return addressOf(JSON.parse(readFileSync(connectionFile(directory), "utf8")) as EmbeddedConnection);
  } catch (error) {
    const denied = (error as NodeJS.ErrnoException).code === "EACCES";
    throw new Error(
      denied
        ? `the embedded store in ${directory} is found by the account alone that rolegate serve runs as`
        : `the embedded store in ${directory} runs only while rolegate serve does: start it first`,
      { cause: error },
    );
  }
}

type EmbeddedConnection = {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
};

function addressOf({ host, port, database, user, password }: EmbeddedConnection): StoreAddress {
  return { target: { host, port, database, tls: undefined }, login: { user, password } };
}

/** The login has a new password each time, and as little right as one elsewhere: it is no superuser. */
async function makeDatabase(
  { host, port, superuser, password: superPassword }: KeptPostgres,
  password: string,
): Promise<void> {
  const admin = new Client({ host, port, user: superuser, password: superPassword, database: "postgres" });
  admin.on("error", () => {});
  await admin.connect();
  try {
    const name = escapeIdentifier(own);
    const role = await admin.query("select from pg_roles where rolname = $1", [own]);
    if (role.rowCount === 0) await admin.query(`create role ${name}`);
    await admin.query(`alter role ${name} login noinherit password ${escapeLiteral(password)}`);
    const database = await admin.query("select from pg_database where datname = $1", [own]);
    if (database.rowCount === 0) await admin.query(`create database ${name} owner ${name}`);
    await admin.query(`revoke all on database ${name}, postgres from public`);
  } finally {
    await admin.end();
  }
}
