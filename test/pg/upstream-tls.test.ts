import { once } from "node:events";
import { TLSSocket } from "node:tls";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { UpstreamTls } from "../../src/config/config.ts";
import { EmbeddedPostgres } from "../../src/embedded/embedded-postgres.ts";
import { connectUpstream } from "../../src/upstream/connect.ts";
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
    grant reader to rolegate_reader with inherit false`);
  await client.end();
});
afterAll(() => server.stop());

function connect(tls: UpstreamTls | undefined, host = "127.0.0.1") {
  return connectUpstream(
    { host, port: server.port, database: "postgres", tls },
    { user: "rolegate_reader", password: "secret" },
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
