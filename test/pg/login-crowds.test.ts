import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ecdsaSha256 } from "../unit/net/certificates.ts";
import { attackedRoles, expectNothingLeft } from "./attacked-proxy.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { converse } from "./plain-connection.ts";
import { say } from "./raw-connection.ts";
import { beginScram, connectPlain, connectSecured, open, rawLogin, type RawLogin } from "./raw-login.ts";
import { startTestProxy, userPassword, type ProxyOptions, type RunningProxy } from "./running-proxy.ts";
import { startStallingRelay, type StallingRelay } from "./stalling-relay.ts";

let database: TestDatabase;
let relay: StallingRelay;
let proxy: RunningProxy;

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int)" });
  relay = await startStallingRelay(database);
  proxy = await start();
});
afterAll(async () => {
  await proxy?.close();
  await relay?.close();
  await database?.close();
});
beforeEach(() => relay.go());

function start(more: ProxyOptions["more"] = {}): Promise<RunningProxy> {
  const behind = { ...database, host: relay.host, port: relay.port };
  return startTestProxy({ database: behind, roles: attackedRoles, users: { alice: {} }, more });
}

const startupOf = (user: string, ...more: (readonly [string, string])[]) =>
  [["user", user], ["database", database.name], ...more] as const;

async function servesAlice(of: RunningProxy): Promise<boolean> {
  const client = await of.connect("alice");
  const { rows } = await client.query("select 1 as one");
  await client.end();
  return rows[0].one === 1;
}

describe("clients that go away", () => {
  test("at any moment of the login leave nothing", async () => {
    for (let delay = 0; delay < 40; delay += 1) {
      const login = await connectPlain(proxy.port);
      login.send(await beginScram(login, startupOf("alice"), userPassword), say.query("select 1"));
      await sleep(delay);
      if (delay % 2 === 0) login.socket.resetAndDestroy();
      else login.socket.destroy();
    }
    await sleep(100);
    await expectNothingLeft(database, proxy);
    expect(await servesAlice(proxy)).toBe(true);
  });

  test("before they are accepted stand on no record without an address", async () => {
    for (let index = 0; index < 200; index++) {
      const socket = connect(proxy.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.once("connect", () => {
        socket.write(open.startup(startupOf("alice", ["role", "x"])));
        socket.resetAndDestroy();
      });
    }
    await sleep(200);
    const lines = (await proxy.record()).filter((line) => "client" in line);
    expect(lines.filter((line) => !/"client":"127\.0\.0\.1:\d+"/.test(JSON.stringify(line)))).toEqual([]);
    expect(await servesAlice(proxy)).toBe(true);
  });

  test("while the database is slow leave nothing", async () => {
    relay.stall();
    const logins = await Promise.all(Array.from({ length: 10 }, () => connectPlain(proxy.port)));
    for (const login of logins)
      login.send(await beginScram(login, startupOf("alice"), userPassword), say.query("select 1"));
    await sleep(200);
    for (const [index, login] of logins.entries()) {
      if (index % 2 === 0) login.socket.resetAndDestroy();
      else login.socket.end();
    }
    await sleep(50);
    relay.go();
    await sleep(300);
    await expectNothingLeft(database, proxy);
    expect(await servesAlice(proxy)).toBe(true);
  });

  test("or that wait longer than a login may take are told so", async () => {
    const own = await start({ limits: { authenticationTimeout: "1s", upstreamTimeout: "5s" } });
    relay.stall();
    const login = await connectPlain(own.port);
    login.send(await beginScram(login, startupOf("alice"), userPassword));
    setTimeout(() => relay.go(), 1_500);
    const said = await login.untilClosed();
    expect(said.at(-1)).toContain('C="08006"');
    expect(said.join("\n")).not.toContain("ReadyForQuery");
    await expectNothingLeft(database, own);
    await own.close();
  });

  test("a proxy that stops takes logins that are under way with it", async () => {
    const own = await start();
    relay.stall();
    const login = await connectPlain(own.port);
    login.send(await beginScram(login, startupOf("alice"), userPassword));
    await sleep(100);
    setTimeout(() => relay.go(), 500);
    const [said] = await Promise.all([login.untilClosed(), own.proxy.close(0)]);
    expect(said.at(-1)).toContain('C="57P01"');
    await expectNothingLeft(database, own);
    await own.close();
  });
});

describe("crowds", () => {
  test("of connections that say nothing do not keep anybody out", async () => {
    const own = await start({ limits: { maxUnauthenticated: 5, maxConnections: 20 } });
    const silent = await Promise.all(Array.from({ length: 60 }, () => connectPlain(own.port)));
    await expect.poll(() => silent.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(5);
    expect(await servesAlice(own)).toBe(true);
    for (const { socket } of silent) socket.destroy();
    await own.close();
  });

  test("the oldest is told why it goes", async () => {
    const own = await start({ limits: { maxUnauthenticated: 2 } });
    const logins: RawLogin[] = [];
    for (let index = 0; index < 3; index++) {
      const login = await connectPlain(own.port);
      login.send(open.startup(startupOf("alice")));
      if (index < 2) await login.until("R");
      logins.push(login);
    }
    expect((await logins[0]!.untilClosed()).join()).toContain('C="53300"');
    expect(logins[1]!.closed).toBe(false);
    for (const { socket } of logins) socket.destroy();
    await own.close();
  });

  test("of connections that failed to log in and stay do not keep anybody out", async () => {
    const own = await start({ limits: { maxUnauthenticated: 5, maxConnections: 100 } });
    const staying: RawLogin[] = [];
    for (let index = 0; index < 150; index++) {
      const login = rawLogin(connect({ port: own.port, host: "127.0.0.1", allowHalfOpen: true }));
      login.send(open.startup(startupOf("alice", ["role", "x"])));
      staying.push(login);
    }
    await sleep(300);
    expect(await servesAlice(own)).toBe(true);
    for (const { socket } of staying) socket.destroy();
    await own.close();
  });

  test("of requests for encryption on one connection end it", async () => {
    for (const request of [open.ssl, open.gss]) {
      const said = (await converse(proxy.port, Buffer.concat(Array(10_000).fill(request)))).toString(
        "latin1",
      );
      expect(said).toMatch(/^NE/);
      expect(said).toContain("08P01");
    }
  });
});

describe("crowds inside of TLS, or on the way to it", () => {
  const { certificate, key } = ecdsaSha256;
  const listen = { address: "127.0.0.1:0", tls: { certificate, key, mode: "optional" } };
  /** The beginning of a ClientHello of 512 bytes. */
  const beginning = Buffer.from("160301020001000001fc0303", "hex");

  test("go as they came, at any stage of the handshake, and the others stay", async () => {
    const own = await start({ listen, limits: { maxUnauthenticated: 3, maxConnections: 20 } });
    const witness = await own.connect("alice", { ssl: { ca: certificate } });
    const sockets: Socket[] = [];
    for (let index = 0; index < 60; index++) {
      const socket = connect(own.port, "127.0.0.1");
      socket.on("error", () => {});
      sockets.push(socket);
      if (index % 4 > 0) socket.write(open.ssl);
      if (index % 4 > 1) socket.once("data", () => socket.write(beginning));
      if (index % 4 === 3) socket.once("data", () => setTimeout(() => socket.resetAndDestroy(), index));
      if (index % 5 === 0) await sleep(5);
    }
    const secured: RawLogin[] = [];
    for (let index = 0; index < 12; index++) {
      const login = await connectSecured(own.port);
      if (index % 2 === 0) login.send(open.startup(startupOf("alice")));
      secured.push(login);
    }
    await sleep(100);
    expect(secured.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(3);
    expect(secured.at(-1)!.closed).toBe(false);
    expect((await witness.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    for (const socket of [...sockets, ...secured.map((login) => login.socket)]) socket.destroy();
    await own.close();
  });

  test("leave their places when they close", async () => {
    const own = await start({ listen, limits: { maxConnections: 4 } });
    for (let index = 0; index < 20; index++) {
      const login = await connectSecured(own.port);
      login.send(open.startup(startupOf("alice")));
      await login.until("R");
      if (index % 2 === 0) login.socket.destroy();
      else login.send(open.ssl);
      await login.untilClosed();
      await sleep(5);
    }
    const client = await own.connect("alice", { ssl: { ca: certificate } });
    expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    await own.close();
  });
});

describe("cancel requests", () => {
  test("with wrong keys, however many, do not keep others from cancelling", async () => {
    const client = await proxy.connect("alice");
    const running = client.query("select pg_sleep(30)");
    await sleep(100);
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    const key = Buffer.alloc(4);
    key.writeInt32BE(secretKey);
    const send = async (from: string, bytes: Buffer) => {
      const login = rawLogin(connect({ port: proxy.port, host: "127.0.0.1", localAddress: from }));
      login.send(bytes);
      expect(await login.untilClosed()).toEqual([]);
    };
    const wrong = [
      Buffer.alloc(4),
      Buffer.alloc(0),
      Buffer.alloc(256),
      Buffer.alloc(257),
      Buffer.concat([key, key]),
    ];
    for (const bytes of wrong) await send("127.0.1.2", open.cancel(processID, bytes));
    await Promise.all(
      Array.from({ length: 300 }, () => send("127.0.1.2", open.cancel(processID, Buffer.alloc(4)))),
    );
    expect(await Promise.race([running.catch(() => "cancelled"), sleep(100, "running")])).toBe("running");
    await send("127.0.0.1", open.cancel(processID, key));
    await expect(running).rejects.toMatchObject({ code: "57014" });
    await client.end();
  });

  test("with the right key, however many, are few at the database", async () => {
    const client = await proxy.connect("alice");
    const running = client.query("select pg_sleep(30)").catch(() => "cancelled");
    await sleep(100);
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    const key = Buffer.alloc(4);
    key.writeInt32BE(secretKey);
    const before = relay.connections;
    relay.stall();
    await Promise.all(Array.from({ length: 100 }, () => converse(proxy.port, open.cancel(processID, key))));
    relay.go();
    expect(await running).toBe("cancelled");
    expect(relay.connections - before).toBeLessThanOrEqual(2);
    await client.end();
    await expectNothingLeft(database, proxy);
  });
});
