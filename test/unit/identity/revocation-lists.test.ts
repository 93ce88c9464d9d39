import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { revocationListsOf } from "../../../src/identity/revocation-lists.ts";

const files = path.resolve(import.meta.dirname, "../../fixtures/client-certificates");
const pem = (name: string) => readFileSync(path.join(files, name), "utf8");

test("each list of a file is found", () => {
  expect(revocationListsOf(pem("crl.pem"))).toHaveLength(1);
  const two = revocationListsOf(`words before\r\n${pem("crl-two.pem").replaceAll("\n", "\r\n")}`);
  expect(two).toHaveLength(2);
});

test("a file with something that is no whole list is none", () => {
  const two = pem("crl-two.pem");
  for (const text of [
    "",
    "words",
    pem("ca.crt"),
    two + pem("ca.crt"),
    two.slice(0, -30),
    two.replace("X509 ", ""),
  ])
    expect(revocationListsOf(text)).toBeUndefined();
});
