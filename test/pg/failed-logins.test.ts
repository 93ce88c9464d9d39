import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type ClientConfig } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { answer, beginScram, connectPlain, lines, open, rawLogin, type RawLogin } from "./raw-login.ts";
import { startTestProxy, userPassword, type RunningProxy } from "./running-proxy.ts";
import { createTokenIssuer, type TokenIssuer } from "./token-issuer.ts";

let database: TestDatabase;
let issuer: TokenIssuer;
const proxies: RunningProxy[] = [];

beforeAll(async () => {
  database = await createTestDatabase({});
  issuer = await createTokenIssuer();
});
afterAll(async () => {
  for (const proxy of proxies) await proxy.close();
  await database?.close();
});

async function start(limits: Readonly<Record<string, unknown>>, more: object = {}): Promise<RunningProxy> {
  const proxy = await startTestProxy({
    database,
    roles: { guessed: { file: { tables: { "public.*": { select: "all" } } } } },
    users: { alice: {}, bob: {} },
    more: { limits, admin: { address: "127.0.0.1:0" }, ...more },
  });
  proxies.push(proxy);
  return proxy;
}

/** Each network of 127.0.x.0/24 counts for itself. */
const from = (localAddress: string): ClientConfig => ({
  stream: () => {
    const socket = new Socket();
    const connect = socket.connect.bind(socket);
    socket.connect = ((port: number, host: string) =>
      connect({ port, host, localAddress })) as typeof connect;
    return socket;
  },
});

type Refusal = { readonly code: string; readonly message: string; readonly hint?: string };

/** Undefined: it came in. */
async function login(
  proxy: RunningProxy,
  user: string,
  address: string,
  password = userPassword,
): Promise<Refusal | undefined> {
  const client = new Client(proxy.client(user, { password, ...from(address) }));
  client.on("error", () => {});
  try {
    await client.connect();
    await client.end();
    return undefined;
  } catch (error) {
    const { code, message, hint } = error as Refusal;
    return { code, message, ...(hint && { hint }) };
  }
}

const wrong = (user: string) => ({
  code: "28P01",
  message: `password authentication failed for user "${user}"`,
});
const locked = {
  code: "28000",
  message: "too many failed logins from this network",
  hint: expect.stringMatching(/^Try again in (\d+ s|10 min)\.$/),
};
const quick = { perUser: 4, maxDelay: "10ms" };

async function metric(proxy: RunningProxy, name: string): Promise<string | undefined> {
  const response = await fetch(`http://127.0.0.1:${proxy.proxy.adminPort}/metrics`);
  return (await response.text()).split("\n").find((line) => line.startsWith(name));
}

describe("after failed logins", () => {
  test("a name is locked out of the network that they came from, even with the right password", async () => {
    const proxy = await start({ failedLogins: quick });
    // Whether the name exists makes no difference.
    for (const user of ["alice", "nobody"]) {
      for (let n = 0; n < 4; n++)
        expect(await login(proxy, user, `127.0.1.${n + 1}`, "guess")).toEqual(wrong(user));
      expect(await login(proxy, user, "127.0.1.9", "guess")).toEqual(locked);
      expect(await login(proxy, user, "127.0.1.9")).toEqual(locked);
    }
    expect(await login(proxy, "alice", "127.0.2.1")).toBeUndefined();
    expect(await login(proxy, "bob", "127.0.1.1")).toBeUndefined();
    const failures = (await proxy.record()).filter((line) => line.event === "login failed");
    expect(failures.at(-1)).toMatchObject({
      user: "nobody",
      sqlstate: "28000",
      reason: "locked: failed logins with this name from 127.0.1.0/24",
    });
    expect(await metric(proxy, 'rolegate_guarded_logins_total{result="locked"}')).toMatch(/ 4$/);
  });

  test("the network is locked, for every name, before anything is asked", async () => {
    const proxy = await start({ failedLogins: { ...quick, perNetwork: 6 } });
    for (let n = 0; n < 6; n++) await login(proxy, `u${n}`, "127.0.1.1", "guess");
    expect(await login(proxy, "bob", "127.0.1.2")).toEqual(locked);
    expect(await login(proxy, "bob", "127.0.2.1")).toBeUndefined();
    const raw = await connectPlain(proxy.port);
    for (let n = 0; n < 6; n++) await login(proxy, `u${n}`, "127.0.0.1", "guess");
    raw.send(
      open.startup([
        ["user", "bob"],
        ["database", database.name],
      ]),
    );
    const said = await raw.untilClosed();
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('C="28000"');
  });

  test("from everywhere, a name is slow and still comes in from its own network", async () => {
    const proxy = await start({ failedLogins: { ...quick, perUserEverywhere: 8, maxDelay: "700ms" } });
    for (let n = 0; n < 8; n++)
      expect(await login(proxy, "alice", `127.0.${n + 10}.1`, "guess")).toEqual(wrong("alice"));
    const began = performance.now();
    expect(await login(proxy, "alice", "127.0.3.1")).toBeUndefined();
    expect(performance.now() - began).toBeGreaterThan(690);
    const other = performance.now();
    expect(await login(proxy, "bob", "127.0.3.1")).toBeUndefined();
    expect(performance.now() - other).toBeLessThan(690);
    expect(await metric(proxy, 'rolegate_guarded_logins_total{result="slowed"}')).toMatch(/ 1$/);
  });

  test("the next ones wait, for longer each time, without a word, and end with the deadline", async () => {
    const proxy = await start({
      failedLogins: { perUser: 3, maxDelay: "800ms" },
      authenticationTimeout: "1s",
    });
    await login(proxy, "alice", "127.0.1.1", "guess");
    const times: number[] = [];
    for (let n = 0; n < 2; n++) {
      const began = performance.now();
      expect(await login(proxy, "alice", "127.0.1.1", "guess")).toEqual(wrong("alice"));
      times.push(performance.now() - began);
    }
    expect(times[0]).toBeGreaterThan(245);
    expect(times[1]).toBeGreaterThan(490);
  });

  test("with a token, a name counts as with a password, and an expired one is no guess", async () => {
    const proxy = await start(
      { failedLogins: quick },
      { identities: [issuer.entry({ allowPlaintextOnLoopback: true })] },
    );
    const name = "sam@example.com";
    const expired = await issuer.sign({}, -60);
    for (let n = 0; n < 6; n++) expect(await login(proxy, name, "127.0.1.1", expired)).toEqual(wrong(name));
    const good = await issuer.sign({});
    const forged = `${good.slice(0, -6)}AAAAAA`;
    for (let n = 0; n < 4; n++) expect(await login(proxy, name, "127.0.1.1", forged)).toEqual(wrong(name));
    expect(await login(proxy, name, "127.0.1.1", good)).toEqual(locked);
    expect(await login(proxy, name, "127.0.2.1", good)).toBeUndefined();
  });
});

/** SCRAM up to the last message, which is not sent yet. */
async function almost(proxy: RunningProxy, password: string): Promise<{ raw: RawLogin; last: Buffer }> {
  const socket = new Socket();
  socket.connect({ port: proxy.port, host: "127.0.0.1", localAddress: "127.0.1.1" });
  const raw = rawLogin(socket);
  const startup = [
    ["user", "alice"],
    ["database", database.name],
  ] as const;
  return { raw, last: await beginScram(raw, startup, password) };
}

describe("guesses on many connections at one time", () => {
  test("are worth no more than one behind the other: beyond the bound even the right one is not told", async () => {
    const proxy = await start({ failedLogins: quick });
    const guesses = await Promise.all(Array.from({ length: 12 }, () => almost(proxy, "guess")));
    const right = await almost(proxy, userPassword);
    for (const { raw, last } of guesses) raw.send(last);
    const answers = await Promise.all(guesses.map(({ raw }) => raw.untilClosed()));
    const codes = answers.map((said) => /C="(\w+)"/.exec(said.at(-1)!)?.[1]);
    expect(codes.filter((code) => code === "28P01")).toHaveLength(4);
    expect(codes.filter((code) => code === "28000")).toHaveLength(8);
    right.raw.send(right.last);
    const said = await right.raw.untilClosed();
    // Not even the server's signature, which proves the password.
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('C="28000"');
  });

  test("that are given up before the last message are none", async () => {
    const proxy = await start({ failedLogins: quick });
    for (let n = 0; n < 8; n++) (await almost(proxy, "guess")).raw.socket.destroy();
    await sleep(50);
    expect(await login(proxy, "alice", "127.0.1.1")).toBeUndefined();
  });
});

test("a token of OAUTHBEARER counts even if the client leaves before it acknowledges the failure", async () => {
  const proxy = await start(
    { failedLogins: quick },
    {
      identities: [issuer.entry({ allowPlaintextOnLoopback: true })],
      authentication: [{ method: "oauth" }],
    },
  );
  const forged = `${(await issuer.sign({})).slice(0, -6)}AAAAAA`;
  const begin = async () => {
    const raw = await connectPlain(proxy.port);
    raw.send(
      open.startup([
        ["user", "sam@example.com"],
        ["database", database.name],
      ]),
    );
    return raw;
  };
  for (let n = 0; n < 4; n++) {
    const raw = await begin();
    await raw.until("R");
    raw.send(answer.saslInitial("OAUTHBEARER", `n,,\u0001auth=Bearer ${forged}\u0001\u0001`));
    expect(lines(await raw.until("R"))[0]).toMatch(/^Authentication 11 /);
    raw.socket.destroy();
  }
  await sleep(200);
  const said = await (await begin()).untilClosed();
  expect(said.join()).toContain('C="28000" M="too many failed logins');
});

test("connections that say nothing push out those of their own network, and no others", async () => {
  const proxy = await start({ maxUnauthenticated: 20, maxUnauthenticatedPerNetwork: 5 });
  const honest = await connectPlain(proxy.port);
  honest.send(
    open.startup([
      ["user", "alice"],
      ["database", database.name],
    ]),
  );
  await honest.until("R");
  const silent: RawLogin[] = [];
  for (let n = 0; n < 60; n++) {
    const socket = new Socket();
    socket.connect({ port: proxy.port, host: "127.0.0.1", localAddress: "127.0.9.1" });
    silent.push(rawLogin(socket));
  }
  await expect.poll(() => silent.filter(({ closed }) => !closed).length).toBe(5);
  expect(honest.closed).toBe(false);
  honest.send(answer.saslInitial("SCRAM-SHA-256", "n,,n=,r=client-nonce"));
  expect(lines(await honest.until("R"))[0]).toMatch(/^Authentication 11 /);
  for (const { socket } of [...silent, honest]) socket.destroy();
});
