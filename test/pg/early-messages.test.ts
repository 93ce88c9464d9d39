import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attackedRoles, expectNothingLeft } from "./attacked-proxy.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { converse } from "./plain-connection.ts";
import { say } from "./raw-connection.ts";
import { answer, beginScram, connectPlain, open, type RawLogin } from "./raw-login.ts";
import { startTestProxy, userPassword, type RunningProxy } from "./running-proxy.ts";
import { createTokenIssuer, type TokenIssuer } from "./token-issuer.ts";

let database: TestDatabase;
let issuer: TokenIssuer;
/** Passwords. */
let proxy: RunningProxy;
/** Tokens, in clear. */
let tokens: RunningProxy;

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int)" });
  issuer = await createTokenIssuer();
  const options = { database, roles: attackedRoles, users: { alice: {} } };
  const identities = [issuer.entry({ allowPlaintextOnLoopback: true })];
  proxy = await startTestProxy(options);
  tokens = await startTestProxy({ ...options, more: { identities } });
});
afterAll(async () => {
  await proxy?.close();
  await tokens?.close();
  await database?.close();
});

const startupOf = (user: string) =>
  [
    ["user", user],
    ["database", database.name],
  ] as const;

/** Everything that a session's first messages need, in one piece. */
async function tokenLogin(): Promise<Buffer> {
  const token = await issuer.sign({});
  return Buffer.concat([open.startup(startupOf("sam@example.com")), answer.password(token)]);
}

describe("messages behind the password, sent without waiting", () => {
  test("are the session's first, as on the server", async () => {
    const bytes = Buffer.concat([
      await tokenLogin(),
      say.query("select 1"),
      say.parse("", "select 2"),
      say.bind("", ""),
      say.execute(""),
      say.sync,
      say.terminate,
    ]);
    const login = await connectPlain(tokens.port);
    login.send(bytes);
    const said = (await login.untilClosed()).filter((line) => /^(DataRow|ReadyForQuery|Error)/.test(line));
    expect(said).toEqual([
      "ReadyForQuery I",
      'DataRow "1"',
      "ReadyForQuery I",
      'DataRow "2"',
      "ReadyForQuery I",
    ]);
    await expectNothingLeft(database, tokens);
    const sql = (await tokens.statements()).map((line) => line["sql"]);
    expect(sql).toEqual(["select 1", "select 2"]);
  });

  test("may come in any pieces, behind SCRAM too", async () => {
    const query = say.query("select 'whole'");
    for (const cut of [0, 1, 4, 5, 9, query.length - 1]) {
      const login = await connectPlain(proxy.port);
      login.send(await beginScram(login, startupOf("alice"), userPassword), query.subarray(0, cut));
      await login.until("Z");
      login.send(query.subarray(cut), say.terminate);
      expect(await login.untilClosed()).toContain('DataRow "whole"');
    }
    await expectNothingLeft(database, proxy);
  });

  test("and byte by byte from the startup packet on", async () => {
    const login = await connectPlain(tokens.port);
    for (const byte of Buffer.concat([await tokenLogin(), say.query("select 'slow'"), say.terminate])) {
      login.send(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    expect(await login.untilClosed()).toContain('DataRow "slow"');
    await expectNothingLeft(database, tokens);
  });

  test("of any number are held back, not collected", async () => {
    const queries = Array.from({ length: 20_000 }, () => say.query("select 1"));
    const login = await connectPlain(tokens.port);
    login.send(await tokenLogin(), ...queries, say.terminate);
    const said = await login.untilClosed();
    expect(said.filter((line) => line === "ReadyForQuery I")).toHaveLength(20_001);
    await expectNothingLeft(database, tokens);
  });

  test.for([
    ["that are none", () => Buffer.from("!\0\0\0\x04")],
    ["a startup packet", () => open.startup(startupOf("somebody"))],
    ["an SSLRequest", () => open.ssl],
    ["a CancelRequest", () => open.cancel(1, Buffer.alloc(4))],
    ["another password", () => answer.password("x")],
    ["a length of 3", () => Buffer.from("Q\0\0\0\x03")],
    ["a length of 2 GB", () => Buffer.from("Q\x7f\xff\xff\xff", "latin1")],
  ] as const)("%s: the session ends with 08P01, and is ended on record and upstream", async ([, bytes]) => {
    const login = await connectPlain(tokens.port);
    login.send(await tokenLogin(), bytes());
    const said = await login.untilClosed();
    expect(said.filter((line) => line.startsWith("ReadyForQuery"))).toHaveLength(1);
    expect(said.at(-1)).toMatch(/^ErrorResponse S="FATAL" V="FATAL" C="08P01"/);
    await expectNothingLeft(database, tokens);
  });

  test("do not help a wrong password", async () => {
    const login = await connectPlain(tokens.port);
    login.send(
      open.startup(startupOf("sam@example.com")),
      answer.password("wrong"),
      answer.password(await issuer.sign({})),
      say.query("select 1"),
    );
    expect(await login.untilClosed()).toEqual([
      "Authentication 3 0 bytes",
      'ErrorResponse S="FATAL" V="FATAL" C="28P01" M="password authentication failed for user \\"sam@example.com\\""',
    ]);
    await expectNothingLeft(database, tokens);
  });
});

describe("messages before their time", () => {
  const early: Readonly<Record<string, () => Buffer>> = {
    Query: () => say.query("select 1"),
    Parse: () => say.parse("", "select 1"),
    Sync: () => say.sync,
    Terminate: () => say.terminate,
    CopyData: () => say.copyData("x"),
    FunctionCall: () => say.functionCall(1),
    startup: () => open.startup(startupOf("alice")),
    SSLRequest: () => open.ssl,
    cancel: () => open.cancel(1, Buffer.alloc(4)),
  };
  const states: Readonly<Record<string, (login: RawLogin) => Promise<void>>> = {
    "where SASLInitialResponse is due": async (login) => {
      login.send(open.startup(startupOf("alice")));
      await login.until("R");
    },
    "where SASLResponse is due": async (login) => {
      login.send(open.startup(startupOf("alice")));
      await login.until("R");
      login.send(answer.saslInitial("SCRAM-SHA-256", "n,,n=,r=nonce"));
      await login.until("R");
    },
  };
  for (const [state, reach] of Object.entries(states))
    test.each(Object.entries(early))(`%s ${state}: FATAL 08P01`, async (_, bytes) => {
      const login = await connectPlain(proxy.port);
      await reach(login);
      login.send(bytes());
      const said = await login.untilClosed();
      expect(said).toHaveLength(1);
      expect(said[0]).toMatch(/^ErrorResponse S="FATAL" V="FATAL" C="08P01"/);
    });

  test("in place of the startup packet: closed, without a word to what is no Postgres client", async () => {
    for (const bytes of [say.query("select 1"), answer.password("x"), say.sync])
      expect(await converse(proxy.port, Buffer.concat([bytes, Buffer.alloc(20)]))).toHaveLength(0);
  });
});
