import { expect, test } from "vitest";
import { nearest } from "../../../src/document/suggest.ts";

test.each([
  ["adress", ["address", "tls"], "address"],
  ["databse", ["role", "database"], "database"],
  ["selct", ["select", "delete"], "select"],
  ["udpate", ["update", "delete"], "update"],
  ["Rows", ["rows"], "rows"],
  ["xyz", ["rows", "check"], undefined],
  ["", ["a"], "a"],
  ["completely", ["different"], undefined],
])("%j among %j means %j", (word, candidates, meant) => {
  expect(nearest(word, candidates)).toBe(meant);
});
