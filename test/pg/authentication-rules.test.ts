import { Socket } from "node:net";
import { Client, type ClientConfig } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeVerifier } from "../../src/scram/verifier.ts";
import { ecdsaSha256 } from "../unit/net/certificates.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { connectPlain, lines, open } from "./raw-login.ts";
import { startTestProxy, userPassword, type RunningProxy } from "./running-proxy.ts";
import { createTokenIssuer, type TokenIssuer } from "./token-issuer.ts";

let database: TestDatabase;
let other: TestDatabase;
let issuer: TokenIssuer;
let proxy: RunningProxy;

const upstream = ({ host, port, name }: TestDatabase) => `postgres://${host}:${port}/${name}?sslmode=disable`;

beforeAll(async () => {
  [database, other] = await Promise.all([createTestDatabase({}), createTestDatabase({})]);
  issuer = await createTokenIssuer();
  const verifier = await makeVerifier(userPassword, { salt: Buffer.from("16-bytes-of-salt") });
  const login = { user: "rolegate_{role}", password: { file: "login" } };
  await other.addRole("hba_other");
  proxy = await startTestProxy({
    database,
    roles: {
      hba_role: { file: { tables: { "public.*": { select: "all" } } } },
      hba_other: {
        file: `role: hba_other\ndatabase: ${other.name}\ntables: { "public.*": { select: all } }\n`,
      },
    },
    users: {},
    access: [
      { role: "hba_role", database: database.name, when: "true" },
      { role: "hba_other", database: other.name, when: "true" },
    ],
    more: {
      listen: {
        address: "127.0.0.1:0",
        tls: { certificate: ecdsaSha256.certificate, key: ecdsaSha256.key, mode: "optional" },
      },
      databases: {
        [database.name]: { upstream: upstream(database), login },
        [other.name]: { upstream: upstream(other), login },
      },
      identities: [
        { type: "password", users: { alice: { verifier }, "svc-report": { verifier }, eve: { verifier } } },
        issuer.entry({ allowPlaintextOnLoopback: true }),
      ],
      authentication: [
        { user: "eve", method: "reject" },
        { address: ["127.0.0.7"], method: "reject" },
        { user: ["svc-*"], address: ["127.0.0.8/31"], method: "password" },
        { user: ["svc-*"], method: "reject" },
        { address: ["127.0.0.16/28"], tls: true, method: "jwt" },
        { address: ["127.0.0.16/28"], method: "reject" },
        { database: [database.name], method: "password" },
      ],
    },
  });
});
afterAll(async () => {
  await proxy?.close();
  await Promise.all([database?.close(), other?.close()]);
});

const from = (localAddress: string): ClientConfig => ({
  stream: () => {
    const socket = new Socket();
    const connect = socket.connect.bind(socket);
    socket.connect = ((port: number, host: string) =>
      connect({ port, host, localAddress })) as typeof connect;
    return socket;
  },
});

/** Whose the session is and in which role, or the SQLSTATE and the message with which it was refused. */
async function outcome(user: string, more: ClientConfig = {}): Promise<string> {
  const client = new Client(proxy.client(user, more));
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code} ${message}`;
  }
  const { rows } = await client.query("show rolegate.identity");
  await client.end();
  return String(rows[0]["rolegate.identity"]);
}

const rejected = (user: string, address: string, how = "no encryption") =>
  `28000 authentication rules reject host "${address}", user "${user}", database "${database.name}", ${how}`;
const none = (name: string) =>
  `28000 no authentication rule for host "127.0.0.1", user "alice", database "${name}", no encryption`;
const ssl = { ca: ecdsaSha256.certificate, checkServerIdentity: () => undefined };

describe("rules of authentication", () => {
  test("the first that fits decides: a name that is rejected is so from everywhere, with whatever it has", async () => {
    expect(await outcome("alice")).toBe("alice");
    expect(await outcome("eve")).toBe(rejected("eve", "127.0.0.1"));
    expect(await outcome("eve", { ssl })).toBe(rejected("eve", "127.0.0.1", "TLS"));
    expect(await outcome("eve", from("127.0.0.17"))).toBe(rejected("eve", "127.0.0.17"));
  });

  test("by address and network", async () => {
    expect(await outcome("alice", from("127.0.0.6"))).toBe("alice");
    expect(await outcome("alice", from("127.0.0.7"))).toBe(rejected("alice", "127.0.0.7"));
    expect(await outcome("alice", from("127.0.0.15"))).toBe("alice");
    expect(await outcome("alice", from("127.0.0.16"))).toBe(rejected("alice", "127.0.0.16"));
    expect(await outcome("alice", from("127.0.0.31"))).toBe(rejected("alice", "127.0.0.31"));
    expect(await outcome("alice", from("127.0.0.32"))).toBe("alice");
  });

  test("by a pattern of names and an address together", async () => {
    expect(await outcome("svc-report", from("127.0.0.9"))).toBe("svc-report");
    expect(await outcome("svc-report", from("127.0.0.10"))).toBe(rejected("svc-report", "127.0.0.10"));
    // Whether there is such a name makes no difference.
    expect(await outcome("svc-nothing", from("127.0.0.10"))).toBe(rejected("svc-nothing", "127.0.0.10"));
  });

  test("by TLS, which the method depends on", async () => {
    const token = { password: await issuer.sign({}) };
    expect(await outcome("sam@example.com", { ...token, ssl, ...from("127.0.0.17") })).toBe(
      "sam@example.com",
    );
    expect(await outcome("sam@example.com", { ...token, ...from("127.0.0.17") })).toBe(
      rejected("sam@example.com", "127.0.0.17"),
    );
    // Elsewhere the name is asked for a password, which a token is not.
    expect(await outcome("sam@example.com", { ...token, ssl })).toMatch(/^28P01 /);
    // And where a token is asked for, a password is none.
    expect(await outcome("alice", { ssl, ...from("127.0.0.17") })).toMatch(/^28P01 /);
  });

  test("by database: where none fits nobody comes in", async () => {
    expect(await outcome("alice", { database: other.name })).toBe(none(other.name));
    expect(await outcome("alice", { database: "nothing" })).toBe(none("nothing"));
  });

  test("a rejection comes in place of the first request for a secret", async () => {
    const login = await connectPlain(proxy.port);
    login.send(
      open.startup([
        ["user", "eve"],
        ["database", database.name],
      ]),
    );
    const said = lines(await login.until("nothing"));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('C="28000"');
  });

  test("what was rejected is on record with the rule, or that there is none", async () => {
    await outcome("eve", from("127.0.0.3"));
    await outcome("alice", { database: "nothing" });
    const failures = (await proxy.record()).filter((line) => line.event === "login failed");
    const ofEve = failures.find((line) => String(line["client"]).startsWith("127.0.0.3:"));
    expect(ofEve).toMatchObject({ user: "eve", database: database.name, sqlstate: "28000" });
    expect(ofEve?.["reason"]).toMatch(/^rejected by rolegate\.yaml:\d+$/);
    expect(failures.findLast((line) => line["database"] === "nothing")).toMatchObject({
      user: "alice",
      reason: "no rule of authentication fits",
    });
  });
});
