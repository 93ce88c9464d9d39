import { createHash, X509Certificate } from "node:crypto";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { chmod, copyFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { makeVerifier } from "../../src/scram/verifier.ts";
import { ecdsaSha256 } from "../unit/net/certificates.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { createTokenIssuer, issuerName } from "./token-issuer.ts";
import { startTestProxy, userPassword, type RunningProxy } from "./running-proxy.ts";

const files = path.resolve(import.meta.dirname, "../fixtures/client-certificates");
const pem = (name: string) => readFileSync(path.join(files, name), "utf8");
const certificateOf = (name: string) => ({ cert: pem(`${name}.crt`), key: pem(`${name}.key`) });

const match = [
  {
    uri: "spiffe://prod.example.org/ns/{namespace}/sa/{account}",
    name: "{namespace}/{account}",
    attributes: { groups: ["services"], namespace: "{namespace}" },
  },
  { email: "{user}@example.com", subject: { O: "Example" }, name: "{user}@example.com" },
  { subject: { CN: "{user}", O: "Example" }, name: "{user}" },
];

let database: TestDatabase;
let proxy: RunningProxy;

const { certificate, key } = ecdsaSha256;
const listen = (more: object = {}) => ({
  address: "127.0.0.1:0",
  tls: { certificate, key, mode: "optional", clientCa: pem("ca.crt"), ...more },
});

function start(crl: string, more: object = {}): Promise<RunningProxy> {
  return startTestProxy({
    database,
    roles: {
      certificate_tester: {
        file: { tables: { t: { select: { rows: "owner = identity.name" } } } },
        grants: "grant select on t to certificate_tester",
      },
      certificate_service: {
        file: { tables: { t: { select: { rows: "owner = identity.namespace" } } } },
        grants: "grant select on t to certificate_service",
      },
    },
    users: {},
    access: [
      {
        role: "certificate_service",
        database: database.name,
        when: 'identity.method == "certificate" && has(identity.namespace)',
      },
      { role: "certificate_tester", database: database.name, when: "true" },
    ],
    more: {
      listen: listen({ clientCrl: crl }),
      identities: [
        { type: "certificate", match },
        { type: "password", users: { alice: { verifier } } },
      ],
      ...more,
    },
  });
}

let verifier: string;

beforeAll(async () => {
  database = await createTestDatabase({
    sql: "create table t (owner text); insert into t values ('carol@example.com'), ('billing'), ('alice')",
  });
  verifier = await makeVerifier(userPassword, { salt: Buffer.from("16-bytes-of-salt") });
  proxy = await start(pem("crl.pem"));
});
afterAll(async () => {
  await proxy?.close();
  await database?.close();
});

const connect = (user: string, shown: object, to = proxy) =>
  to.connect(user, { ssl: { ca: ecdsaSha256.certificate, ...shown } });

async function refusal(user: string, shown: object, to = proxy) {
  const error: unknown = await connect(user, shown, to).catch((reason: unknown) => reason);
  const { code, message } = error as { code?: string; message: string };
  return `${code} ${message}`;
}

const lastReason = async () => {
  const failed = (await proxy.record()).filter((line) => line.event === "login failed");
  return failed.at(-1)?.["reason"];
};

describe("a client with a certificate", () => {
  test("is who its SPIFFE URI says, with attributes that rules know", async () => {
    const client = await connect("billing/worker", certificateOf("workload"));
    expect((await client.query("select owner from t")).rows).toEqual([{ owner: "billing" }]);
    const begun = (await proxy.record()).findLast((line) => line.event === "session start");
    const shown = new X509Certificate(pem("workload.crt"));
    expect(begun).toMatchObject({
      identity: "billing/worker",
      method: "certificate",
      credential: {
        issuer: "O=Example, CN=Clients CA",
        serial: shown.serialNumber.toLowerCase(),
        fingerprint: shown.fingerprint256.replaceAll(":", "").toLowerCase(),
      },
    });
  });

  test("is who its mail address says, whatever the case of the host", async () => {
    const client = await connect("carol@example.com", certificateOf("person"));
    expect((await client.query("select owner from t")).rows).toEqual([{ owner: "carol@example.com" }]);
  });

  test("may ask for a role in place of its name, and for nobody else's", async () => {
    await connect("certificate_tester", certificateOf("person"));
    expect(await refusal("billing/worker", certificateOf("person"))).toMatch(/^28000 /);
  });

  test("connects with psql", async () => {
    const { stdout } = await promisify(execFile)("psql", ["-XAtc", "select owner from t"], {
      env: {
        ...process.env,
        PGHOST: "127.0.0.1",
        PGPORT: String(proxy.port),
        PGDATABASE: database.name,
        PGUSER: "certificate_service",
        PGSSLMODE: "require",
        PGSSLCERT: path.join(files, "workload.crt"),
        PGSSLKEY: await ownerOnly("workload.key"),
      },
    });
    expect(stdout).toBe("billing\n");
  });
});

/** libpq takes no key that others may read. */
async function ownerOnly(name: string): Promise<string> {
  const copy = path.join(proxy.directory, name);
  await copyFile(path.join(files, name), copy);
  await chmod(copy, 0o600);
  return copy;
}

describe("a certificate is not believed", () => {
  test.each([
    ["expired", "CERT_HAS_EXPIRED"],
    ["revoked", "CERT_REVOKED"],
    ["stranger", "UNABLE_TO_"],
    ["server-only", "INVALID_PURPOSE"],
  ])("%s: %s", async (name, reason) => {
    expect(await refusal("carol", certificateOf(name))).toBe("28000 the client certificate is not valid");
    expect(await lastReason()).toContain(reason);
  });

  test.each([
    ["twice", "no entry of match fits"],
    ["two-uris", "a SPIFFE identity beside another URI"],
  ])("%s: %s", async (name, reason) => {
    expect(await refusal("carol", certificateOf(name))).toBe("28P01 certificate authentication failed");
    expect(await lastReason()).toContain(reason);
  });

  test("as what its host name pretends behind a comma", async () => {
    await connect("mallory", certificateOf("injected"));
    expect(await refusal("admin/root", certificateOf("injected"))).toMatch(/^28000 /);
  });

  test("even with the right password behind it", async () => {
    expect(await refusal("alice", certificateOf("expired"))).toMatch(/^28000 /);
  });
});

test("who shows none is asked for a password", async () => {
  const client = await connect("alice", {});
  expect((await client.query("select owner from t")).rows).toEqual([{ owner: "alice" }]);
  await proxy.connect("alice");
});

test("a rule may ask for a certificate beside the password", async () => {
  const strict = await start(pem("crl.pem"), {
    authentication: [{ certificate: true, user: "alice", method: "password" }, { method: "certificate" }],
  });
  try {
    const client = await connect("alice", certificateOf("person"), strict);
    expect((await client.query("select owner from t")).rows).toEqual([{ owner: "alice" }]);
    expect(await refusal("alice", {}, strict)).toBe("28000 connection requires a valid client certificate");
    const wrong = { ...strict.client("alice"), password: "wrong" };
    const client2 = new Client({ ...wrong, ssl: { ca: certificate, ...certificateOf("person") } });
    await expect(client2.connect()).rejects.toMatchObject({ code: "28P01" });
    await connect("carol@example.com", certificateOf("person"), strict);
  } finally {
    await strict.close();
  }
});

test("a token that is bound to a certificate is worth nothing without it", async () => {
  const issuer = await createTokenIssuer();
  const own = await start(pem("crl.pem"), {
    identities: [issuer.entry(), { type: "certificate", match }],
    authentication: [{ method: "jwt" }],
  });
  const hash = new X509Certificate(pem("person.crt")).raw;
  const bound = await issuer.sign({
    jti: "token-1",
    cnf: { "x5t#S256": createHash("sha256").update(hash).digest("base64url") },
  });
  try {
    const name = "sam@example.com";
    const ssl = (shown: object) => ({ ssl: { ca: certificate, ...shown }, password: bound });
    await own.connect(name, ssl(certificateOf("person")));
    const begun = (await own.record()).findLast((line) => line.event === "session start");
    expect(begun).toMatchObject({
      method: "jwt",
      credential: {
        issuer: issuerName,
        token: "token-1",
        key: "one",
        digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        fingerprint: new X509Certificate(pem("person.crt")).fingerprint256.replaceAll(":", "").toLowerCase(),
      },
    });
    for (const shown of [{}, certificateOf("workload")])
      await expect(own.connect(name, ssl(shown))).rejects.toMatchObject({ code: "28P01" });
  } finally {
    await own.close();
  }
});

test("a list of what was revoked is renewed without a restart", async () => {
  const own = await start(pem("crl-before.pem"));
  try {
    await connect("dave", certificateOf("revoked"), own);
    const clientCrl = pem("crl.pem");
    own.proxy.renewTls({ certificate, key: () => key, mode: "optional", clientCa: pem("ca.crt"), clientCrl });
    expect(await refusal("dave", certificateOf("revoked"), own)).toMatch(/^28000 /);
    await connect("carol@example.com", certificateOf("person"), own);
  } finally {
    await own.close();
  }
});

test("each authority has its own list in the file", async () => {
  const tls = { certificate, key, mode: "optional", clientCa: pem("ca.crt") + pem("second-ca.crt") };
  const own = await start(pem("crl-two.pem"), {
    listen: { address: "127.0.0.1:0", tls: { ...tls, clientCrl: pem("crl-two.pem") } },
  });
  try {
    for (const [user, name] of [
      ["carol@example.com", "person"],
      ["erin", "second"],
    ] as const)
      await connect(user, certificateOf(name), own);
    for (const [user, name] of [
      ["dave", "revoked"],
      ["frank", "second-revoked"],
    ] as const)
      expect(await refusal(user, certificateOf(name), own)).toMatch(/^28000 /);
  } finally {
    await own.close();
  }
});

test("the configuration is refused where nobody could show one", async () => {
  const file = path.join(proxy.directory, "rolegate.yaml");
  const config = parse(readFileSync(file, "utf8")) as { listen: { tls: Record<string, unknown> } };
  delete config.listen.tls["clientCa"];
  const other = path.join(proxy.directory, "other.yaml");
  writeFileSync(other, stringify(config));
  const loaded = loadConfig(other, {});
  expect(loaded.kind === "refused" && loaded.problems.map(({ message }) => message)).toEqual([
    "has no effect",
    "nobody could show one",
  ]);
});

test("a client's own name for a session says nothing", async () => {
  const client = new Client({
    ...proxy.client("root"),
    ssl: { ca: ecdsaSha256.certificate, ...certificateOf("person") },
  });
  await expect(client.connect()).rejects.toMatchObject({ code: "28000" });
});
