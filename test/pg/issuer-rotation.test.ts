import { decodeJwt } from "jose";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { SignIn, Tokens } from "../../src/client/context.ts";
import { signInByDevice } from "../../src/client/provider.ts";
import { createTestDatabase, type TestDatabase } from "./embedded-database.ts";
import { audience, client, otherClient, resource, startOidcIssuer, type OidcIssuer } from "./oidc-issuer.ts";
import { startTestProxy, type RunningProxy } from "./running-proxy.ts";

// A real provider, whose keys the proxy finds by discovery: they rotate, and it goes away and comes back.

const minute = 60_000;
const hours = 3;

let database: TestDatabase;
let issuer: OidcIssuer;
let proxy: RunningProxy;
let elsewhere: RunningProxy;
let tokens: Tokens;
let otherTokens: Tokens;

const signIn = (clientId: string): SignIn => ({
  issuer: issuer.issuer,
  clientId,
  scope: "openid email",
  parameters: { resource },
  token: "access",
});

beforeAll(async () => {
  database = await createTestDatabase({ sql: "create table t (id int)" });
  issuer = await startOidcIssuer(hours * 3600);
  proxy = await start(audience);
  elsewhere = await start("billing");
  [tokens, otherTokens] = await Promise.all([signedIn(client), signedIn(otherClient)]);
});
afterAll(async () => {
  await proxy?.close();
  await elsewhere?.close();
  await issuer?.stop();
  await database?.close();
});
afterEach(() => void vi.useRealTimers());

/** Takes five seconds: the provider does not like to be asked more often. */
const signedIn = (clientId: string) =>
  signInByDevice(signIn(clientId), ({ complete }) => void issuer.visit(complete!, "sam"));

function start(forAudience: string): Promise<RunningProxy> {
  return startTestProxy({
    database,
    roles: { rotation_tester: { file: { tables: { t: { select: "all" } } } } },
    users: {},
    access: [{ role: "rotation_tester", database: database.name, when: '"analysts" in identity.groups' }],
    more: {
      admin: { address: "127.0.0.1:0" },
      identities: [
        {
          type: "jwt",
          issuer: issuer.issuer,
          audience: forAudience,
          authorizedParties: [client],
          name: "email",
          attributes: { groups: "groups" },
          clockTolerance: "1s",
          allowPlaintextOnLoopback: true,
        },
      ],
    },
  });
}

/** Who logs in with it, or the error's SQLSTATE. */
async function loggedIn(token: string, through = proxy): Promise<string> {
  const session = new Client(through.client("sam@example.com", { password: token }));
  session.on("error", () => {});
  try {
    await session.connect();
    const { rows } = await session.query<Record<string, string>>("show rolegate.identity");
    await session.end();
    return rows[0]!["rolegate.identity"]!;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

async function reasonOf(through: RunningProxy): Promise<unknown> {
  return (await through.record()).findLast((line) => line["reason"] !== undefined)?.["reason"];
}

async function counted(): Promise<Record<string, number>> {
  const response = await fetch(`http://127.0.0.1:${proxy.proxy.adminPort}/metrics`);
  const found = (await response.text()).matchAll(/rolegate_key_sets_total\{.*result="(\w+)"\} (\d+)/g);
  return Object.fromEntries([...found].map(([, result, count]) => [result!, Number(count)]));
}

describe("tokens of a provider", () => {
  test("log in, with its keys found by discovery", async () => {
    expect(decodeJwt(tokens.access)).toMatchObject({ iss: issuer.issuer, aud: audience, client_id: client });
    expect(await loggedIn(tokens.access)).toBe("sam@example.com");
    expect(await counted()).toEqual({ fetched: 1, failed: 0, stale: 0 });
  });

  test("for another audience, or for another client, do not", async () => {
    expect(await loggedIn(tokens.access, elsewhere)).toBe("28P01");
    expect(await reasonOf(elsewhere)).toBe("the claim aud is not as required");
    expect(await loggedIn(otherTokens.access)).toBe("28P01");
    expect(await reasonOf(proxy)).toBe("the token was issued to another client, or does not say to which");
    // The ID token is for the client, not for us.
    expect(await loggedIn(tokens.id!)).toBe("28P01");
    expect(await reasonOf(proxy)).toBe("the claim aud is not as required");
  });

  test("that have expired do not", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + hours * 60 * minute + 2000 });
    expect(await loggedIn(tokens.access)).toBe("28P01");
    expect(await reasonOf(proxy)).toBe("the token has expired");
  });
});

// In this order: each begins where the one before it has left the keys.
describe("the keys of a provider", () => {
  let rotated: Tokens;

  test("are fetched again when a token names another, once in 30 s", async () => {
    await issuer.start("two");
    rotated = await signedIn(client);
    const { fetched } = await counted();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 31_000 });
    expect(await loggedIn(rotated.access)).toBe("sam@example.com");
    expect((await counted())["fetched"]).toBe(fetched! + 1);
    // The key that is no longer in the set signs nobody in; and asking again and again fetches nothing.
    for (let round = 0; round < 5; round++) expect(await loggedIn(tokens.access)).toBe("28P01");
    expect(await reasonOf(proxy)).toBe("the issuer has no such key");
    expect((await counted())["fetched"]).toBe(fetched! + 1);
  });

  test("are believed for an hour while it is away, and not after that", async () => {
    const began = Date.now() + 31_000;
    await issuer.stop();
    vi.useFakeTimers({ toFake: ["Date"], now: began + 11 * minute });
    expect(await loggedIn(rotated.access)).toBe("sam@example.com");
    expect(await counted()).toMatchObject({ stale: 1 });
    vi.setSystemTime(began + 59 * minute);
    expect(await loggedIn(rotated.access)).toBe("sam@example.com");
    vi.setSystemTime(began + 61 * minute);
    expect(await loggedIn(rotated.access)).toBe("28P01");
    expect(await reasonOf(proxy)).toBe("the issuer's key set cannot be had or used");
  });

  test("are fetched when it is back", async () => {
    await issuer.start("two");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 70 * minute });
    expect(await loggedIn(rotated.access)).toBe("sam@example.com");
  });
});
