import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, escapeIdentifier } from "pg";
import { inject } from "vitest";
import type { StoreAddress } from "../../src/store/connection.ts";
import { migrate } from "../../src/store/migrate.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";

const storePassword = "store-password-of-the-tests";

/** A database for a store, with a login that has no right but to connect, and on the schema `rolegate`. */
export type TestStore = {
  readonly database: TestDatabase;
  readonly address: StoreAddress;
  /** The `store` of a configuration. */
  readonly setting: object;
  /** Its URL by another way. */
  url(port: number): string;
  close(): Promise<void>;
};

/** @param options.migrated false: the schema is empty */
export async function createTestStore(options: { readonly migrated?: boolean } = {}): Promise<TestStore> {
  const database = await createTestDatabase();
  const { host, port, name } = database;
  const user = `store_${randomBytes(6).toString("hex")}`;
  await database.query(`create role ${user} login noinherit password '${storePassword}'`);
  await database.query(`revoke all on database ${name} from public; revoke all on schema public from public`);
  await database.query(`grant connect on database ${name} to ${user}`);
  await database.query(`create schema rolegate authorization ${user}`);
  const directory = mkdtempSync(join(tmpdir(), "rolegate-store-"));
  writeFileSync(join(directory, "password"), storePassword);
  const address = {
    target: { host, port, database: name, tls: undefined },
    login: { user, password: storePassword },
  };
  if (options.migrated !== false) await migrate(address);
  const url = (at: number) => `postgres://127.0.0.1:${at}/${name}?sslmode=disable`;
  return {
    database,
    address,
    setting: {
      url: url(port),
      login: { user, password: { file: join(directory, "password") } },
    },
    url,
    close: async () => {
      await database.close();
      rmSync(directory, { recursive: true });
      const server = inject("postgres");
      const admin = new Client({ ...server, database: "postgres" });
      await admin.connect();
      await admin.query(`drop role ${escapeIdentifier(user)}`);
      await admin.end();
    },
  };
}
