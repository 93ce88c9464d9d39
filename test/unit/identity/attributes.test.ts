import { describe, expect, test } from "vitest";
import { attributeValue, isAttributeName } from "../../../src/identity/attributes.ts";
import { isIdentityName } from "../../../src/identity/identity-name.ts";
import { isLoopback } from "../../../src/identity/loopback.ts";

describe("attributeValue", () => {
  test.each([["a"], [""], [1], [-1.5], [true], [["a", 1, false]], [[]], [2 ** 53 - 1]])(
    "takes %j",
    (value) => {
      expect(attributeValue(value)).toEqual(value);
    },
  );

  test.each([
    [null],
    [undefined],
    [{}],
    [{ a: 1 }],
    [[null]],
    [[["a"]]],
    [[{}]],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [2 ** 53],
    [Number("9007199254740993")],
    [1n],
    ["a\0b"],
    ["\ud800"],
    [["a\0"]],
  ])("refuses %o", (value) => {
    expect(attributeValue(value)).toBeUndefined();
  });
});

test.each([
  ["tenant", true],
  ["org_id2", true],
  ["_x", false],
  ["name", false],
  ["method", false],
  ["Tenant", false],
  ["org.id", false],
  ["org-id", false],
  ["2fa", false],
  ["", false],
  ["__proto__", false],
  ["a".repeat(64), false],
])("attribute name %j: %j", (name, usable) => {
  expect(isAttributeName(name)).toBe(usable);
});

test.each([
  ["alice", true],
  ["alice@example.com", true],
  ["Zoë O'Neil", true],
  ["x".repeat(255), true],
  ["", false],
  [" alice", false],
  ["alice ", false],
  ["a\0b", false],
  ["a\nb", false],
  ["a\u001b[2Jb", false],
  ["a\u202eb", false],
  ["a\u200bb", false],
  ["a\u2028b", false],
  ["a\u0085b", false],
  ["\ud800", false],
  ["x".repeat(256), false],
  ["é".repeat(128), false],
])("identity name %j: %j", (name, usable) => {
  expect(isIdentityName(name)).toBe(usable);
});

test.each([
  ["127.0.0.1", true],
  ["127.8.9.1", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["0:0:0:0:0:0:0:1", true],
  ["128.0.0.1", false],
  ["10.0.0.1", false],
  ["::ffff:10.0.0.1", false],
  ["::", false],
  ["0.0.0.0", false],
  ["localhost", false],
  ["127.0.0.1:5432", false],
  ["", false],
])("%s is loopback: %j", (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});
