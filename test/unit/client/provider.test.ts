import { expect, test } from "vitest";
import { withVerificationUri } from "../../../src/client/provider.ts";

test("the page to sign in at has the name of the RFC, also where the provider gives it another", () => {
  const google = { user_code: "GQVQ-JKEC", verification_url: "https://www.google.com/device" };
  expect(withVerificationUri(google)).toMatchObject({ verification_uri: "https://www.google.com/device" });
  const both = { verification_uri: "https://id.example.com/device", verification_url: "https://elsewhere" };
  expect(withVerificationUri(both)).toEqual(both);
  for (const other of [{ verification_uri: "x" }, null, "x", []])
    expect(withVerificationUri(other)).toBe(other);
});
