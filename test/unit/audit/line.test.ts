import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseLine } from "../../../src/audit/line.ts";

test.each([
  ["torn", '{"time":"2026-02-01T00:00:00.000Z","event":"stat'],
  ["not JSON", "hello"],
  ["not an object", '"text"'],
  ["null", "null"],
  ["an array", "[1]"],
  ["without a time", '{"event":"statement","session":"s","id":1,"sql":""}'],
  ["a time that is none", '{"time":5,"event":"statement","session":"s","id":1,"sql":""}'],
  ["a statement without a session", '{"time":"t","event":"statement","id":1,"sql":""}'],
  ["a statement whose SQL is none", '{"time":"t","event":"statement","session":"s","id":1,"sql":{}}'],
  ["a completion without a number", '{"time":"t","event":"completion","session":"s"}'],
])("a line that is %s is none of the record", (_what, text) => {
  expect(parseLine(text)).toBeUndefined();
});

test("an event of a newer rolegate is read", () => {
  expect(parseLine('{"time":"t","event":"approval","by":"bob"}')).toMatchObject({
    event: "other",
    name: "approval",
    fields: { by: "bob" },
  });
});

test("anything else is no line, and throws nothing", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(parseLine(text)).toBeUndefined();
    }),
  );
});
