import { expect, test } from "vitest";
import type { Problem } from "../../../src/errors.ts";
import { withAsking } from "../../../src/rewrite/asking.ts";

const refused: Problem = { code: "relation_not_allowed", message: "no", hint: "It may read: t." };
const admin = new Map([["admin", "Ask for it: rolegate request --role admin"]]);

test("a refusal says which roles may be asked for, and how", () => {
  expect(withAsking(refused, admin).hint).toBe(
    'It may read: t. The role "admin" may be asked for. Ask for it: rolegate request --role admin',
  );
  expect(withAsking({ code: "function_not_allowed", message: "no" }, admin).hint).toBe(
    'The role "admin" may be asked for. Ask for it: rolegate request --role admin',
  );
  const many = new Map(["a", "b", "c", "d"].map((role) => [role, `how ${role}`]));
  expect(withAsking(refused, many).hint).toBe(
    'It may read: t. The roles "a", "b", "c" may be asked for. how a',
  );
});

test("what no role changes, and where nothing may be asked for, is said as it is", () => {
  const wrong: Problem = { code: "statement_unparsable", message: "syntax error" };
  expect(withAsking(wrong, admin)).toBe(wrong);
  expect(withAsking(refused, new Map())).toBe(refused);
  expect(withAsking(refused, undefined)).toBe(refused);
});
