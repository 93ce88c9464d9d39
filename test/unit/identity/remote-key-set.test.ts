import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type KeyLocation, remoteKeySet } from "../../../src/identity/remote-key-set.ts";

const [one, two] = await Promise.all(["one", "two"].map(keyNamed));

async function keyNamed(kid: string) {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const token = await new SignJWT({}).setProtectedHeader({ alg: "ES256", kid }).sign(privateKey);
  return { jwk: { ...(await exportJWK(publicKey)), kid }, token };
}

const minute = 60_000;
const issuer = "https://id.example.com/realms/shop";
const byUrl: KeyLocation = { kind: "url", url: new URL("https://keys.example.com/jwks") };
const discovered: KeyLocation = { kind: "discovery", issuer };

/** An issuer's web server: what it answers can be changed, and what it was asked is counted. */
function server(answers: Record<string, () => Response | Promise<Response>>) {
  const asked: string[] = [];
  const state = { answers, asked };
  const fetch = async (url: string, options: RequestInit): Promise<Response> => {
    asked.push(url);
    expect(options.redirect).toBe("manual");
    const answer = state.answers[url];
    if (answer === undefined) throw new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } });
    return answer();
  };
  return Object.assign(state, { fetch });
}

const json = (value: unknown) => () => Response.json(value);
const keysAt = (...keys: object[]) => ({ "https://keys.example.com/jwks": json({ keys }) });

function open(location: KeyLocation, answers: Record<string, () => Response | Promise<Response>>) {
  const web = server(answers);
  const keys = remoteKeySet(location, { lastKeysFor: 60 * minute, fetch: web.fetch });
  const events: string[] = [];
  keys.observe((event) =>
    events.push(
      event.kind === "failed" ? `failed: ${event.reason}, last keys: ${event.lastKeys}` : event.kind,
    ),
  );
  const accepts = (token: string) =>
    jwtVerify(token, keys.find).then(
      () => true,
      () => false,
    );
  return { web, events, accepts };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());
const pass = (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds);

describe("keys at a URL", () => {
  test("are fetched once, however many tokens come at one time", async () => {
    const { web, accepts } = open(byUrl, keysAt(one!.jwk));
    expect(await Promise.all(Array.from({ length: 20 }, () => accepts(one!.token)))).not.toContain(false);
    expect(web.asked).toHaveLength(1);
  });

  test("are fetched again for a kid that is not known, at most every 30 s", async () => {
    const { web, accepts } = open(byUrl, keysAt(one!.jwk));
    expect(await accepts(one!.token)).toBe(true);
    web.answers = keysAt(two!.jwk);
    for (let round = 0; round < 10; round++) expect(await accepts(two!.token)).toBe(false);
    expect(web.asked).toHaveLength(1);
    pass(31_000);
    expect(await accepts(two!.token)).toBe(true);
    expect(await accepts(one!.token)).toBe(false);
    expect(web.asked).toHaveLength(2);
  });

  test("that were withdrawn are not believed for more than 10 minutes", async () => {
    const { web, accepts } = open(byUrl, keysAt(one!.jwk));
    expect(await accepts(one!.token)).toBe(true);
    web.answers = keysAt(two!.jwk);
    pass(9 * minute);
    expect(await accepts(one!.token)).toBe(true);
    pass(minute);
    expect(await accepts(one!.token)).toBe(false);
  });

  test("are believed while they cannot be fetched again, for as long as is configured, and no longer", async () => {
    const { web, events, accepts } = open(byUrl, keysAt(one!.jwk));
    expect(await accepts(one!.token)).toBe(true);
    web.answers = {};
    pass(11 * minute);
    for (let round = 0; round < 10; round++) expect(await accepts(one!.token)).toBe(true);
    expect(await accepts(two!.token)).toBe(false);
    // One fetch failed for all of them: a dead issuer is not asked, and waited for, at each log-in.
    expect(web.asked).toHaveLength(2);
    expect(events.slice(0, 3)).toEqual([
      "fetched",
      "failed: an error (ECONNREFUSED), last keys: true",
      "stale",
    ]);
    pass(48 * minute);
    expect(await accepts(one!.token)).toBe(true);
    pass(minute);
    expect(await accepts(one!.token)).toBe(false);
    expect(events.at(-1)).toBe("failed: an error (ECONNREFUSED), last keys: false");
    web.answers = keysAt(one!.jwk);
    pass(6000);
    expect(await accepts(one!.token)).toBe(true);
    expect(events.at(-1)).toBe("fetched");
  });

  test("are fetched anew after the clock was set back, or not believed", async () => {
    const { web, accepts } = open(byUrl, keysAt(one!.jwk));
    expect(await accepts(one!.token)).toBe(true);
    pass(-24 * 60 * minute);
    web.answers = {};
    expect(await accepts(one!.token)).toBe(false);
    web.answers = keysAt(two!.jwk);
    pass(6000);
    expect([await accepts(one!.token), await accepts(two!.token)]).toEqual([false, true]);
    expect(web.asked).toHaveLength(3);
  });

  test("that never came are asked for again after 5 s, and not at each log-in", async () => {
    const { web, accepts } = open(byUrl, {});
    for (let round = 0; round < 5; round++) expect(await accepts(one!.token)).toBe(false);
    expect(web.asked).toHaveLength(1);
    web.answers = keysAt(one!.jwk);
    expect(await accepts(one!.token)).toBe(false);
    pass(5000);
    expect(await accepts(one!.token)).toBe(true);
  });

  test.each<[string, () => Response | Promise<Response>, string]>([
    ["another status", () => new Response("{}", { status: 500 }), "status 500 instead of 200"],
    [
      "a redirect",
      () => new Response(null, { status: 302, headers: { location: "https://evil.example.com/jwks" } }),
      "status 302 instead of 200",
    ],
    ["no JSON", () => new Response("keys"), "a document that is not JSON"],
    [
      "bytes that are no UTF-8",
      () => new Response(Buffer.of(0x22, 0xff, 0x22)),
      "a document that is not JSON",
    ],
    ["another document", json([]), "a document without keys"],
    ["no key", json({ keys: [] }), "a document without keys"],
    ["a key that is none", json({ keys: [7] }), "an error (ERR_JWKS_INVALID)"],
    [
      "a document without end",
      () =>
        new Response(
          new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(32)) }),
        ),
      "a document of more than 1048576 bytes",
    ],
    ["silence", () => Promise.reject(new DOMException("x", "TimeoutError")), "no answer in time"],
  ])("are none where the answer is %s", async (_what, answer, reason) => {
    const { events, accepts } = open(byUrl, { "https://keys.example.com/jwks": answer });
    expect(await accepts(one!.token)).toBe(false);
    expect(events).toEqual([`failed: ${reason}, last keys: false`]);
  });
});

describe("keys by discovery", () => {
  const configuration = `${issuer}/.well-known/openid-configuration`;
  const document = { issuer, jwks_uri: "https://keys.example.com/jwks", more: true };

  test("are where the issuer's own configuration says", async () => {
    const { web, accepts } = open(discovered, { [configuration]: json(document), ...keysAt(one!.jwk) });
    expect(await accepts(one!.token)).toBe(true);
    expect(web.asked).toEqual([configuration, "https://keys.example.com/jwks"]);
  });

  test("a slash at the issuer's end is not doubled", async () => {
    const location: KeyLocation = { kind: "discovery", issuer: `${issuer}/` };
    const answers = { [configuration]: json({ ...document, issuer: `${issuer}/` }), ...keysAt(one!.jwk) };
    expect(await open(location, answers).accepts(one!.token)).toBe(true);
  });

  test.each([
    [
      "another issuer",
      { ...document, issuer: "https://evil.example.com" },
      "the configuration of another issuer",
    ],
    ["the issuer with a slash", { ...document, issuer: `${issuer}/` }, "the configuration of another issuer"],
    ["no issuer", { jwks_uri: document.jwks_uri }, "a configuration without issuer and jwks_uri"],
    ["no place of keys", { issuer }, "a configuration without issuer and jwks_uri"],
    [
      "plaintext",
      { issuer, jwks_uri: "http://keys.example.com/jwks" },
      "a jwks_uri that is a URL that is not https",
    ],
    [
      "this machine",
      { issuer, jwks_uri: "http://127.0.0.1:6480/" },
      "a jwks_uri that is a URL that is not https",
    ],
    ["a file", { issuer, jwks_uri: "file:///etc/keys" }, "a jwks_uri that is a URL that is not https"],
    [
      "a password",
      { issuer, jwks_uri: "https://a:b@keys.example.com/" },
      "a jwks_uri that is a URL with a user or password",
    ],
    ["no object", null, "a configuration without issuer and jwks_uri"],
  ])("are none where the configuration names %s", async (_what, said, reason) => {
    const { web, events, accepts } = open(discovered, { [configuration]: json(said), ...keysAt(one!.jwk) });
    expect(await accepts(one!.token)).toBe(false);
    expect(events).toEqual([`failed: ${reason}, last keys: false`]);
    expect(web.asked).toEqual([configuration]);
  });
});
