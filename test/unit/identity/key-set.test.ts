import { exportJWK, generateKeyPair } from "jose";
import { describe, expect, test } from "vitest";
import { localKeySet } from "../../../src/identity/key-set.ts";

const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
const ec = await exportJWK(publicKey);
const ecPrivate = await exportJWK(privateKey);
const shortRsa = { kty: "RSA", e: "AQAB", n: Buffer.alloc(128, 255).toString("base64url") };

describe("localKeySet", () => {
  test("takes public keys", () => {
    expect(
      localKeySet(JSON.stringify({ keys: [ec, { ...ec, kid: "b", alg: "ES256", use: "sig" }] })).kind,
    ).toBe("keys");
  });

  test.each([
    ["no JSON", "keys: []", "text that is not JSON"],
    ["null", "null", "JSON without a list of keys"],
    ["a list", "[]", "JSON without a list of keys"],
    ["keys that are no list", '{"keys":{}}', "JSON without a list of keys"],
    ["no keys", '{"keys":[]}', "an empty list of keys"],
    ["a text as key", '{"keys":["x"]}', "something that is not a key (keys[0])"],
    ["a private key", JSON.stringify({ keys: [ec, ecPrivate] }), "a private key (keys[1])"],
    ["a shared secret", '{"keys":[{"kty":"oct","k":"aHVudGVyMg"}]}', "a shared secret (kty oct) (keys[0])"],
    ["a short RSA key", JSON.stringify({ keys: [shortRsa] }), "an RSA key of less than 2048 bits (keys[0])"],
    ["an incomplete key", '{"keys":[{"kty":"EC"}]}', "an incomplete key (keys[0])"],
    ["another type", '{"keys":[{"kty":"AKP"}]}', "a key of another type (keys[0])"],
  ])("refuses %s", (_name, json, found) => {
    expect(localKeySet(json)).toEqual({ kind: "refused", found });
  });
});
