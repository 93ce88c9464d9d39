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

describe("a rule with method oauth", () => {
  const last = "log: { level: warn }\n";
  const second = "  - type: password\n";
  const other = `  - { type: jwt, issuer: "https://two.example.com", audience: a }\n${second}`;
  const rules = (files: Record<string, string>, text: string) => ({
    ...files,
    "rolegate.yaml": files["rolegate.yaml"]!.replace(last, `${last}authentication: ${text}\n`),
  });
  const one = changed(jwks, jwks);
  const two = changed(second, other);

  test("sends clients to the one issuer that there is, or to the one that it names", () => {
    const loaded = load(rules(one, "[{ method: oauth }]"));
    if (loaded.kind === "refused") throw new Error(JSON.stringify(loaded.problems));
    expect(loaded.config.identities.rules).toMatchObject([
      { method: "oauth", issuer: "https://id.example.com" },
    ]);
    const named = load(rules(two, '[{ method: oauth, issuer: "https://two.example.com" }]'));
    if (named.kind === "refused") throw new Error(JSON.stringify(named.problems));
    expect(named.config.identities.rules).toMatchObject([
      { method: "oauth", issuer: "https://two.example.com" },
    ]);
  });

  test.each([
    ["names none of several", two, "[{ method: oauth }]", ["authentication[0].issuer: missing"]],
    [
      "names one that is not there",
      one,
      '[{ method: oauth, issuer: "https://id.example.org" }]',
      ["authentication[0].issuer: unknown issuer"],
    ],
    [
      "is none, and names one",
      one,
      '[{ method: password, issuer: "https://id.example.com" }]',
      ["authentication[0].issuer: has no effect"],
    ],
  ])("%s", (_what, files, text, problems) => {
    const found = problemsOf(load(rules(files, text)));
    expect(found.map((problem) => problem.replace(/^rolegate.yaml:\d+ /, ""))).toEqual(problems);
  });

  test("needs an issuer that clients can look up", () => {
    const files = changed("    issuer: https://id.example.com\n", "    issuer: id.example.com\n");
    expect(problemsOf(load(rules(files, "[{ method: oauth }]")))).toEqual([
      "rolegate.yaml:34 authentication[0].method: clients could not sign in",
    ]);
  });

  test("is what a scope is for", () => {
    const files = changed(jwks, `${jwks}    scope: openid email\n`);
    expect(problemsOf(load(rules(files, "[{ method: oauth }]")))).toEqual([]);
    expect(problemsOf(load(rules(files, "[{ method: jwt }]")))).toEqual([
      "rolegate.yaml:19 identities[0].scope: has no effect",
    ]);
    for (const scope of ["a  b", "é", '"'])
      expect(problemsOf(load(changed(jwks, `${jwks}    scope: '${scope}'\n`)))).toContain(
        "rolegate.yaml:19 identities[0].scope: wrong value",
      );
  });
});
