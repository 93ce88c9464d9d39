import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { otherFingerprints } from "../../../src/net/other-fingerprints.ts";
import { ecdsaSha256, ed25519 } from "./certificates.ts";

const der = (pem: string) => new X509Certificate(pem).raw;
const fixture = (name: string) =>
  readFileSync(path.resolve(import.meta.dirname, "../../fixtures/client-certificates", name), "utf8");

test.each([ecdsaSha256.certificate, ...["person.crt", "workload.crt", "expired.crt"].map(fixture)])(
  "a certificate signed by ECDSA has one for each curve that its signature may be of",
  (pem) => {
    const others = otherFingerprints(der(pem));
    expect(others).toHaveLength(3);
    for (const other of others) expect(other).toMatch(/^[0-9a-f]{64}$/);
    expect(others).not.toContain(new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase());
  },
);

test("another signature has no second form", () => {
  expect(otherFingerprints(der(ed25519.certificate))).toEqual([]);
});

test("what is cut off or changed anywhere raises nothing", () => {
  const bytes = der(ecdsaSha256.certificate);
  for (let at = 0; at < bytes.length; at++) {
    expect(otherFingerprints(bytes.subarray(0, at))).toEqual([]);
    for (const value of [0x00, 0x30, 0x7f, 0x80, 0x84, 0xff]) {
      const changed = Buffer.from(bytes);
      changed[at] = value;
      otherFingerprints(changed);
    }
  }
});
