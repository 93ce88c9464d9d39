import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { connectRaw, kinds, say } from "./raw-connection.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

let database: TestDatabase;
let proxy: RunningProxy;
let files: string;
let key: CryptoKey;
const issuer = "https://id.example.com";

beforeAll(async () => {
  const pair = await generateKeyPair("ES256");
  key = pair.privateKey;
  files = mkdtempSync(join(tmpdir(), "rolegate-token-"));
  const jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), alg: "ES256", use: "sig" }] };
  writeFileSync(join(files, "jwks.json"), JSON.stringify(jwks));
  database = await createTestDatabase({ sql: "create table t (id int)" });
  proxy = await startTestProxy({
    database,
    roles: {
      expiry_tester: {
        grants: "grant select, insert on t to expiry_tester",
        file: { tables: { t: { select: "all", insert: "all" } }, functions: { allow: ["pg_sleep"] } },
      },
    },
    users: {},
    more: {
      identities: [
        {
          type: "jwt",
          issuer,
          audience: "rolegate",
          jwks: join(files, "jwks.json"),
          name: "email",
          clockTolerance: "1ms",
          allowPlaintextOnLoopback: true,
        },
      ],
    },
  });
});
afterAll(async () => {
  await proxy?.close();
  await database?.close();
  rmSync(files, { recursive: true });
});

/** A session whose token holds for two to three seconds more. */
async function shortSession() {
  const expiry = Math.floor(Date.now() / 1000) + 3;
  const password = await new SignJWT({ email: "eve@example.com" })
    .setProtectedHeader({ alg: "ES256" })
    .setIssuer(issuer)
    .setAudience("rolegate")
    .setExpirationTime(expiry)
    .sign(key);
  return connectRaw(proxy.client("eve@example.com", { password }));
}

test("a session ends when its token expires", async () => {
  const raw = await shortSession();
  await raw.ask([say.query("select 1")]);
  const lines = await raw.untilClosed([]);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain("57P01");
});

test("a statement that runs at that moment is finished, and nothing more is taken: its transaction is rolled back", async () => {
  const raw = await shortSession();
  await raw.ask([say.query("begin; insert into t values (1)")]);
  raw.socket.write(say.query("select pg_sleep(3.5)"));
  await sleep(3_200);
  const lines = await raw.untilClosed([say.query("commit")]);
  expect(kinds(lines)).toEqual([
    "RowDescription",
    "DataRow",
    "CommandComplete",
    "ReadyForQuery T",
    "ErrorResponse",
  ]);
  expect((await database.query("select from t")).rowCount).toBe(0);
});

test("a transaction that is open and idle at that moment is over", async () => {
  const raw = await shortSession();
  await raw.ask([say.query("begin")]);
  expect(kinds(await raw.untilClosed([]))).toEqual(["ErrorResponse"]);
});
