import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { informationSchema, pgCatalog } from "../../../src/rewrite/catalogs/catalog-table.ts";

const fixture = readFileSync(new URL("../../fixtures/catalogs.txt", import.meta.url), "utf8");

/** Qualified name → columns of any of PostgreSQL 15 to 18. */
const known = new Map(
  fixture
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line): [string, ReadonlySet<string>] => {
      const [head = "", columns = ""] = line.split(": ");
      return [head.split(" ")[0]!, new Set(columns.split(" ").map((column) => column.split("@")[0]!))];
    }),
);

const entries = [
  ...pgCatalog.map(([name, entry]) => [`pg_catalog.${name}`, entry] as const),
  ...informationSchema.map(([name, entry]) => [`information_schema.${name}`, entry] as const),
];

describe("the table of catalogs", () => {
  test("has every relation of PostgreSQL 15 to 18 once, and no other", () => {
    expect(entries.map(([name]) => name).toSorted()).toEqual([...known.keys()].toSorted());
  });

  test("names columns that exist", () => {
    const unknown = entries.flatMap(([name, entry]) => {
      if (entry === "refused") return [];
      const { only, without, definitions, comments } = entry;
      const named = [only, without, definitions, comments].flatMap((text) => (text ?? "").split(" "));
      return named.filter((column) => column !== "" && !known.get(name)!.has(column));
    });
    expect(unknown).toEqual([]);
  });

  test("shows no statistics view as it is", () => {
    const views = entries.filter(([name]) => /^pg_catalog\.pg_stat(io)?_/.test(name));
    expect(views.length).toBeGreaterThan(40);
    expect(
      views.filter(
        ([, entry]) => entry !== "refused" && entry.only === undefined && entry.rows === undefined,
      ),
    ).toEqual([]);
  });
});
