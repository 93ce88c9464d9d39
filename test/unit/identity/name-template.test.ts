import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePattern, fillIn, type PatternKind } from "../../../src/identity/name-template.ts";

const match = (kind: PatternKind, pattern: string, value: string) => {
  const found = compilePattern(pattern, kind)?.match(value);
  return found && Object.fromEntries(found);
};

describe("a pattern", () => {
  test.each([
    ["uri", "spiffe://a/ns/{n}/sa/{s}", "spiffe://a/ns/x/sa/y", { n: "x", s: "y" }],
    ["uri", "spiffe://a/ns/{n}/sa/{s}", "spiffe://a/ns/x/sa/y/z", undefined],
    ["uri", "spiffe://a/ns/{n}/sa/{s}", "spiffe://a/ns//sa/y", undefined],
    ["uri", "spiffe://a/{n}", "spiffe://a/x?y", undefined],
    ["uri", "spiffe://a/{n}", "spiffe://A/x", undefined],
    ["uri", "spiffe://a.b/{n}", "spiffe://aXb/x", undefined],
    ["dns", "{host}.svc.example.com", "web.svc.example.com", { host: "web" }],
    ["dns", "{host}.svc.example.com", "web.evil.svc.example.com", undefined],
    ["email", "{name}@example.com", "carol@example.com", { name: "carol" }],
    ["email", "{name}@example.com", "carol@evil@example.com", undefined],
    ["email", "{name}@{domain}", "carol@example.com", { name: "carol", domain: "example.com" }],
    ["subject", "{tenant}-{name}", "acme-a-b", { tenant: "acme", name: "a-b" }],
    ["subject", "svc-{name}", "svc-", undefined],
    ["subject", "carol", "carol", {}],
    ["subject", "carol", "carol ", undefined],
  ] as const)("%s %s of %s", (kind, pattern, value, captures) => {
    expect(match(kind, pattern, value)).toEqual(captures);
  });

  test.each(["", "{a}{b}", "{a}-{a}", "{A}", "{a", "a}", "{}"])("is not %j", (text) => {
    expect(compilePattern(text, "subject")).toBeUndefined();
  });

  test("without captures fits its own text and no other", () => {
    const plain = fc.string({ minLength: 1 }).filter((text) => !/[{}]/.test(text));
    fc.assert(
      fc.property(plain, plain, (pattern, value) => {
        expect(compilePattern(pattern, "uri")?.match(pattern)).toEqual(new Map());
        expect(compilePattern(pattern, "uri")?.match(value) !== undefined).toBe(pattern === value);
      }),
    );
  });
});

test("a template is filled in once: what a capture holds is text", () => {
  const captures = new Map([
    ["a", "{b}"],
    ["b", "$&"],
  ]);
  expect(fillIn("{a}/{b}/{c}", captures)).toBe("{b}/$&/{c}");
});
