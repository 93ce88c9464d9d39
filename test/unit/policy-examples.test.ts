import path from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { readRoleFile } from "../../src/policy/read.ts";
import { codes, tableUnder } from "./markdown-table.ts";
import { policyExamples } from "./page-examples.ts";

const page = path.resolve(import.meta.dirname, "../../docs/policy.md");

/** The keys that a role file has, as the page's table names them. */
function keysOf(value: unknown, path: readonly string[] = []): string[] {
  const name = path.map((key, index) => (index === 1 && path[0] === "tables" ? "<table>" : key)).join(".");
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [name];
  return [name, ...Object.entries(value).flatMap(([key, below]) => keysOf(below, [...path, key]))];
}

test("docs/policy.md has an example of every key, whose role file is in order", () => {
  const { examples } = policyExamples();
  for (const { name, roleFile } of examples)
    expect(readRoleFile(roleFile, "roles/clerk.yaml").problems, name).toEqual([]);
  const shown = new Set(
    examples.flatMap(({ steps, roleFile }) => (steps.length > 0 ? keysOf(parse(roleFile)) : [])),
  );
  const keys = tableUnder(page, "## The role file").map(([key = ""]) => codes(key)[0] ?? key);
  expect(keys.length).toBeGreaterThan(25);
  expect(keys.filter((key) => !shown.has(key))).toEqual([]);
});
