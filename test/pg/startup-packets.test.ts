import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attackedRoles, expectNothingLeft } from "./attacked-proxy.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { converse } from "./plain-connection.ts";
import { say } from "./raw-connection.ts";
import { answer, beginScram, connectPlain, lines, open } from "./raw-login.ts";
import { startTestProxy, userPassword, type RunningProxy } from "./running-proxy.ts";

const strange = [
  "o'brien",
  'back\\slash "quoted"',
  "per%cent $1 {x}",
  "naïve ✓",
  "a".repeat(63),
  "b".repeat(255),
];

let database: TestDatabase;
let proxy: RunningProxy;

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int)" });
  const users = Object.fromEntries(["alice", ...strange].map((name) => [name, {}]));
  proxy = await startTestProxy({ database, roles: attackedRoles, users });
});
afterAll(async () => {
  await proxy?.close();
  await database?.close();
});

const startupOf = (user: string, ...more: (readonly [string, string])[]) =>
  [["user", user], ["database", database.name], ...more] as const;

/** What comes back up to the first authentication request. */
const reply = async (bytes: Buffer) => {
  const login = await connectPlain(proxy.port);
  login.send(bytes);
  const said = await login.until("R");
  login.socket.destroy();
  return lines(said);
};

/** A startup packet of that many bytes. */
const padded = (length: number) => {
  const bare = open.startup(startupOf("alice", ["application_name", ""])).length;
  return open.startup(startupOf("alice", ["application_name", "x".repeat(length - bare)]));
};

/** Startup, and a first SASL message. */
const first = async (mechanism: string, message: string | undefined) => {
  const login = await connectPlain(proxy.port);
  login.send(open.startup(startupOf("alice")));
  await login.until("R");
  login.send(answer.saslInitial(mechanism, message));
  const said = await login.until("R");
  return { login, said: lines(said).join("\n"), challenge: said[0]! };
};

describe("startup packets", () => {
  test("of other versions are negotiated, and the cancel key follows", async () => {
    const versions: [number, string | undefined, number][] = [
      [0, undefined, 4],
      [1, "NegotiateProtocolVersion 196608", 4],
      [2, undefined, 32],
      [3, "NegotiateProtocolVersion 196610", 32],
      [9999, "NegotiateProtocolVersion 196610", 32],
    ];
    for (const [minor, negotiated, keyBytes] of versions) {
      const login = await connectPlain(proxy.port);
      login.send(await beginScram(login, startupOf("alice"), userPassword, minor));
      expect((await reply(open.startup(startupOf("alice"), minor)))[0]).toMatch(
        negotiated ?? /^Authentication 10 /,
      );
      const rest = lines(await login.until("Z"));
      expect(rest).toContain(`BackendKeyData ${4 + keyBytes} bytes`);
      login.send(say.terminate);
    }
    await expectNothingLeft(database, proxy);
  });

  test("with protocol options are told which are unknown, even at 3.0", async () => {
    const said = await reply(open.startup(startupOf("alice", ["_pq_.magic", "on"], ["_pq_.", ""])));
    expect(said[0]).toBe('NegotiateProtocolVersion 196608 "_pq_.magic" "_pq_."');
  });

  test.for([
    ["major 2", () => Buffer.from("\0\0\0\x08\0\x02\0\0", "latin1"), "0A000"],
    ["major 4", () => Buffer.from("\0\0\0\x08\0\x04\0\0", "latin1"), "0A000"],
    ["no user", () => open.startup([["database", "x"]]), "08P01"],
    ["an empty user", () => open.startup([["user", ""]]), "08P01"],
    ["user twice", () => open.startup(startupOf("alice", ["user", "bob"])), "08P01"],
    ["user twice, the same", () => open.startup(startupOf("alice", ["user", "alice"])), "08P01"],
    ["database twice", () => open.startup(startupOf("alice", ["database", "x"])), "08P01"],
    ["options twice", () => open.startup(startupOf("alice", ["options", ""], ["options", ""])), "08P01"],
    ["a role", () => open.startup(startupOf("alice", ["role", "x"])), "42501"],
    ["a Role", () => open.startup(startupOf("alice", ["Role", "x"])), "42501"],
    ["User beside user", () => open.startup(startupOf("alice", ["USER", "x"])), undefined],
    ["-c without end", () => open.startup(startupOf("alice", ["options", "-c"])), "08P01"],
    ["-c =", () => open.startup(startupOf("alice", ["options", "-c ="])), "08P01"],
    ["a backslash at the end", () => open.startup(startupOf("alice", ["options", "-c role=x\\"])), "42501"],
    [
      "session_authorization",
      () => open.startup(startupOf("alice", ["options", "--session-authorization=x"])),
      "42501",
    ],
    ["replication", () => open.startup(startupOf("alice", ["replication", "1"])), "0A000"],
  ] as const)("%s", async ([, bytes, code]) => {
    const said = (await reply(bytes())).join("\n");
    if (code === undefined) expect(said).toMatch(/^Authentication 10/);
    else expect(said).toContain(`S="FATAL" V="FATAL" C="${code}"`);
  });

  test("of 10,000 bytes are read, longer ones closed without a word and without waiting for them", async () => {
    expect(padded(10_000)).toHaveLength(10_000);
    expect((await reply(padded(10_000)))[0]).toMatch(/^Authentication 10/);
    expect(await reply(padded(10_001))).toEqual([]);
    for (const length of ["\x7f\xff\xff\xff", "\xff\xff\xff\xff", "\0\0\0\x07", "\0\0\0\0"])
      expect(await converse(proxy.port, Buffer.from(`${length}\0\x03\0\0`, "latin1"))).toHaveLength(0);
  });

  test("an application_name of any length is cut as the server cuts it", async () => {
    const client = await proxy.connect("alice", { application_name: "é".repeat(4_920) });
    const { rows } = await client.query("show application_name");
    const direct = await database.query("select set_config('application_name', $1, true) as a", [
      "é".repeat(40),
    ]);
    expect(rows[0].application_name).toBe(direct.rows[0].a);
    await client.end();
    await expectNothingLeft(database, proxy);
  });

  test("with a value that the server does not take are refused, and the database is not blamed", async () => {
    for (const [setting, value] of [
      ["datestyle", "bogus"],
      ["TimeZone", "Mars/Olympus"],
      ["jit", "maybe"],
      ["statement_timeout", "99999999999999"],
      ["extra_float_digits", "many"],
    ] as const) {
      const refused = proxy.connect("alice", { options: `-c ${setting}=${value}` });
      await expect(refused).rejects.toMatchObject({
        code: "22023",
        message: `the server does not accept the value of "${setting.toLowerCase()}"`,
      });
    }
    await expectNothingLeft(database, proxy);
  });
});

describe("SCRAM with odd messages", () => {
  test.each([
    ["SCRAM-SHA-256", "n,,n=alice,r=nonce,x=extension"],
    ["SCRAM-SHA-256", "y,,n=bob,r=nonce"],
    ["SCRAM-SHA-256", "n,,n==2C==3D,r=nonce"],
  ])("%s %j is answered", async (mechanism, message) => {
    const { login, said } = await first(mechanism, message);
    expect(said).toMatch(/^Authentication 11/);
    login.socket.destroy();
  });

  test.each([
    ["SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r=nonce"],
    ["SCRAM-SHA-1", "n,,n=,r=nonce"],
    ["OAUTHBEARER", "n,,\u0001auth=Bearer x\u0001\u0001"],
    ["", "n,,n=,r=nonce"],
    ["SCRAM-SHA-256", "n,a=bob,n=,r=nonce"],
    ["SCRAM-SHA-256", "n,,m=x,n=,r=nonce"],
    ["SCRAM-SHA-256", "n,,n="],
    ["SCRAM-SHA-256", "n,,n=,r="],
    ["SCRAM-SHA-256", "n,,r=nonce,n="],
    ["SCRAM-SHA-256", "n,,n=,r=non\u0001ce"],
    ["SCRAM-SHA-256", "n,,n=,r=nonce\0"],
    ["SCRAM-SHA-256", "n,,n=,r=nonce,"],
    ["SCRAM-SHA-256", "p=tls-unique,,n=,r=nonce"],
    ["SCRAM-SHA-256", ""],
    ["SCRAM-SHA-256", ",".repeat(900)],
  ])("%s %j is refused", async (mechanism, message) => {
    const { login, said } = await first(mechanism, message);
    expect(said).toMatch(/^ErrorResponse S="FATAL" V="FATAL" C="(08P01|0A000)"/);
    expect(await login.untilClosed()).toEqual([]);
  });

  test("a final message with anything changed is refused", async () => {
    const changes: ((nonce: string) => string)[] = [
      (nonce) => `c=biws,r=${nonce}`,
      (nonce) => `c=biws,r=${nonce},p=`,
      (nonce) => `c=biws,r=${nonce},p=AAAA`,
      (nonce) => `c=biws,r=${nonce.slice(0, -1)},p=${Buffer.alloc(32).toString("base64")}`,
      (nonce) => `c=biws,r=${nonce}x,p=${Buffer.alloc(32).toString("base64")}`,
      (nonce) => `c=eSws,r=${nonce},p=${Buffer.alloc(32).toString("base64")}`,
      (nonce) => `r=${nonce},c=biws,p=${Buffer.alloc(32).toString("base64")}`,
      (nonce) =>
        `c=biws,r=${nonce},p=${Buffer.alloc(32).toString("base64")},p=${Buffer.alloc(32).toString("base64")}`,
      (nonce) => `c=biws,r=${nonce},p=${Buffer.alloc(32).toString("base64")}`,
      () => "",
    ];
    for (const change of changes) {
      const { login, challenge } = await first("SCRAM-SHA-256", "n,,n=,r=nonce");
      const nonce = challenge.toString("latin1", 9).split(",")[0]!.slice(2);
      login.send(answer.sasl(change(nonce)));
      expect((await login.untilClosed()).join("\n")).toMatch(
        /^ErrorResponse S="FATAL" V="FATAL" C="(08P01|28P01)"/,
      );
    }
    await expectNothingLeft(database, proxy);
  });

  test("a client without an initial response is asked for one", async () => {
    const login = await connectPlain(proxy.port);
    login.send(open.startup(startupOf("alice")));
    await login.until("R");
    login.send(answer.saslInitial("SCRAM-SHA-256", undefined));
    expect(lines(await login.until("R"))).toEqual(["Authentication 11 0 bytes"]);
    login.send(answer.sasl("n,,n=,r=nonce"));
    expect(lines(await login.until("R"))[0]).toMatch(/^Authentication 11 /);
    login.socket.destroy();
  });
});

describe("names", () => {
  test("with anything that is printed arrive as they are", async () => {
    for (const name of strange) {
      const client = await proxy.connect(name);
      expect((await client.query("show rolegate.identity")).rows).toEqual([{ "rolegate.identity": name }]);
      await client.end();
    }
    await expectNothingLeft(database, proxy);
  });

  test("of databases that are as long as a packet is are only unknown", async () => {
    const login = await connectPlain(proxy.port);
    const parameters = [
      ["user", "alice"],
      ["database", "x".repeat(9_900)],
    ] as const;
    login.send(await beginScram(login, parameters, userPassword));
    expect((await login.untilClosed()).at(-1)).toContain('C="3D000"');
    await expectNothingLeft(database, proxy);
  });

  test("longer than the server's are not cut: the first 63 bytes are somebody else", async () => {
    const client = proxy.connect("a".repeat(64));
    await expect(client).rejects.toMatchObject({ code: "28P01" });
  });

  test("with control characters stand on one line of the record, cut and escaped", async () => {
    const hostile = `eve\n{"event":"session start"}\u001b[2J\u202e${"x".repeat(9_000)}`;
    const login = await connectPlain(proxy.port);
    login.send(
      open.startup([
        ["user", hostile],
        ["database", "d\r\n\u009b1m"],
      ]),
    );
    await login.until("R");
    login.send(answer.saslInitial("SCRAM-SHA-256", "rubbish"));
    await login.untilClosed();
    const line = (await proxy.record()).at(-1)!;
    expect(line).toMatchObject({ event: "login failed", sqlstate: "08P01", database: "d\r\n\u009b1m" });
    expect(line["user"]).toBe(hostile.slice(0, 256));
  });
});
