import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ecdsaSha256, ecdsaSha384 } from "../unit/net/certificates.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { open } from "./raw-login.ts";
import { userPassword, writeProxyFiles } from "./running-proxy.ts";
import { serve, type ServedProxy } from "./served-proxy.ts";

let database: TestDatabase;
let directory: string;
let served: ServedProxy;

const write = (certificate: string, key: string) => {
  writeFileSync(join(directory, "server.crt"), certificate);
  writeFileSync(join(directory, "server.key"), key);
};

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int)" });
  directory = await writeProxyFiles({
    database,
    roles: { renewed_tester: { file: { tables: { t: { select: "all" } } } } },
    users: { alice: {} },
    more: { listen: { address: "127.0.0.1:0", tls: { certificate: "server.crt", key: "server.key" } } },
  });
  write(ecdsaSha256.certificate, ecdsaSha256.key);
  served = await serve(directory);
});
afterAll(async () => {
  served?.process.kill("SIGKILL");
  await database?.close();
  rmSync(directory, { recursive: true });
});

async function secured(): Promise<TLSSocket> {
  const socket: Socket = connect(served.port, "127.0.0.1");
  socket.write(open.ssl);
  await once(socket, "data");
  const over = connectTls({ socket, rejectUnauthorized: false });
  over.on("error", () => {});
  await once(over, "secureConnect");
  return over;
}

/** What is shown to who connects now. */
async function shown(): Promise<string> {
  const over = await secured();
  const { raw } = over.getPeerCertificate();
  over.destroy();
  return `-----BEGIN CERTIFICATE-----\n${raw
    .toString("base64")
    .replaceAll(/.{1,64}/g, "$&\n")}-----END CERTIFICATE-----\n`;
}

/** Tells the proxy to look again, and waits for what it says. */
async function renew(): Promise<string> {
  const lines = createInterface(served.process.stderr!);
  served.process.kill("SIGHUP");
  // The rest of the configuration is read again, too, and says so.
  for await (const line of lines) {
    const { msg } = JSON.parse(line) as { msg: string };
    if (!msg.includes("TLS")) continue;
    lines.close();
    served.process.stderr!.resume();
    return msg;
  }
  throw new Error("rolegate serve ended");
}

test("a renewed certificate is shown without a restart, and sessions go on", async () => {
  expect(await shown()).toBe(ecdsaSha256.certificate);
  const session = new Client({
    host: "127.0.0.1",
    port: served.port,
    user: "alice",
    password: userPassword,
    database: database.name,
    ssl: { rejectUnauthorized: false },
  });
  await session.connect();

  write(ecdsaSha384.certificate, ecdsaSha256.key);
  expect(await renew()).toBe("listen cannot be read; TLS stays as it is");
  expect(await shown()).toBe(ecdsaSha256.certificate);

  write(ecdsaSha384.certificate, ecdsaSha384.key);
  expect(await renew()).toBe("the TLS certificates were renewed");
  expect(await shown()).toBe(ecdsaSha384.certificate);
  expect((await session.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await session.end();

  // With channel binding: the client holds the proxy to the certificate that it has seen.
  const bound = new Client({
    host: "127.0.0.1",
    port: served.port,
    user: "alice",
    password: userPassword,
    database: database.name,
    ssl: { rejectUnauthorized: false },
    enableChannelBinding: true,
  });
  await bound.connect();
  await bound.end();
});
