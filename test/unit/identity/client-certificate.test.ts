import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readAlternativeNames } from "../../../src/identity/client-certificate.ts";

test.each([
  ["", []],
  ["DNS:a.example.com", [["dns", "a.example.com"]]],
  [
    "DNS:A.Example.COM, URI:spiffe://a/B",
    [
      ["dns", "a.example.com"],
      ["uri", "spiffe://a/B"],
    ],
  ],
  ["email:Carol@EXAMPLE.com", [["email", "Carol@example.com"]]],
  ["IP Address:192.0.2.1, DirName:x, Registered ID:1.2.3, DNS:a", [["dns", "a"]]],
  // One name that looks like two: Node quotes it.
  [String.raw`DNS:"x\u002c URI:spiffe://a/root"`, [["dns", "x, uri:spiffe://a/root"]]],
  [
    String.raw`URI:"https://a/\"quoted\"", DNS:b`,
    [
      ["uri", 'https://a/"quoted"'],
      ["dns", "b"],
    ],
  ],
] as const)("%s", (text, names) => {
  expect(readAlternativeNames(text)?.map(({ kind, value }) => [kind, value])).toEqual(names);
});

test.each(["DNS", "DNS:a,URI:b", 'DNS:"a', 'DNS:"a"b', String.raw`DNS:"\x"`, "DNS:a, ,", ":a, b"])(
  "%s is not read in part",
  (text) => {
    expect(readAlternativeNames(text)).toBeUndefined();
  },
);

test("any text is read as Node wrote it, or not at all", () => {
  const value = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom("DNS", "URI"), value), { maxLength: 4 }), (names) => {
      // As Node's source does (crypto_x509.cc): what could be misread is a JSON string.
      const text = names
        .map(([kind, name]) => `${kind}:${/^[a-z]+$/.test(name) ? name : JSON.stringify(name)}`)
        .join(", ");
      const expected = names.map(([kind, name]) =>
        kind === "DNS" ? ["dns", name.toLowerCase()] : ["uri", name],
      );
      expect(readAlternativeNames(text)?.map((each) => [each.kind, each.value])).toEqual(expected);
    }),
  );
});
