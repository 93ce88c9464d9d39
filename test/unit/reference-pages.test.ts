import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { jsonSchemas } from "../../src/config/json-schema.ts";
import { settingRows } from "./schema-rows.ts";

const docs = path.resolve(import.meta.dirname, "../../docs");

const chosen = {
  databases: "database",
  users: "user",
  tables: "table",
  mask: "column",
  attributes: "attribute",
};

test.each([
  { page: "configuration.md", schema: "rolegate.schema.json" },
  { page: "policy.md", schema: "role.schema.json" },
] as const)("docs/$page lists every setting of $schema", ({ page, schema }) => {
  const rows = settingRows(JSON.parse(jsonSchemas[schema]()), chosen).map(
    ([key, ...cells]) => `| \`${key}\` | ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`,
  );
  const table = ["| key | value | default | what it says |", "|---|---|---|---|", ...rows];
  const text = readFileSync(path.join(docs, page), "utf8");
  const lines = text.split("\n");
  const start = lines.indexOf(table[0]!);
  const end = lines.findIndex((line, index) => index > start && !line.startsWith("|"));
  // The failure shows the lines to change in the page.
  expect(lines.slice(start, end)).toEqual(table);
});
