import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { createLogger } from "../../src/log.ts";
import { startProxy, type Proxy } from "../../src/proxy.ts";
import { makeVerifier } from "../../src/scram/verifier.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { answer, beginScram, connectPlain, lines, open } from "./raw-login.ts";
import { userPassword, writeProxyFiles } from "./running-proxy.ts";
import { createTokenIssuer, type TokenIssuer } from "./token-issuer.ts";

// Nobody who has not proved who they are learns from rolegate which names exist.

let database: TestDatabase;
let issuer: TokenIssuer;
let directory: string;
let proxy: Proxy;

async function start(): Promise<Proxy> {
  const loaded = loadConfig(join(directory, "rolegate.yaml"), {});
  if (loaded.kind === "refused") throw new Error(JSON.stringify(loaded.problems));
  return startProxy(loaded.config, { log: createLogger("silent") });
}

const verifierOf = async (salt: string) => makeVerifier(userPassword, { salt: Buffer.from(salt) });

beforeAll(async () => {
  database = await createTestDatabase({});
  issuer = await createTokenIssuer();
  directory = await writeProxyFiles({
    database,
    roles: { names_role: { file: { tables: { "public.*": { select: "all" } } } } },
    users: {},
    more: {
      identities: [
        {
          type: "password",
          users: {
            alice: { verifier: await verifierOf("16-bytes-of-salt") },
            ended: { verifier: await verifierOf("16-bytes-of-2alt"), validUntil: "2020-01-01T00:00:00Z" },
            "eve@example.com": { verifier: await verifierOf("16-bytes-of-3alt") },
          },
        },
        issuer.entry({ allowPlaintextOnLoopback: true }),
      ],
      authentication: [
        { user: ["r-*"], method: "reject" },
        { user: ["*@example.com"], method: "jwt" },
        { user: ["alice", "never", "ended", "other*"], method: "password" },
      ],
      limits: { failedLogins: { perUser: 3, perNetwork: 1000, maxDelay: "1ms" } },
    },
  });
  proxy = await start();
});
afterAll(async () => {
  await proxy?.close(0);
  await database?.close();
  rmSync(directory, { recursive: true });
});

const startupOf = (user: string) =>
  [
    ["user", user],
    ["database", database.name],
  ] as const;

const challengeOf = (bytes: Buffer) =>
  Object.fromEntries(
    bytes
      .toString("latin1", 9)
      .split(",")
      .map((part) => [part[0]!, part.slice(2)]),
  );

/** Every byte that a client with this name and a wrong password gets, without the salt, the nonce and the name. */
async function withWrongPassword(user: string): Promise<string> {
  const login = await connectPlain(proxy.port);
  login.send(open.startup(startupOf(user)));
  const offer = await login.until("R");
  login.send(answer.saslInitial("SCRAM-SHA-256", "n,,n=,r=client-nonce"));
  const [challenge] = await login.until("R");
  if (challenge === undefined || challenge[0] !== 0x52) return lines([...offer, challenge!]).join();
  const { r: nonce = "", s: salt = "", i: iterations } = challengeOf(challenge);
  login.send(answer.sasl(`c=biws,r=${nonce},p=${Buffer.alloc(32, 7).toString("base64")}`));
  const rest = await login.until("nothing");
  return Buffer.concat([...offer, challenge, ...rest])
    .toString("latin1")
    .replaceAll(nonce, "N".repeat(nonce.length))
    .replaceAll(salt, "S".repeat(salt.length))
    .replaceAll(user, "U".repeat(user.length))
    .concat(String(iterations));
}

/** What a name and a token, or the name alone, are told. */
const toldOf = async (user: string, secret?: string): Promise<string> => {
  const login = await connectPlain(proxy.port);
  login.send(open.startup(startupOf(user)));
  const asked = secret === undefined ? [] : await login.until("R");
  if (secret !== undefined) login.send(answer.password(secret));
  return Buffer.concat([...asked, ...(await login.until("nothing"))])
    .toString("latin1")
    .replaceAll(user, "U".repeat(user.length));
};

const saltOf = async (user: string): Promise<string> => {
  const login = await connectPlain(proxy.port);
  login.send(open.startup(startupOf(user)));
  await login.until("R");
  login.send(answer.saslInitial("SCRAM-SHA-256", "n,,n=,r=client-nonce"));
  const [challenge] = await login.until("R");
  login.socket.destroy();
  return challengeOf(challenge!)["s"]!;
};

describe("a name that exists and one that does not get the same bytes", () => {
  test("with a wrong password, over and over, until both are locked", async () => {
    for (let n = 0; n < 3; n++) {
      const known = await withWrongPassword("alice");
      expect(known).toContain("28P01");
      expect(await withWrongPassword("never")).toBe(known);
      expect(await withWrongPassword("ended")).toBe(known);
    }
    for (const user of ["alice", "never", "ended"]) {
      const login = await connectPlain(proxy.port);
      login.send(open.startup(startupOf(user)));
      const said = (await login.untilClosed()).join().replace(/in \d+ (s|min)/, "later");
      expect(said).toMatch(/C="28000" M="too many failed logins from this network" H="Try again later\."/);
    }
  });

  test("with a wrong token, and where a rule rejects", async () => {
    const forged = `${(await issuer.sign({})).slice(0, -6)}AAAAAA`;
    // One is a password user's, who is asked for a token here.
    expect(await toldOf("eve@example.com", forged)).toBe(await toldOf("dan@example.com", forged));
    expect(await toldOf("r-alice")).toBe(await toldOf("r-never"));
  });
});

describe("the salt of a name", () => {
  test("stays when the proxy is started anew, and when the users change, whether it exists or not", async () => {
    const salts = async () => ({ one: await saltOf("other1"), two: await saltOf("other2") });
    const before = await salts();
    expect(before.one).not.toBe(before.two);
    expect(Buffer.from(before.one, "base64")).toHaveLength(16);
    await proxy.close(0);
    proxy = await start();
    expect(await salts()).toEqual(before);

    const file = join(directory, "rolegate.yaml");
    const config = parse(readFileSync(file, "utf8")) as { identities: [{ users: Record<string, object> }] };
    config.identities[0].users["other3"] = { verifier: await verifierOf("another16bytes!!") };
    config.identities[0].users["alice"] = { verifier: await verifierOf("yet-another-16-b") };
    writeFileSync(file, stringify(config, { aliasDuplicateObjects: false }));
    await proxy.close(0);
    proxy = await start();
    expect(await salts()).toEqual(before);
    expect(await saltOf("other3")).toBe(Buffer.from("another16bytes!!").toString("base64"));
  });

  test("of one that does not exist proves nothing to who knows its password elsewhere", async () => {
    const login = await connectPlain(proxy.port);
    login.send(await beginScram(login, startupOf("other1"), userPassword));
    expect((await login.untilClosed()).at(-1)).toContain('C="28P01"');
  });
});
