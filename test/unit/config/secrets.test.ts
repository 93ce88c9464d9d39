import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { changed, goodFiles, load, verifier } from "./operator-files.ts";

describe("no secret is shown", () => {
  const secret = "hunter2";
  const places = [
    ["password: { env: SHOP_LOGIN_PASSWORD }", `password: ${secret}`],
    ["password: { env: SHOP_LOGIN_PASSWORD }", `password: [${secret}]`],
    ["password: { env: SHOP_LOGIN_PASSWORD }", `password: { value: ${secret} }`],
    ["password: { env: SHOP_LOGIN_PASSWORD }", `password: { env: ${secret}! }`],
    ["      password: { env: SHOP_LOGIN_PASSWORD }", `      passwort: ${secret}`],
    ["upstream: postgres://", `upstream: postgres://u:${secret}@`],
    ["upstream: postgres://", `upstream: ${secret}://`],
    ["?sslmode=verify-full", `?sslmode=verify-full&password=${secret}`],
    ["?sslmode=verify-full", `?sslmode=${secret}`],
    [verifier, secret],
    [`verifier: "${verifier}"`, `verifier: [${secret}]`],
    [`verifier: "${verifier}"`, `password: ${secret}`],
    [`        verifier: "${verifier}"`, `        verifier: "${secret}`],
    [`        verifier: "${verifier}"`, `        verifier: ${secret}: ${secret}`],
    [`        verifier: "${verifier}"`, `        verifier: !!binary ${secret}`],
    [`        verifier: "${verifier}"`, `        verifier: *${secret}`],
    ["jwks: https://", `jwks: https://u:${secret}@`],
    ["jwks: https://id.example.com/jwks.json", `jwks: '{"keys":[{"kty":"oct","k":"${secret}"}]}'`],
    ["    key: tls/server.key", `    key: "-----BEGIN PRIVATE KEY-----${secret}"`],
  ] as const;

  test.each(places)("%s → %s", (line, replacement) => {
    const loaded = load(changed(line, replacement));
    expect(loaded.kind).toBe("refused");
    expect(JSON.stringify(loaded)).not.toContain(secret);
  });

  test("by a configuration that is printed", () => {
    const loaded = load({ ...goodFiles });
    expect(loaded.kind).toBe("loaded");
    for (const printed of [JSON.stringify(loaded), inspect(loaded, { depth: 20 })]) {
      expect(printed).not.toContain("hunter2");
      expect(printed).not.toContain("PRIVATE KEY");
    }
  });
});
