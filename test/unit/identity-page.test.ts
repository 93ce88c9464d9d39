import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { goodFiles, load, problemsOf } from "./config/operator-files.ts";

const text = readFileSync(path.resolve(import.meta.dirname, "../../docs/identity.md"), "utf8");
const blocks = [...text.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, body = ""]) => parse(body) as unknown);
const entries = blocks.flatMap((block) => (Array.isArray(block) ? (block as Record<string, unknown>[]) : []));
const base = parse(goodFiles["rolegate.yaml"]!) as Record<string, unknown>;

/** The good configuration with these parts, and a rule for the role that the examples' conditions are about. */
const loaded = (changes: object) =>
  load({
    ...goodFiles,
    "roles/migrator.yaml": "role: migrator\ndatabase: shop\ntables:\n  products: { select: all }\n",
    "rolegate.yaml": stringify({ ...base, ...changes }),
  });

test("docs/identity.md has entries and conditions that load, with keys found by discovery", () => {
  const identities = entries.filter((entry) => entry["type"] === "jwt");
  const conditions = entries.filter((entry) => "when" in entry);
  expect([identities.length, conditions.length]).toEqual([4, 2]);
  expect(problemsOf(loaded({ identities, access: conditions }))).toEqual([]);
});

test("docs/identity.md has rules that load", () => {
  const rules = blocks.flatMap((block) =>
    typeof block === "object" &&
    block !== null &&
    "authentication" in block &&
    JSON.stringify(block).includes("oauth")
      ? [block]
      : [],
  );
  expect(rules).toHaveLength(1);
  const identities = entries.filter((entry) => entry["type"] === "jwt");
  const conditions = entries.filter((entry) => "when" in entry);
  expect(problemsOf(loaded({ identities, access: conditions, ...rules[0] }))).toEqual([]);
});
