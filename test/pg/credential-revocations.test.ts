import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createLogger } from "../../src/log.ts";
import { makeVerifier } from "../../src/scram/verifier.ts";
import { lift, revoke } from "../../src/store/revocations.ts";
import { Store } from "../../src/store/store.ts";
import { ecdsaSha256 } from "../unit/net/certificates.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { startTestProxy, userPassword, type RunningProxy } from "./running-proxy.ts";
import { createTestStore, type TestStore } from "./store-database.ts";
import { readTarget } from "../../src/cli/revocation-target.ts";
import { createTokenIssuer, type TokenIssuer } from "./token-issuer.ts";

const files = path.resolve(import.meta.dirname, "../fixtures/client-certificates");
const pem = (name: string) => readFileSync(path.join(files, name), "utf8");

let database: TestDatabase;
let shared: TestStore;
let store: Store;
let issuer: TokenIssuer;
let proxy: RunningProxy;

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int)" });
  shared = await createTestStore();
  store = new Store(shared.address, createLogger("silent"));
  issuer = await createTokenIssuer();
  const verifier = await makeVerifier(userPassword, { salt: Buffer.from("16-bytes-of-salt") });
  const { certificate, key } = ecdsaSha256;
  proxy = await startTestProxy({
    database,
    roles: {
      shown_certificate: {
        file: { tables: { t: { select: "all" } } },
        grants: "grant select on t to shown_certificate",
      },
    },
    users: {},
    more: {
      store: shared.setting,
      listen: { address: "127.0.0.1:0", tls: { certificate, key, clientCa: pem("ca.crt") } },
      identities: [
        { type: "password", users: { alice: { verifier } } },
        { type: "certificate", match: [{ subject: { CN: "{user}", O: "Example" }, name: "{user}" }] },
        issuer.entry(),
      ],
      authentication: [
        { certificate: true, user: "alice", method: "password" },
        { certificate: true, user: "sam@example.com", method: "jwt" },
        { method: "certificate" },
      ],
    },
  });
});
afterAll(async () => {
  await proxy?.close();
  await store?.close();
  await shared?.close();
  await database?.close();
});

const query: Store["query"] = (sql, values) => store.query(sql, values);

const connect = (user: string, name: string, password = userPassword) =>
  proxy.connect(user, {
    password,
    ssl: { ca: ecdsaSha256.certificate, cert: pem(`${name}.crt`), key: pem(`${name}.key`) },
  });

test("a certificate that was taken away is worth nothing beside a password or a token either", async () => {
  const token = await issuer.sign({});
  const ways: readonly (readonly [user: string, password: string])[] = [
    ["alice", userPassword],
    ["sam@example.com", token],
    ["carol", ""],
  ];
  const sessions = await Promise.all(ways.map(([user, password]) => connect(user, "person", password)));
  const other = await connect("alice", "workload");
  const ends = sessions.map((session) => new Promise((resolve) => session.once("end", () => resolve(true))));
  const value = new X509Certificate(pem("person.crt")).fingerprint256.replaceAll(":", "").toLowerCase();
  const by = { by: "ops@test", reason: "stolen" };
  const id = await revoke(query, {
    ...by,
    kind: "certificate",
    value,
    issuer: undefined,
    database: undefined,
    until: undefined,
  });
  expect(await Promise.all(ends)).toEqual([true, true, true]);
  for (const [user, password] of ways)
    await expect(connect(user, "person", password)).rejects.toMatchObject({
      code: "28000",
      message: "the certificate was revoked: stolen",
    });
  // Who cannot prove the name is told nothing.
  await expect(connect("alice", "person", "wrong")).rejects.toMatchObject({ code: "28P01" });
  expect((await other.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await connect("alice", "workload");

  await lift(query, { ...by, id });
  await expect
    .poll(() =>
      connect("alice", "person").then(
        () => "in",
        () => "out",
      ),
    )
    .toBe("in");
});

/** What fits where s of (r, s) does, and needs no key (SEC 1, section 4.1.4): n - s. */
function otherOf(s: Buffer): Buffer {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  return Buffer.from((order - BigInt(`0x${s.toString("hex")}`)).toString(16).padStart(64, "0"), "hex");
}

function withOtherSignature(token: string): string {
  const [header, payload, signature] = token.split(".");
  const bytes = Buffer.from(signature!, "base64url");
  otherOf(bytes.subarray(32)).copy(bytes, 32);
  return `${header}.${payload}.${bytes.toString("base64url")}`;
}

/** The certificate as its owner may show it, too; its bytes in DER. */
function certificateWithOtherSignature(name: string): Buffer {
  const der = new X509Certificate(pem(`${name}.crt`)).raw;
  // (r, s) is the end of it: the length of the pair stands behind the unused bits of the last BIT STRING.
  const at = der.lastIndexOf(Buffer.of(0x00, 0x30), der.length - 68);
  const r = der.subarray(at + 3, at + 5 + der[at + 4]!);
  const s = otherOf(der.subarray(at + 3 + r.length + 2));
  const number = s[0]! < 0x80 ? s : Buffer.concat([Buffer.of(0), s]);
  const pair = Buffer.concat([r, Buffer.of(0x02, number.length), number]);
  const tail = Buffer.concat([Buffer.of(0x03, pair.length + 3, 0x00, 0x30, pair.length), pair]);
  const changed = Buffer.concat([der.subarray(0, at - 2), tail]);
  changed.writeUInt16BE(changed.length - 4, 2);
  return changed;
}

test("a token that was taken away stays so with another signature", async () => {
  const token = await issuer.sign({});
  const other = withOtherSignature(token);
  expect(other).not.toBe(token);
  const session = await connect("sam@example.com", "workload", other);
  const end = new Promise((resolve) => session.once("end", () => resolve(true)));
  const { kind, value } = readTarget(undefined, { token }, { issuers: [], now: Date.now() });
  const more = { issuer: undefined, database: undefined, until: undefined, by: "ops@test", reason: "leaked" };
  await revoke(query, { kind, value, ...more });
  expect(await end).toBe(true);
  for (const again of [token, other])
    await expect(connect("sam@example.com", "workload", again)).rejects.toMatchObject({ code: "28000" });
  await connect("sam@example.com", "workload", await issuer.sign({ nonce: "another" }));
});

test("a certificate that was taken away stays so with another signature", async () => {
  const other = certificateWithOtherSignature("workload");
  const cert = `-----BEGIN CERTIFICATE-----\n${other.toString("base64")}\n-----END CERTIFICATE-----\n`;
  const ssl = { ca: ecdsaSha256.certificate, cert, key: pem("workload.key") };
  const session = await proxy.connect("alice", { ssl });
  const end = new Promise((resolve) => session.once("end", () => resolve(true)));
  const fingerprint = new X509Certificate(pem("workload.crt")).fingerprint256;
  expect(new X509Certificate(other).fingerprint256).not.toBe(fingerprint);
  const { kind, value } = readTarget(
    undefined,
    { certificate: fingerprint },
    { issuers: [], now: Date.now() },
  );
  const more = { issuer: undefined, database: undefined, until: undefined, by: "ops@test", reason: "stolen" };
  await revoke(query, { kind, value, ...more });
  expect(await end).toBe(true);
  await expect(proxy.connect("alice", { ssl })).rejects.toMatchObject({ code: "28000" });
});
