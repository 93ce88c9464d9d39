import { execFile } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { promisify } from "node:util";
import { base64url, SignJWT, UnsecuredJWT } from "jose";
import { Client, type ClientConfig } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeVerifier } from "../../src/scram/verifier.ts";
import { ecdsaSha256, ed25519, type TestCertificate } from "../unit/net/certificates.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { converse } from "./plain-connection.ts";
import { say } from "./raw-connection.ts";
import {
  answer,
  beginScram,
  connectDirectly,
  connectPlain,
  connectSecured,
  lines,
  open,
} from "./raw-login.ts";
import { startTestProxy, userPassword, type RunningProxy } from "./running-proxy.ts";
import { audience, createTokenIssuer, issuerName, type TokenIssuer } from "./token-issuer.ts";

let database: TestDatabase;
let issuer: TokenIssuer;
let users: Readonly<Record<string, object>>;
/** TLS is demanded; passwords and tokens. */
let strict: RunningProxy;
/** TLS is offered; passwords and tokens. */
let lenient: RunningProxy;

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int)" });
  issuer = await createTokenIssuer();
  // 16 bytes of salt, as every verifier has that PostgreSQL or rolegate made.
  const verifier = await makeVerifier(userPassword, { salt: Buffer.from("16-bytes-of-salt") });
  users = { alice: { verifier } };
  strict = await start({ mode: "require" });
  lenient = await start({ mode: "optional" });
});
afterAll(async () => {
  await strict?.close();
  await lenient?.close();
  await database?.close();
});

function start(tls: object, certificate: TestCertificate = ecdsaSha256): Promise<RunningProxy> {
  return startTestProxy({
    database,
    roles: {
      tls_tester: { file: { tables: { t: { select: "all" } }, functions: { allow: ["pg_sleep"] } } },
    },
    users: {},
    more: {
      listen: {
        address: "127.0.0.1:0",
        tls: { certificate: certificate.certificate, key: certificate.key, ...tls },
      },
      identities: [{ type: "password", users }, issuer.entry()],
      limits: { failedLogins: { trusted: ["127.0.0.0/8"] } },
    },
  });
}

const ssl = { ca: ecdsaSha256.certificate };
const startupOf = (user: string) =>
  [
    ["user", user],
    ["database", database.name],
  ] as const;

async function failure(
  proxy: RunningProxy,
  user: string,
  more: ClientConfig,
): Promise<Record<string, unknown>> {
  const client = new Client(proxy.client(user, more));
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    return { ...(error as object), message: (error as Error).message };
  }
  await client.end();
  return { message: "connected" };
}

function psql(proxy: RunningProxy, settings: string, password = userPassword) {
  return promisify(execFile)(
    "psql",
    ["-XAtc", "select 'in'", `host=localhost port=${proxy.port} dbname=${database.name} ${settings}`],
    { env: { PATH: process.env["PATH"], PGPASSWORD: password } },
  );
}

describe("where TLS is demanded", () => {
  test("a plaintext client is refused before it is asked for anything", async () => {
    for (const user of ["alice", "nobody", "tls_tester", "sam@example.com"]) {
      const login = await connectPlain(strict.port);
      login.send(open.startup(startupOf(user)));
      const said = await login.untilClosed();
      expect(said).toHaveLength(1);
      expect(said[0]).toMatch(/^ErrorResponse S="FATAL" V="FATAL" C="28000" M="the connection requires TLS"/);
    }
  });

  test("GSS encryption is declined, and TLS may follow", async () => {
    const socket = connect(strict.port, "127.0.0.1");
    socket.write(open.gss);
    expect(String((await once(socket, "data"))[0])).toBe("N");
    socket.write(open.ssl);
    expect(String((await once(socket, "data"))[0])).toBe("S");
    socket.destroy();
  });

  test("a password over TLS, with node-postgres and with psql", async () => {
    const client = await strict.connect("alice", { ssl });
    expect((await client.query("select 'in' as x")).rows).toEqual([{ x: "in" }]);
    expect((await psql(strict, "user=alice sslmode=require")).stdout).toBe("in\n");
    const start = (await strict.record()).filter((line) => line.event === "session start");
    expect(start).toMatchObject([{ tls: true }, { tls: true }]);
  });

  test("psql verifies who it talks to", async () => {
    const root = join(strict.directory, "root.crt");
    writeFileSync(root, ecdsaSha256.certificate);
    const { stdout } = await psql(strict, `user=alice sslmode=verify-full sslrootcert=${root}`);
    expect(stdout).toBe("in\n");
  });
});

describe("channel binding", () => {
  test("node-postgres and psql bind the exchange to the certificate", async () => {
    const client = await strict.connect("alice", { ssl, enableChannelBinding: true });
    expect((await client.query("select 'in' as x")).rows).toEqual([{ x: "in" }]);
    const { stdout } = await psql(strict, "user=alice sslmode=require channel_binding=require");
    expect(stdout).toBe("in\n");
  });

  test("PLUS is offered over TLS only, best first", async () => {
    const [secured, plain] = [await connectSecured(lenient.port), await connectPlain(lenient.port)];
    for (const login of [secured, plain]) login.send(open.startup(startupOf("alice")));
    expect(String((await secured.until("R"))[0])).toContain("SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0");
    expect(String((await plain.until("R"))[0])).not.toContain("PLUS");
    for (const login of [secured, plain]) login.socket.destroy();
  });

  test("a client that was told of no PLUS, but was offered it, is refused: somebody changed the list", async () => {
    const login = await connectSecured(lenient.port);
    login.send(open.startup(startupOf("alice")));
    await login.until("R");
    login.send(answer.saslInitial("SCRAM-SHA-256", "y,,n=,r=nonce"));
    expect((await login.untilClosed()).join()).toContain('C="28P01"');
  });

  test("PLUS with a name but no data of the certificate is refused", async () => {
    const login = await connectSecured(lenient.port);
    login.send(open.startup(startupOf("alice")));
    await login.until("R");
    login.send(answer.saslInitial("SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r=nonce"));
    const [challenge] = await login.until("R");
    const nonce = String(challenge).slice(9).split(",")[0];
    const bound = Buffer.from("p=tls-server-end-point,,").toString("base64");
    login.send(answer.sasl(`c=${bound},${nonce},p=${Buffer.alloc(32).toString("base64")}`));
    expect((await login.untilClosed()).join()).toContain("channel binding check failed");
  });

  test("a certificate that has no defined hash is not offered for binding", async () => {
    const proxy = await start({ mode: "require" }, ed25519);
    const client = await proxy.connect("alice", { ssl: { ca: ed25519.certificate } });
    expect((await client.query("select 'in' as x")).rows).toEqual([{ x: "in" }]);
    const refused = psql(proxy, "user=alice sslmode=require channel_binding=require");
    await expect(refused).rejects.toMatchObject({
      stderr: expect.stringContaining("channel binding") as string,
    });
    await proxy.close();
  });
});

describe("TLS without asking", () => {
  test("needs ALPN", async () => {
    const login = await connectDirectly(strict.port, ["postgresql"]);
    login.send(await beginScram(login, startupOf("alice"), userPassword), say.query("select 'in'"));
    await login.until("Z");
    expect(lines(await login.until("Z"))).toContain('DataRow "in"');
    login.socket.destroy();
  });

  test.each([[[]], [["h2"]], [["h2", "http/1.1"]]])("with ALPN %j is closed", async (ALPNProtocols) => {
    const socket = connectTls({
      port: strict.port,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      ALPNProtocols,
    });
    const heard: Buffer[] = [];
    socket.on("data", (chunk) => heard.push(chunk));
    socket.on("error", () => {});
    socket.once("secureConnect", () => socket.write(open.startup(startupOf("alice"))));
    await new Promise((resolve) => socket.once("close", resolve));
    expect(Buffer.concat(heard)).toHaveLength(0);
  });

  test("is closed where there is no TLS", async () => {
    const plain = await startTestProxy({
      database,
      roles: { tls_tester: { file: { tables: { t: { select: "all" } } } } },
      users: { alice: {} },
    });
    const socket = connectTls({ port: plain.port, host: "127.0.0.1", ALPNProtocols: ["postgresql"] });
    socket.on("error", () => {});
    await new Promise((resolve) => socket.once("close", resolve));
    expect(socket.getProtocol()).toBeNull();
    await plain.close();
  });

  test("no request for encryption is taken inside of TLS", async () => {
    for (const request of [open.ssl, open.gss]) {
      for (const login of [
        await connectDirectly(strict.port, ["postgresql"]),
        await connectSecured(strict.port),
      ]) {
        login.send(request, open.startup(startupOf("alice")));
        const said = await login.untilClosed();
        expect(said).toHaveLength(1);
        expect(said[0]).toContain('C="08P01"');
      }
    }
  });
});

describe("bytes between SSLRequest and TLS", () => {
  test("in clear, behind the request, close the connection without an answer", async () => {
    for (const behind of [open.startup(startupOf("alice")), Buffer.of(0x16), Buffer.of(0)])
      expect(await converse(lenient.port, Buffer.concat([open.ssl, behind]))).toHaveLength(0);
  });

  test("in clear, behind the answer, are no startup packet", async () => {
    const socket = connect(lenient.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(open.ssl);
    const heard: Buffer[] = [];
    socket.on("data", (chunk) => heard.push(chunk));
    await once(socket, "data");
    socket.write(open.startup(startupOf("alice")));
    await once(socket, "close");
    // S, and at most an alert of TLS.
    const [yes, alert] = Buffer.concat(heard);
    expect(String.fromCharCode(yes!)).toBe("S");
    expect([undefined, 21]).toContain(alert);
  });
});

describe("a token in the password's place", () => {
  test("over TLS, as the name in the token and as a role", async () => {
    for (const user of ["sam@example.com", "tls_tester"]) {
      const client = await strict.connect(user, { ssl, password: await issuer.sign({}) });
      expect((await client.query("show rolegate.identity")).rows).toEqual([
        { "rolegate.identity": "sam@example.com" },
      ]);
      expect((await client.query("show rolegate.role")).rows).toEqual([{ "rolegate.role": "tls_tester" }]);
    }
    const settings = "user=sam@example.com sslmode=require";
    expect((await psql(strict, settings, await issuer.sign({}))).stdout).toBe("in\n");
  });

  test("in one write with the startup packet and the first statement", async () => {
    const bytes = [
      open.startup(startupOf("tls_tester")),
      answer.password(await issuer.sign({})),
      say.query("select 'in'"),
      say.terminate,
    ];
    for (const login of [
      await connectSecured(strict.port),
      await connectDirectly(strict.port, ["postgresql"]),
    ]) {
      login.send(...bytes);
      expect(await login.untilClosed()).toContain('DataRow "in"');
    }
  });

  test("without TLS is not asked for, and nothing is said of the name", async () => {
    for (const user of ["sam@example.com", "nobody@example.com", "tls_tester"]) {
      const login = await connectPlain(lenient.port);
      login.send(open.startup(startupOf(user)));
      const said = await login.untilClosed();
      expect(said).toHaveLength(1);
      expect(said[0]).toMatch(/C="28000" M="a token is taken only over TLS"/);
    }
    expect((await psql(lenient, "user=alice sslmode=disable")).stdout).toBe("in\n");
  });

  test("that is not good in any way gets one and the same answer, in the words for a wrong password", async () => {
    const { keySet } = issuer;
    const sign = (claims: Record<string, unknown>, expiresIn?: number) => issuer.sign(claims, expiresIn);
    const hs256 = await new SignJWT({ email: "sam@example.com" })
      .setProtectedHeader({ alg: "HS256", kid: "one" })
      .setIssuer(issuerName)
      .setAudience(audience)
      .setExpirationTime("1m")
      .sign(Buffer.from(keySet.padEnd(64)));
    const none = new UnsecuredJWT({ email: "sam@example.com" })
      .setIssuer(issuerName)
      .setAudience(audience)
      .setExpirationTime("1m")
      .encode();
    const good = await sign({});
    const [header, , signature] = good.split(".");
    const forged = base64url.encode(
      JSON.stringify({ iss: issuerName, aud: audience, exp: 9_999_999_999, email: "sam@example.com" }),
    );
    const stranger = await createTokenIssuer();
    const bad: Record<string, string> = {
      expired: await sign({}, -60),
      "not yet": await sign({ nbf: Math.floor(Date.now() / 1000) + 60 }),
      audience: await sign({ aud: "elsewhere" }),
      issuer: await sign({ iss: "https://elsewhere.test" }),
      key: await stranger.sign({}),
      "no name": await sign({ email: undefined }),
      "a name with a line break": await sign({ email: "sam\n@example.com" }),
      "no expiry": await sign({ exp: undefined }),
      hs256,
      none,
      "none with a signature": `${none}${signature}`,
      forged: `${header}.${forged}.${signature}`,
      empty: "",
      rubbish: "password",
      long: "a".repeat(60_000),
    };
    const code = "28P01";
    for (const [what, password] of Object.entries(bad)) {
      const told = await failure(strict, "tls_tester", { ssl, password });
      expect(told, what).toMatchObject({
        code,
        message: 'password authentication failed for user "tls_tester"',
        detail: undefined,
        hint: undefined,
      });
    }
    expect(await failure(strict, "alice", { ssl, password: "wrong" })).toMatchObject({
      code,
      message: 'password authentication failed for user "alice"',
    });
    const record = (await strict.record()).filter((line) => line.event === "login failed");
    const reasons = record.slice(-Object.keys(bad).length - 1).map((line) => line["reason"]);
    expect(reasons.slice(0, 4)).toEqual([
      "the token has expired",
      "the claim nbf is not as required",
      "the claim aud is not as required",
      "the token is from another issuer",
    ]);
    for (const token of Object.values(bad).filter(({ length }) => length > 20))
      expect(JSON.stringify(record)).not.toContain(token);
  });
});

/** Sizes and contents of a whole exchange that fails. */
async function exchange(user: string) {
  const login = await connectSecured(strict.port);
  const sizes: unknown[] = [];
  const hear = async () => {
    const messages = await login.until("R");
    sizes.push(messages.map((bytes) => [String.fromCharCode(bytes[0]!), bytes.length]));
    return messages[0]!;
  };
  login.send(open.startup(startupOf(user)));
  await hear();
  login.send(answer.saslInitial("SCRAM-SHA-256", "n,,n=,r=nonce"));
  const [nonce, salt, iterations] = (await hear()).toString("latin1", 9).split(",");
  login.send(answer.sasl(`c=biws,${nonce},p=${Buffer.alloc(32).toString("base64")}`));
  const last = lines(await login.until("E"));
  return { sizes, salt, iterations, last };
}

describe("a name that nobody has", () => {
  test("gets the same messages of the same sizes as a name that somebody has", async () => {
    const [known, unknown] = [await exchange("alice"), await exchange("alicf")];
    expect(unknown.sizes).toEqual(known.sizes);
    expect(unknown.iterations).toBe(known.iterations);
    expect(unknown.last).toEqual(known.last.map((line) => line.replace("alice", "alicf")));
  });

  test("has the same salt every time, and another than other names", async () => {
    const [first, again, other] = [
      await exchange("ghost"),
      await exchange("ghost"),
      await exchange("spirit"),
    ];
    expect(again.salt).toBe(first.salt);
    expect(other.salt).not.toBe(first.salt);
  });
});

test("a statement is cancelled over TLS and in clear, for a client of either", async () => {
  for (const over of ["TLS", "direct TLS", "clear"]) {
    const client = await strict.connect("alice", { ssl });
    const running = client.query("select pg_sleep(30)");
    await sleep(100);
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    const key = Buffer.alloc(4);
    key.writeInt32BE(secretKey);
    const login =
      over === "TLS"
        ? await connectSecured(strict.port)
        : over === "clear"
          ? await connectPlain(strict.port)
          : await connectDirectly(strict.port, ["postgresql"]);
    login.send(open.cancel(processID, key));
    expect(await login.untilClosed()).toEqual([]);
    await expect(running).rejects.toMatchObject({ code: "57014" });
  }
});
