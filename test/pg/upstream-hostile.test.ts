import { once } from "node:events";
import type { Socket } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterEach, expect, test } from "vitest";
import { connectUpstream } from "../../src/upstream/connect.ts";
import { trace } from "../../src/wire/trace.ts";
import { int32, message, text } from "../../src/wire/writer.ts";
import { fakeServer, startupOf, tell, type FakeServer } from "./fake-server.ts";

// The database is never mocked; these are servers that misbehave, or are somebody else.

const honestFacts = {
  role: "reader",
  login: "rolegate_reader",
  inherits: "f",
  login_privileged: "f",
  role_super: "f",
  other_roles: "f",
  owns: "f",
};

type Talk = (socket: Socket, heard: () => Promise<Buffer>) => Promise<void>;

const silence: Talk = async () => {};

/** Answers the first packet with these bytes. */
function says(bytes: Buffer): Talk {
  return async (socket, heard) => {
    await heard();
    socket.write(bytes);
    await heard();
  };
}

/** Lets the login in, then tells its facts as an honest server would, or does something else. */
function honest(
  more: { parameters?: Record<string, string>; instead?: (socket: Socket) => void } = {},
): Talk {
  return async (socket, heard) => {
    await heard();
    socket.write(tell.welcome(more.parameters));
    await heard();
    if (more.instead === undefined) socket.write(Buffer.concat([tell.facts(honestFacts), tell.ready]));
    else more.instead(socket);
  };
}

/** The same a byte at a time. */
const drip: Talk = async (socket, heard) => {
  await heard();
  for (const byte of tell.welcome()) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.write(Buffer.of(byte));
  }
};

let server: FakeServer | undefined;
afterEach(() => server?.close());

/** Connects to a server that talks like this. */
async function connect(
  talk: Talk,
  more: {
    tls?: "require";
    deadline?: number;
    settings?: Record<string, string>;
    applicationName?: string;
  } = {},
) {
  server = await fakeServer(talk);
  return connectUpstream(
    {
      host: "127.0.0.1",
      port: server.port,
      database: "shop",
      tls: more.tls === undefined ? undefined : { mode: more.tls, rootCertificate: undefined },
    },
    { user: "rolegate_reader", password: "the secret" },
    {
      role: "reader",
      settings: new Map(Object.entries(more.settings ?? {})),
      applicationName: more.applicationName ?? "test",
    },
    more.deadline ?? 5_000,
  );
}

/** Why it failed, for the log; the client is told one thing for all of it. */
async function failure(...values: Parameters<typeof connect>): Promise<string> {
  const error = await connect(...values).then(
    () => undefined,
    (error: unknown) => error as Error,
  );
  if (error === undefined) throw new Error("it connected");
  expect(error.message).toBe("the database is not available");
  return (error.cause as Error).message;
}

test("what the server sends right behind the login is the session's, however it is cut", async () => {
  const behind = Buffer.concat([tell.notice("shutting down soon"), tell.parameter("TimeZone", "UTC")]);
  for (const cut of [0, 1, 7, behind.length]) {
    const instead = (socket: Socket) => {
      socket.write(Buffer.concat([tell.facts(honestFacts), tell.ready, behind.subarray(0, cut)]));
      setTimeout(() => socket.write(behind.subarray(cut)), 20);
    };
    const connection = await connect(honest({ instead }));
    const chunks: Buffer[] = [];
    connection.socket.on("data", (chunk: Buffer) => chunks.push(chunk)).resume();
    while (Buffer.concat(chunks).length < behind.length) await once(connection.socket, "data");
    expect(trace(Buffer.concat(chunks), "server")).toEqual([
      expect.stringContaining("NoticeResponse"),
      expect.stringContaining("ParameterStatus"),
    ]);
    connection.close();
    await server?.close();
  }
  server = undefined;
});

test("a connection that breaks before anybody listens does not end the process", async () => {
  const connection = await connect(
    honest({
      instead: (socket) =>
        socket.write(Buffer.concat([tell.facts(honestFacts), tell.ready]), () => socket.resetAndDestroy()),
    }),
  );
  const closed = new Promise((resolve) => connection.socket.once("close", resolve));
  connection.socket.resume();
  await closed;
  await connection.cancel();
  expect(connection.socket.destroyed).toBe(true);
});

test("only what the session is given is in the startup packet", async () => {
  const environment = {
    PGOPTIONS: "-c evil=1",
    PGAPPNAME: "evil",
    PGREPLICATION: "database",
    PGSSLMODE: "disable",
  };
  Object.assign(process.env, environment);
  try {
    const connection = await connect(honest(), { settings: { "rolegate.identity": "a\\ b\tc" } });
    expect(Object.fromEntries(startupOf(server!.received[0]!))).toEqual({
      user: "rolegate_reader",
      database: "shop",
      application_name: "test",
      options:
        "-c client_encoding=UTF8 -c rolegate.identity=a\\\\\\ b\\\tc -c standard_conforming_strings=on -c role=reader",
    });
    connection.close();
  } finally {
    for (const name of Object.keys(environment)) delete process.env[name];
  }
});

test("values that would begin another parameter are never sent", async () => {
  expect(await failure(silence, { applicationName: "x\0user\0postgres" })).toContain("NUL");
  expect(await failure(silence, { settings: { "x=1 -c role": "postgres" } })).toBe(
    "not the name of a setting",
  );
  expect(await failure(silence, { settings: { x: "y".repeat(10_000) } })).toContain("the server takes 10000");
  expect(server?.received).toEqual([]);
});

test("the password is not given away in clear, nor as an MD5 hash", async () => {
  expect(await failure(says(tell.authentication(3)))).toContain("cleartext");
  expect(server?.received).toHaveLength(1);
  await server?.close();
  expect(await failure(says(tell.authentication(5, Buffer.from("salt"))))).toContain("MD5");
  expect(server?.received).toHaveLength(1);
});

/** Offers SCRAM and answers the client's first message with this. */
function scram(answer: (clientNonce: string) => Buffer) {
  return async (socket: Socket, heard: () => Promise<Buffer>) => {
    await heard();
    socket.write(tell.sasl("SCRAM-SHA-256"));
    const nonce = /r=([^,]+)$/.exec((await heard()).toString("latin1"))?.[1];
    socket.write(answer(nonce ?? ""));
    for (;;) {
      await heard();
      socket.write(tell.welcome());
    }
  };
}

test("a server cannot make us work for ever, or hand us a nonce of its own", async () => {
  const began = performance.now();
  const salt = Buffer.alloc(16).toString("base64");
  expect(await failure(scram((nonce) => tell.saslContinue(`r=${nonce}x,s=${salt},i=2147483647`)))).toContain(
    "iteration",
  );
  expect(performance.now() - began).toBeLessThan(1_000);
  await server?.close();
  expect(await failure(scram(() => tell.saslContinue(`r=another,s=${salt},i=4096`)))).toContain("nonce");
});

test("a nonce of 64 KB is refused or worked with, and no proof of ours is taken for the server's", async () => {
  const salt = Buffer.alloc(16).toString("base64");
  for (const [bytes, words] of [
    [60_000, "the server ended SCRAM without its signature"],
    [65_536, "invalid length of a message of type 82"],
  ] as const) {
    const long = scram((nonce) => tell.saslContinue(`r=${nonce}${"x".repeat(bytes)},s=${salt},i=1`));
    expect(await failure(long)).toBe(words);
    await server?.close();
  }
});

test("work that a server asks for is refused before any of it is done", async () => {
  const salt = Buffer.alloc(16).toString("base64");
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  for (const iterations of ["2147483647", "100001", "-1", "0", "9".repeat(400)])
    expect(
      await failure(scram((nonce) => tell.saslContinue(`r=${nonce}x,s=${salt},i=${iterations}`))),
    ).toContain("iteration");
  delay.disable();
  // 100,000 iterations alone would take longer than that.
  expect(delay.percentile(50) / 1e6).toBeLessThan(50);
});

test("a server that cannot sign the exchange does not know the password", async () => {
  const salt = Buffer.alloc(16).toString("base64");
  const skips = scram((nonce) => tell.saslContinue(`r=${nonce}x,s=${salt},i=4096`));
  expect(await failure(skips)).toBe("the server ended SCRAM without its signature");
  await server?.close();
  expect(await failure(scram(() => tell.welcome()))).toBe("the server ended SCRAM without its signature");
});

test("bytes between the answer to SSLRequest and TLS, and errors in its place, are not taken", async () => {
  const error = message("E", Buffer.from("MInot authenticated: who is speaking?\0\0"));
  for (const bytes of [
    Buffer.from("N"),
    Buffer.concat([Buffer.from("S"), tell.welcome()]),
    error,
    Buffer.from("?"),
  ]) {
    expect(await failure(says(bytes), { tls: "require" })).not.toBe("");
    expect(server?.received).toHaveLength(1);
    await server?.close();
  }
});

test("messages that cannot be part of a login end it at once", async () => {
  const huge = Buffer.from("45ffffffff", "hex"); // an ErrorResponse of 4 GB
  for (const bytes of [
    huge,
    Buffer.from("5a00000003", "hex"),
    message("G", Buffer.alloc(3)),
    Buffer.from("HTTP/1.1 400"),
  ]) {
    expect(await failure(says(bytes))).toMatch(/invalid length|not allowed/);
    await server?.close();
  }
  // An ErrorResponse without an SQLSTATE, and without anything.
  expect(await failure(says(message("E", Buffer.from("Mgo away\0\0"))))).toBe("go away");
  await server?.close();
  expect(await failure(says(message("E", Buffer.of(0))))).toBeDefined();
});

test.each([
  ["a newer version", 0x30003, 0, "the server answered protocol 3.2 with 3.3"],
  ["the reserved one", 0x30001, 0, "the server answered protocol 3.2 with 3.1"],
  ["another major", 0x20000, 0, "the server answered protocol 3.2 with 2.0"],
  ["options that nobody asked for", 0x30000, 1, "the server answered protocol 3.2 with 3.0"],
])("%s in place of what was asked for ends the login", async (_name, version, options, why) => {
  const negotiation = message(
    "v",
    int32(version),
    int32(options),
    ...(options > 0 ? [text("_pq_.x", "option")] : []),
  );
  expect(await failure(says(Buffer.concat([negotiation, tell.welcome()])))).toBe(why);
});

test.each([
  [3, "the server gave a cancel key of 3 bytes"],
  [257, "invalid length of a message of type 75"],
])("a cancel key of %d bytes ends the login", async (bytes, why) => {
  const key = message("K", int32(4711), Buffer.alloc(bytes));
  const welcome = Buffer.concat([message("R", int32(0)), key, tell.ready]);
  expect(await failure(says(welcome))).toBe(why);
});

test("messages whose bodies are not what the protocol says end the login at once, and never hold the process up", async () => {
  const bodies: [type: string, body: string][] = [
    // Read without an end by pg-protocol, for ever.
    ["E", "SFATAL\0Mno end"],
    ["E", "SFATAL\0Mno end\0"],
    ["E", ""],
    ["N", "SNOTICE\0Mno end\0"],
    ["S", "TimeZone\0UTC"],
    ["S", "TimeZone\0UTC\0x"],
    ["R", "\0\0\0\x0aSCRAM-SHA-256\0"],
    ["R", "\0\0"],
    ["K", "\0\0\0\x01"],
    ["Z", ""],
    ["T", "\0\x02a\0"],
    ["T", "\xff\xff"],
    ["D", "\0\x01\x7f\xff\xff\xffx"],
    ["D", "\0\x01\xff\xff\xff\xfe"],
    ["C", "SELECT 1"],
    ["A", "\0\0\0\x01a\0"],
  ];
  for (const [type, body] of bodies) {
    const began = performance.now();
    expect(await failure(says(message(type, Buffer.from(body, "latin1")))), `${type} ${body}`).toMatch(
      /message|string|cancel key/,
    );
    expect(performance.now() - began).toBeLessThan(2_000);
    await server?.close();
  }
});

test("the whole login has one deadline", async () => {
  expect(await failure(drip, { deadline: 200 })).toBe("the login took longer than 200 ms");
  await server?.close();
  expect(await failure(silence, { deadline: 200 })).toBe("the login took longer than 200 ms");
});

test("a server in another encoding, or with backslashes in strings, is not used", async () => {
  expect(await failure(honest({ parameters: { standard_conforming_strings: "off" } }))).toContain(
    "standard_conforming_strings",
  );
  await server?.close();
  expect(await failure(honest({ parameters: { server_encoding: "SQL_ASCII" } }))).toContain(
    "server_encoding",
  );
  await server?.close();
  expect(await failure(honest({ parameters: { client_encoding: "SJIS" } }))).toContain("client_encoding");
});
