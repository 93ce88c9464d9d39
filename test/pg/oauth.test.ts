import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ecdsaSha256 } from "../unit/net/certificates.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { answer, connectPlain, connectSecured, lines, open, type RawLogin } from "./raw-login.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";
import { createTokenIssuer, issuerName, type TokenIssuer } from "./token-issuer.ts";

// OAUTHBEARER message by message, as no library would send it.

let database: TestDatabase;
let issuer: TokenIssuer;
let proxy: RunningProxy;
let loopback: RunningProxy;

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int)" });
  issuer = await createTokenIssuer();
  proxy = await start(issuer.entry({ scope: "openid email" }));
  loopback = await start(issuer.entry({ allowPlaintextOnLoopback: true }));
});
afterAll(async () => {
  await proxy?.close();
  await loopback?.close();
  await database?.close();
});

function start(entry: object): Promise<RunningProxy> {
  const other = { ...entry, issuer: "https://other.test", scope: undefined };
  const { certificate, key } = ecdsaSha256;
  return startTestProxy({
    database,
    roles: { oauth_tester: { file: { tables: { t: { select: "all" } } } } },
    users: {},
    access: [{ role: "oauth_tester", database: database.name, when: 'identity.method == "oauth"' }],
    more: {
      listen: { address: "127.0.0.1:0", tls: { certificate, key, mode: "optional" } },
      identities: [other, entry],
      authentication: [
        { user: "only_other", method: "jwt", issuer: "https://other.test" },
        { method: "oauth", issuer: issuerName },
      ],
    },
  });
}

const startup = (user: string) =>
  open.startup([
    ["user", user],
    ["database", database.name],
  ]);
const bearer = (token: string) => `n,,\x01auth=Bearer ${token}\x01\x01`;
const say = (response: string | undefined) => answer.saslInitial("OAUTHBEARER", response);

/** Up to the offer of mechanisms. */
async function begin(user = "sam@example.com"): Promise<RawLogin> {
  const login = await connectSecured(proxy.port);
  login.send(startup(user));
  const [offer] = await login.until("R");
  expect(offer!.toString("latin1", 9)).toBe("OAUTHBEARER\0\0");
  return login;
}

/** The challenge of a failure, as text; then what follows its acknowledgement. */
async function refused(login: RawLogin, acknowledgement = "\x01") {
  const [challenge] = await login.until("R");
  expect(challenge!.readInt32BE(5)).toBe(11);
  login.send(answer.sasl(acknowledgement));
  return { challenge: challenge!.toString("utf8", 9), end: await login.untilClosed() };
}

const discovery = {
  status: "invalid_token",
  "openid-configuration": `${issuerName}/.well-known/openid-configuration`,
  scope: "openid email",
};
const failure = String.raw`ErrorResponse S="FATAL" V="FATAL" C="28000" M="OAuth bearer authentication failed for user \"sam@example.com\""`;

describe("OAUTHBEARER", () => {
  test("takes a token, and says nothing between it and AuthenticationOk", async () => {
    const login = await begin();
    login.send(say(bearer(await issuer.sign({}))));
    const answers = lines(await login.until("Z"));
    expect(answers[0]).toBe("Authentication 0 0 bytes");
    expect(answers.at(-1)).toBe("ReadyForQuery I");
    login.socket.destroy();
    const begun = (await proxy.record()).filter((line) => line.event === "session begin" || line["identity"]);
    expect(JSON.stringify(begun)).toContain("sam@example.com");
  });

  test("takes it as an answer to an empty challenge too", async () => {
    const login = await begin();
    login.send(say(undefined));
    const [challenge] = await login.until("R");
    expect(challenge!.toString("hex")).toBe("52000000080000000b");
    login.send(answer.sasl(bearer(await issuer.sign({}))));
    expect(lines(await login.until("Z"))[0]).toBe("Authentication 0 0 bytes");
    login.socket.destroy();
  });

  test("takes a token of 60 kB", async () => {
    const login = await begin();
    login.send(say(bearer(await issuer.sign({ padding: "x".repeat(45_000) }))));
    expect(lines(await login.until("Z"))[0]).toBe("Authentication 0 0 bytes");
    login.socket.destroy();
  });

  test("tells who brings none where tokens come from, waits for the acknowledgement, and fails", async () => {
    const login = await begin();
    login.send(say("n,,\x01auth=\x01\x01"));
    const { challenge, end } = await refused(login);
    expect(JSON.parse(challenge)).toEqual(discovery);
    expect(end).toEqual([failure]);
    expect((await proxy.record()).at(-1)).toMatchObject({ reason: "asked where tokens come from" });
  });

  test.each<[string, () => Promise<string>, string]>([
    [
      "another audience",
      async () => bearer(await issuer.sign({ aud: "billing" })),
      "the claim aud is not as required",
    ],
    ["an expired token", async () => bearer(await issuer.sign({}, -60)), "the token has expired"],
    [
      "a token of another issuer of the file",
      async () => bearer(await issuer.sign({ iss: "https://other.test" })),
      "the token is from another issuer",
    ],
    [
      "a token that is bound to a certificate",
      async () => bearer(await issuer.sign({ cnf: { "x5t#S256": "x" } })),
      "the token is bound to a client certificate, and the client showed none",
    ],
    ["no JWT", async () => bearer("hunter2"), "not a JWT"],
    ["another scheme", async () => `n,,\x01auth=Basic ${btoa("sam:hunter2")}\x01\x01`, "no bearer token"],
    [
      "two tokens in one",
      async () => `n,,\x01auth=Bearer ${await issuer.sign({})} x\x01\x01`,
      "no bearer token",
    ],
  ])("answers %s as it answers none", async (_what, message, reason) => {
    const login = await begin();
    login.send(say(await message()));
    const { challenge, end } = await refused(login);
    expect(JSON.parse(challenge)).toEqual(discovery);
    expect(end).toEqual([failure]);
    expect(end.join()).not.toContain("hunter2");
    expect((await proxy.record()).at(-1)).toMatchObject({ reason });
  });

  test.each<[string, string]>([
    ["nothing", ""],
    ["a second token", "n,,\x01auth=Bearer x\x01\x01"],
    ["two separators", "\x01\x01"],
    ["a separator and a NUL", "\x01\0"],
  ])("a failure that is acknowledged with %s ends as a violation", async (_what, acknowledgement) => {
    const login = await begin();
    login.send(say(bearer("x")));
    const { end } = await refused(login, acknowledgement);
    expect(end).toEqual([expect.stringMatching(/FATAL.*08P01.*malformed OAUTHBEARER message/)]);
  });

  test("no good token helps behind a failure", async () => {
    const login = await begin();
    login.send(say(bearer("x")), answer.sasl(bearer(await issuer.sign({}))));
    const end = await login.untilClosed();
    expect(end.join("\n")).not.toContain("AuthenticationOk");
    expect(end.at(-1)).toMatch(/08P01/);
  });

  test.each<[string, Buffer, RegExp]>([
    [
      "a channel binding",
      say(`p=tls-server-end-point,,\x01auth=Bearer x\x01\x01`),
      /08P01.*does not support channel binding/,
    ],
    ["somebody else's name", say(`n,a=postgres,\x01auth=Bearer x\x01\x01`), /0A000.*authorization identity/],
    [
      "another mechanism",
      answer.saslInitial("SCRAM-SHA-256", "n,,n=,r=x"),
      /08P01.*invalid SASL authentication mechanism/,
    ],
    ["the mechanism in lower case", answer.saslInitial("oauthbearer", bearer("x")), /08P01.*invalid SASL/],
    ["a message that does not end", say("n,,\x01auth=Bearer x\x01"), /08P01.*malformed OAUTHBEARER/],
    ["two values of auth", say("n,,\x01auth=\x01auth=Bearer x\x01\x01"), /08P01.*multiple auth/],
    ["a NUL", say(`${bearer("x")}\0`), /08P01.*malformed OAUTHBEARER/],
    ["an empty message", say(""), /08P01.*message is empty/],
    ["the token as a password", answer.password("x"), /08P01/],
    ["a message of more than 65,535 bytes", say(bearer("x".repeat(65_535))), /08P01/],
    ["another startup packet", open.startup([["user", "root"]]), /08P01/],
  ])("refuses %s as a violation, without a challenge", async (_what, message, error) => {
    const login = await begin();
    login.send(message);
    expect(await login.untilClosed()).toEqual([expect.stringMatching(error)]);
  });

  test("is not offered without TLS, unless that is allowed for this machine", async () => {
    const plain = await connectPlain(proxy.port);
    plain.send(startup("sam@example.com"));
    expect(await plain.untilClosed()).toEqual([expect.stringMatching(/28000.*only over TLS/)]);
    const allowed = await connectPlain(loopback.port);
    allowed.send(startup("sam@example.com"));
    await allowed.until("R");
    allowed.send(say(bearer(await issuer.sign({}))));
    expect(lines(await allowed.until("Z"))[0]).toBe("Authentication 0 0 bytes");
    allowed.socket.destroy();
  });

  test("and tokens as passwords are taken from the issuer that a rule names, and from no other", async () => {
    const answered = async (iss: string) => {
      const login = await connectSecured(proxy.port);
      login.send(startup("only_other"));
      await login.until("R");
      login.send(answer.password(await issuer.sign({ iss })));
      return (await login.untilClosed()).at(-1);
    };
    expect(await answered(issuerName)).toMatch(/28P01/);
    expect((await proxy.record()).at(-1)).toMatchObject({ reason: "the token is from another issuer" });
    // It is believed: what is refused is the role.
    expect(await answered("https://other.test")).toMatch(/28000/);
  });

  test("proves a name, and that name alone or its roles may be asked for", async () => {
    const login = await begin("root");
    login.send(say(bearer(await issuer.sign({}))));
    const end = await login.untilClosed();
    expect(end.at(-1)).toMatch(/FATAL.*28000/);
    const role = await begin("oauth_tester");
    role.send(say(bearer(await issuer.sign({}))));
    expect(lines(await role.until("Z")).at(-1)).toBe("ReadyForQuery I");
    role.socket.destroy();
  });
});
