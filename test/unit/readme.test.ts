import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { formatProblem } from "../../src/document/problem.ts";

const root = path.resolve(import.meta.dirname, "../..");
const readme = readFileSync(path.join(root, "README.md"), "utf8");
const directory = mkdtempSync(path.join(tmpdir(), "rolegate-readme-"));

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Any verifier will do. */
const verifier = `SCRAM-SHA-256$4096:${"A".repeat(22)}==$${"A".repeat(43)}=:${"A".repeat(43)}=`;

/** The YAML blocks, by the name that their first line gives. */
const blocks = new Map(
  [...readme.matchAll(/```yaml\n# (\S+)\n([^]*?)```/g)].map((match) => [match[1]!, match[2]!] as const),
);

test("the example of the README is a configuration that loads", () => {
  expect([...blocks.keys()]).toEqual(["rolegate.yaml", "roles/analyst.yaml"]);
  mkdirSync(path.join(directory, "roles"));
  for (const [name, text] of blocks) writeFileSync(path.join(directory, name), text);
  const env = { SHOP_LOGIN_PASSWORD: "secret", ALICE_VERIFIER: verifier };
  const loaded = loadConfig(path.join(directory, "rolegate.yaml"), env);
  expect(loaded.kind === "refused" ? loaded.problems.map(formatProblem) : []).toEqual([]);
});

test("the README fits on a few screens", () => {
  expect(readme.split("\n").length).toBeLessThan(120);
});
