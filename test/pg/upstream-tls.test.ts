import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TLSSocket } from "node:tls";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { UpstreamTls } from "../../src/config/config.ts";
import { EmbeddedPostgres } from "../../src/embedded/embedded-postgres.ts";
import { connectUpstream } from "../../src/upstream/connect.ts";
import type { UpstreamLogin } from "../../src/upstream/target.ts";
import { query } from "../../src/wire/frontend-rewrite.ts";
import { ecdsaSha256, ecdsaSha384 } from "../unit/net/certificates.ts";

// The certificate is for localhost and 127.0.0.1, and not for 127.0.0.2.
let server: EmbeddedPostgres;
beforeAll(async () => {
  server = await EmbeddedPostgres.start({
    tls: ecdsaSha256,
    settings: { listen_addresses: "127.0.0.1,127.0.0.2" },
  });
  const client = new Client({ connectionString: server.url("postgres") });
  await client.connect();
  await client.query(`
    create role reader; create role rolegate_reader login noinherit password 'secret';
    grant reader to rolegate_reader with inherit false;
    create role rolegate_certified login noinherit password 'secret';
    grant reader to rolegate_certified with inherit false`);
  await client.end();
});
afterAll(() => server.stop());

const clients = path.resolve(import.meta.dirname, "../fixtures/client-certificates");
const reader: UpstreamLogin = { user: "rolegate_reader", password: "secret" };

function connect(tls: UpstreamTls | undefined, host = "127.0.0.1", login = reader, bound = false) {
  return connectUpstream(
    { host, port: server.port, database: "postgres", tls, bound },
    login,
    { role: "reader", settings: new Map(), applicationName: "test" },
    5_000,
  );
}

const own = ecdsaSha256.certificate;
const foreign = ecdsaSha384.certificate;

test.each([
  ["require", undefined, "127.0.0.2"],
  ["verify-ca", own, "127.0.0.2"],
  ["verify-full", own, "127.0.0.1"],
  ["verify-full", own, "localhost"],
] as const)("sslmode=%s connects", async (mode, rootCertificate, host) => {
  const connection = await connect({ mode, rootCertificate }, host);
  expect(connection.socket).toBeInstanceOf(TLSSocket);
  expect((connection.socket as TLSSocket).getProtocol()).toBe("TLSv1.3");
  connection.socket.write(query("select 'over TLS'"));
  connection.socket.resume();
  const [answer] = (await once(connection.socket, "data")) as [Buffer];
  expect(answer.toString("latin1")).toContain("over TLS");
  connection.close();
  await once(connection.socket, "close");
});

test.each([
  ["verify-ca", foreign, "127.0.0.1"],
  ["verify-ca", undefined, "127.0.0.1"],
  ["verify-full", foreign, "127.0.0.1"],
  ["verify-full", undefined, "127.0.0.1"],
  ["verify-full", own, "127.0.0.2"],
] as const)("sslmode=%s refuses a server that it does not know", async (mode, rootCertificate, host) => {
  await expect(connect({ mode, rootCertificate }, host)).rejects.toThrow("the database is not available");
});

test("without TLS, and through the Unix socket, the same server is reached", async () => {
  for (const host of ["127.0.0.1", server.directory]) {
    const connection = await connect(undefined, host);
    expect(connection.socket).not.toBeInstanceOf(TLSSocket);
    connection.close();
  }
});

/** A target that shows this certificate, and the server's hosts-based rules that ask for one. */
async function certified(name: string): Promise<UpstreamTls> {
  const data = path.join(server.directory, "data");
  const rules = path.join(data, "pg_hba.conf");
  const rule = "hostssl all rolegate_certified all scram-sha-256 clientcert=verify-ca\n";
  const before = readFileSync(rules, "utf8");
  if (!before.startsWith(rule)) {
    writeFileSync(rules, rule + before);
    writeFileSync(path.join(data, "clients.crt"), readFileSync(path.join(clients, "ca.crt")));
    const client = new Client({ connectionString: server.url("postgres") });
    await client.connect();
    await client.query("alter system set ssl_ca_file = 'clients.crt'");
    await client.query("select pg_reload_conf()");
    await client.end();
    await sleep(500);
  }
  return {
    mode: "verify-full",
    rootCertificate: own,
    clientCertificate: () => ({
      cert: readFileSync(path.join(clients, `${name}.crt`), "utf8"),
      key: readFileSync(path.join(clients, `${name}.key`), "utf8"),
    }),
  };
}

test("a server that asks for a client certificate is shown it", async () => {
  const login = { user: "rolegate_certified", password: "secret" };
  const connection = await connect(await certified("workload"), "127.0.0.1", login);
  await connection.cancel();
  connection.close();
  await expect(connect({ mode: "verify-full", rootCertificate: own }, "127.0.0.1", login)).rejects.toThrow(
    "the database is not available",
  );
  await expect(connect(await certified("stranger"), "127.0.0.1", login)).rejects.toThrow(
    "the database is not available",
  );
});

test("a login that has to be bound to the server's certificate is", async () => {
  const connection = await connect({ mode: "verify-full", rootCertificate: own }, "127.0.0.1", reader, true);
  expect(connection.parameters.get("server_encoding")).toBe("UTF8");
  connection.close();
});

test("a password that was rotated is asked for anew, once", async () => {
  const asked: boolean[] = [];
  const secret = (right: string) => (request?: { renew: boolean }) => {
    asked.push(request?.renew ?? false);
    return Promise.resolve(request?.renew === true ? right : "the old one");
  };
  const connection = await connect(undefined, "127.0.0.1", { ...reader, password: secret("secret") });
  connection.close();
  expect(asked).toEqual([false, true]);
  await expect(
    connect(undefined, "127.0.0.1", { ...reader, password: secret("another one") }),
  ).rejects.toThrow("the database is not available");
  expect(asked).toEqual([false, true, false, true]);
});

test.each([undefined, { mode: "verify-full", rootCertificate: own } as const])(
  "an abandoned connection runs nothing of what it was sent in advance (TLS: %o)",
  async (tls) => {
    const connection = await connect(tls);
    connection.socket.write(Buffer.concat([query("select pg_sleep(60)"), query("select pg_sleep(61)")]));
    const client = new Client({ connectionString: server.url("postgres") });
    await client.connect();
    const running = async () =>
      (await client.query("select query from pg_stat_activity where usename = 'rolegate_reader'")).rows;
    await expect.poll(running).toContainEqual({ query: "select pg_sleep(60)" });
    await connection.abandon();
    expect(connection.socket.destroyed).toBe(true);
    await expect.poll(running).not.toContainEqual({ query: "select pg_sleep(60)" });
    expect(await running()).not.toContainEqual({ query: "select pg_sleep(61)" });
    await client.end();
  },
);

test("cancel goes over TLS too", async () => {
  const connection = await connect({ mode: "verify-full", rootCertificate: own });
  connection.socket.write(query("select pg_sleep(60)"));
  await new Promise((resolve) => setTimeout(resolve, 300));
  await connection.cancel();
  connection.socket.resume();
  const [answer] = (await once(connection.socket, "data")) as [Buffer];
  expect(answer.toString("latin1")).toContain("57014");
  connection.close();
});
