import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ecdsaSha256 } from "../unit/net/certificates.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { proxyHeader } from "./proxy-protocol-header.ts";
import { say } from "./raw-connection.ts";
import { beginScram, open, rawLogin, type RawLogin } from "./raw-login.ts";
import { startTestProxy, userPassword, type RunningProxy } from "./running-proxy.ts";

let database: TestDatabase;
/** Trusts the address from which the tests come; the other one trusts another address. */
let trusting: RunningProxy;
let strict: RunningProxy;

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int)" });
  const start = (trusted: string[]) =>
    startTestProxy({
      database,
      roles: { proxied_tester: { file: { tables: { t: { select: "all" } } } } },
      users: { alice: {} },
      access: [
        {
          role: "proxied_tester",
          database: database.name,
          when: 'connection.address.startsWith("203.0.113.") || connection.address in ["127.0.0.1", "2001:db8::7"]',
        },
      ],
      more: {
        listen: {
          address: "127.0.0.1:0",
          tls: { certificate: ecdsaSha256.certificate, key: ecdsaSha256.key, mode: "optional" },
          proxyProtocol: { trusted },
        },
      },
    });
  trusting = await start(["127.0.0.0/8"]);
  strict = await start(["192.0.2.0/24"]);
});
afterAll(async () => {
  await trusting?.close();
  await strict?.close();
  await database?.close();
});

async function connectWith(proxy: RunningProxy, first: Buffer): Promise<Socket> {
  const socket = connect(proxy.port, "127.0.0.1");
  await once(socket, "connect");
  if (first.length > 0) socket.write(first);
  return socket;
}

async function logIn(login: RawLogin): Promise<string> {
  const parameters = [
    ["user", "alice"],
    ["database", database.name],
  ] as const;
  login.send(await beginScram(login, parameters, userPassword));
  const messages = await login.until("Z");
  return messages.map((message) => String.fromCharCode(message[0]!)).join("");
}

const client = async (proxy: RunningProxy): Promise<unknown> =>
  (await proxy.record()).findLast((line) => line.event === "session start")?.["client"];

const refusedClients = async (): Promise<unknown[]> =>
  (await trusting.record()).filter((line) => line.event === "login failed").map((line) => line["client"]);

describe("a connection from a load balancer", () => {
  test("is the client's that it names, on record and in the conditions of access", async () => {
    const login = rawLogin(await connectWith(trusting, proxyHeader("203.0.113.7", 4711)));
    expect(await logIn(login)).toContain("Z");
    expect(await client(trusting)).toBe("203.0.113.7:4711");
    login.send(say.terminate);
    const other = rawLogin(await connectWith(trusting, proxyHeader("198.51.100.7", 4711)));
    expect(await logIn(other)).toContain("E");
    expect(await refusedClients()).toContain("198.51.100.7:4711");
  });

  test("goes on with TLS behind the header, asked for or not", async () => {
    const plain = await connectWith(trusting, Buffer.concat([proxyHeader("203.0.113.8", 1), open.ssl]));
    const [said] = (await once(plain, "data")) as [Buffer];
    expect(said.toString("latin1")).toBe("S");
    const secured = connectTls({ socket: plain, rejectUnauthorized: false });
    await once(secured, "secureConnect");
    expect(await logIn(rawLogin(secured))).toContain("Z");
    expect(await client(trusting)).toBe("203.0.113.8:1");
    secured.destroy();

    const direct = connectTls({
      socket: await connectWith(trusting, proxyHeader("203.0.113.9", 2)),
      rejectUnauthorized: false,
      ALPNProtocols: ["postgresql"],
    });
    await once(direct, "secureConnect");
    expect(await logIn(rawLogin(direct))).toContain("Z");
    expect(await client(trusting)).toBe("203.0.113.9:2");
    direct.destroy();
  });

  test("may bring its header in pieces", async () => {
    const header = proxyHeader("2001:db8:0:0:0:0:0:7", 3);
    const socket = await connectWith(trusting, Buffer.alloc(0));
    for (const byte of header) {
      socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Written as a socket writes it.
    expect(await logIn(rawLogin(socket))).toContain("Z");
    expect(await client(trusting)).toBe("[2001:db8::7]:3");
  });

  test("is its own where the header says so", async () => {
    const login = rawLogin(await connectWith(trusting, proxyHeader("203.0.113.7", 1, { command: 0 })));
    expect(await logIn(login)).toContain("Z");
    expect(await client(trusting)).toMatch(/^127\.0\.0\.1:\d+$/);
    login.send(say.terminate);
  });

  test.each([
    ["no header", open.startup([["user", "alice"]])],
    ["a header of version 1", Buffer.from("PROXY TCP4 203.0.113.7 127.0.0.1 1 2\r\n")],
    ["two headers", Buffer.concat([proxyHeader("203.0.113.7", 1), proxyHeader("127.0.0.1", 1)])],
    ["a header inside of which it ends", proxyHeader("203.0.113.7", 1, { length: 4 })],
  ])("is closed with %s", async (_name, bytes) => {
    const login = rawLogin(await connectWith(trusting, bytes));
    expect(await login.untilClosed()).toEqual([]);
  });

  test("is closed when its header does not come to an end in time, like every login", async () => {
    const login = rawLogin(await connectWith(trusting, proxyHeader("203.0.113.7", 1).subarray(0, 20)));
    login.socket.end();
    expect(await login.untilClosed()).toEqual([]);
  });
});

test("from anywhere else no header is taken", async () => {
  const login = rawLogin(
    await connectWith(
      strict,
      Buffer.concat([proxyHeader("203.0.113.7", 1), open.startup([["user", "alice"]])]),
    ),
  );
  expect(await login.untilClosed()).toEqual([]);
  const honest = rawLogin(await connectWith(strict, Buffer.alloc(0)));
  expect(await logIn(honest)).toContain("Z");
  expect(await client(strict)).toMatch(/^127\.0\.0\.1:\d+$/);
  honest.send(say.terminate);
});
