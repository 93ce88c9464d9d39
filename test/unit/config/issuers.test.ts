import { writeFileSync } from "node:fs";
import path from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterEach, describe, expect, test, vi } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { verifyToken } from "../../../src/identity/verify-token.ts";
import { changed, goodEnv, load, operatorFiles, problemsOf } from "./operator-files.ts";

const jwks = "    jwks: https://id.example.com/jwks.json\n";

async function keyNamed(kid: string) {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const token = await new SignJWT({ email: "sam@example.com" })
    .setProtectedHeader({ alg: "ES256", kid })
    .setIssuer("https://id.example.com")
    .setAudience("rolegate")
    .setExpirationTime("1d")
    .sign(privateKey);
  return { set: JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid }] }), token };
}

afterEach(() => void vi.useRealTimers());

test("a file of keys is read again when it changes, and stays in force where it cannot be used", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const [one, two] = await Promise.all([keyNamed("one"), keyNamed("two")]);
  using operator = operatorFiles({ ...changed(jwks, "    jwks: jwks.json\n"), "jwks.json": one.set });
  const loaded = loadConfig(path.join(operator.directory, "rolegate.yaml"), goodEnv);
  if (loaded.kind === "refused") throw new Error(JSON.stringify(loaded.problems));
  const { jwt } = loaded.config.identities;
  const events: object[] = [];
  jwt[0]!.keys.observe((event) => events.push(event));
  const accepted = async (key: { token: string }) =>
    (await verifyToken(key.token, jwt, { now: Date.now(), method: "jwt" })).kind === "identity";
  const write = (text: string) => {
    writeFileSync(path.join(operator.directory, "jwks.json"), text);
    vi.setSystemTime(Date.now() + 1000);
  };

  expect([await accepted(one), await accepted(two)]).toEqual([true, false]);
  write(two.set);
  expect([await accepted(one), await accepted(two)]).toEqual([false, true]);
  for (const broken of ["{", "{", '{"keys":[{"kty":"oct","k":"aHVudGVyMg"}]}']) {
    write(broken);
    expect(await accepted(two)).toBe(true);
  }
  write(two.set);
  await accepted(two);
  // Twice the same fault is told of once.
  expect(events).toEqual([
    { kind: "fetched" },
    { kind: "failed", reason: "text that is not JSON", lastKeys: true },
    { kind: "failed", reason: "a shared secret (kty oct) (keys[0])", lastKeys: true },
    { kind: "fetched" },
  ]);
});

test("clients and classes are taken as they stand", () => {
  const more = "    authorizedParties: [rolegate-cli]\n    mfaAcr: [gold]\n";
  const loaded = load(changed(jwks, jwks + more));
  if (loaded.kind === "refused") throw new Error(JSON.stringify(loaded.problems));
  expect(loaded.config.identities.jwt[0]).toMatchObject({
    authorizedParties: new Set(["rolegate-cli"]),
    mfaAcr: new Set(["gold"]),
  });
  // An empty list would be one that lets nobody, or everybody, in.
  const empty = "    authorizedParties: []\n    mfaAcr: []\n";
  expect(problemsOf(load(changed(jwks, jwks + empty)))).toEqual([
    "rolegate.yaml:19 identities[0].authorizedParties: wrong value",
    "rolegate.yaml:20 identities[0].mfaAcr: wrong value",
  ]);
});

describe("what a jwt entry says of its keys", () => {
  test.each([
    ["nothing: they are discovered", jwks, "", []],
    [
      "nothing, and the issuer is no URL",
      `    issuer: https://id.example.com\n    audience: rolegate\n${jwks}`,
      "    issuer: accounts.example.com\n    audience: rolegate\n",
      ["rolegate.yaml:15 identities[0].jwks: missing"],
    ],
    [
      "nothing, and the issuer is fetched in plaintext",
      `    issuer: https://id.example.com\n    audience: rolegate\n${jwks}`,
      "    issuer: http://id.example.com\n    audience: rolegate\n",
      ["rolegate.yaml:15 identities[0].jwks: missing"],
    ],
    [
      "nothing, and the issuer is on this machine",
      `    issuer: https://id.example.com\n    audience: rolegate\n${jwks}`,
      "    issuer: http://127.0.0.1:8080/realms/shop\n    audience: rolegate\n",
      [],
    ],
    ["how long the last ones are believed", jwks, `${jwks}    lastKeysFor: 24h\n`, []],
    [
      "that for too short",
      jwks,
      `${jwks}    lastKeysFor: 5min\n`,
      ["rolegate.yaml:19 identities[0].lastKeysFor: wrong value"],
    ],
    [
      "that for too long",
      jwks,
      `${jwks}    lastKeysFor: 25h\n`,
      ["rolegate.yaml:19 identities[0].lastKeysFor: wrong value"],
    ],
    [
      "that of keys that are not fetched",
      jwks,
      `    jwks: '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'\n    lastKeysFor: 1h\n`,
      ["rolegate.yaml:19 identities[0].lastKeysFor: has no effect"],
    ],
  ])("%s", (_what, piece, replacement, problems) => {
    expect(problemsOf(load(changed(piece, replacement)))).toEqual(problems);
  });
});
