import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeVerifier } from "../../src/scram/verifier.ts";
import { createTestDatabase, type TestDatabase } from "../pg/embedded-database.ts";
import { startTestProxy, userPassword, type RecordLine, type RunningProxy } from "../pg/running-proxy.ts";
import { createTokenIssuer } from "../pg/token-issuer.ts";
import { ecdsaSha256 } from "../unit/net/certificates.ts";

/** A shop of its own, and a rolegate before it, for one client. */
export type Stage = {
  readonly database: TestDatabase;
  readonly proxy: RunningProxy;
  /**
   * How a client connects, in the variables of libpq: as alice, of tenant 1, with a password and without TLS. Beside
   * them `TOKEN_USER` and `TOKEN`, which is a password only over TLS, and `PGSSLROOTCERT`.
   */
  readonly environment: Readonly<Record<string, string>>;
  readonly record: () => Promise<readonly RecordLine[]>;
  close(): Promise<void>;
};

const role = "shop_clerk";

const own = "tenant_id = identity.tenant";
const seen = ["id", "tenant_id", "customer_id", "status", "amount", "note", "created_at"];
const definitions = ["create", "alter", "drop", "truncate", "comment", "index"];

/**
 * Rows of one tenant, an address that is masked, columns that are hidden, a rule that a setting has a part in, and a schema
 * for what a client defines.
 */
const file = {
  tables: {
    customers: {
      select: {
        columns: ["id", "tenant_id", "name", "email", "created_at"],
        mask: { email: "regexp_replace(email, '^[^@]+', '***')" },
        rows: own,
      },
    },
    orders: {
      select: { columns: seen, rows: own },
      insert: { columns: seen, check: own },
      update: { columns: seen, rows: own, check: own },
      delete: { rows: own },
    },
    order_items: { select: { rows: own } },
    // Keeps TimeZone as the database has it, which many clients set.
    visits: { select: { rows: "at >= '2026-01-01'", mask: { page: "to_char(at, 'YYYY-MM-DD')" } } },
    products: { select: "all" },
    "app.*": { select: "all", insert: "all", update: "all", delete: "all" },
  },
  definitions: { "app.*": definitions },
  // The first to have something to cancel; pg_dump 18 reads sequences by the second.
  functions: { allow: ["pg_sleep", "pg_get_sequence_data"] },
  session: { temporary_tables: true, advisory_locks: true, listen: ["jobs"], notify: ["jobs"] },
};

// `margin` is hidden in a table that is written: RETURNING * and COPY must leave it out.
const sql = `
  alter table orders add column margin numeric not null default 7;
  create table visits (id integer, at timestamptz, page text);
  create schema app;`;

// CREATE on the database is what CREATE SCHEMA IF NOT EXISTS asks for, also where the schema is there (MikroORM).
const grants = `
  do $$ begin execute format('grant create on database %I to ${role}', current_database()); end $$;
  grant select, insert, update, delete on all tables in schema public to ${role};
  grant usage, select on all sequences in schema public to ${role};
  grant usage, create on schema app to ${role};`;

export async function startStage(): Promise<Stage> {
  const database = await createTestDatabase({ template: "shop" });
  await database.query(sql);
  const issuer = await createTokenIssuer();
  const verifier = await makeVerifier(userPassword, { salt: Buffer.from("16-bytes-of-salt") });
  const { certificate, key } = ecdsaSha256;
  const proxy = await startTestProxy({
    database,
    roles: { [role]: { file, grants } },
    users: {},
    more: {
      listen: { address: "127.0.0.1:0", tls: { certificate, key, mode: "optional" } },
      identities: [
        { type: "password", users: { alice: { verifier, attributes: { tenant: 1 } } } },
        issuer.entry(),
      ],
    },
  });
  const rootCertificate = join(proxy.directory, "ca.pem");
  writeFileSync(rootCertificate, certificate);
  return {
    database,
    proxy,
    environment: {
      PGHOST: "127.0.0.1",
      PGPORT: String(proxy.port),
      PGDATABASE: database.name,
      PGUSER: "alice",
      PGPASSWORD: userPassword,
      PGSSLMODE: "disable",
      PGSSLROOTCERT: rootCertificate,
      PGCONNECT_TIMEOUT: "10",
      TOKEN_USER: "sam@example.com",
      TOKEN: await issuer.sign({ org: { id: 1 } }, 600),
    },
    record: () => proxy.record(),
    close: async () => {
      await proxy.close();
      await database.close();
    },
  };
}
