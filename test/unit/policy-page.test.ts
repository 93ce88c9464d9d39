import path from "node:path";
import { describe, expect, test } from "vitest";
import { readFileSync } from "node:fs";
import type { Grants } from "../../src/policy/grants.ts";
import { catalogEntry } from "../../src/rewrite/catalogs/catalog-relations.ts";
import { pgCatalog, type CatalogEntry } from "../../src/rewrite/catalogs/catalog-table.ts";
import { functionClasses } from "../../src/policy/server-functions/function-group.ts";
import { settingProblem } from "../../src/rewrite/session/settings.ts";
import { judgedKinds } from "../../src/sql/statement-kinds.ts";
import { codes, tableUnder } from "./markdown-table.ts";

const page = path.resolve(import.meta.dirname, "../../docs/policy.md");

/** The paragraph that begins with these words, and everything up to the next blank line. */
function paragraph(start: string): string {
  const text = readFileSync(page, "utf8");
  const at = text.indexOf(`\n${start}`);
  if (at < 0) throw new Error(`no paragraph "${start}"`);
  return text.slice(at, text.indexOf("\n\n", at + 1));
}

function grantsWith(settings: readonly string[]): Grants {
  return {
    role: "analyst",
    file: "roles/analyst.yaml",
    unrestricted: undefined,
    key: "",
    tables: new Map(),
    schemas: new Map(),
    definitions: { relations: new Map(), schemas: new Map() },
    session: { temporaryTables: false, advisoryLocks: false, twoPhase: false, listen: [], notify: [] },
    catalogs: { definitions: "shown", comments: "shown" },
    functions: new Set(),
    settings: new Set(settings),
    statementTimeout: undefined,
    origin: {} as Grants["origin"],
  };
}

/** The names of pg_catalog whose entries are wanted. */
const inTable = (wanted: (entry: CatalogEntry | "refused") => boolean) =>
  pgCatalog.filter(([, entry]) => wanted(entry)).map(([name]) => name);

describe("docs/policy.md", () => {
  test("names every kind of statement that is judged, and no other", () => {
    const named = tableUnder(page, "## Statements").flatMap(([kinds = ""]) => codes(kinds));
    expect(named.toSorted()).toEqual(Object.values(judgedKinds).toSorted());
  });

  test("names every class of functions", () => {
    const rows = tableUnder(page, "## Functions and operators").map(([name = ""]) => codes(name)[0] ?? name);
    expect(rows.toSorted()).toEqual(Object.keys(functionClasses).toSorted());
  });

  test("lists settings that may be set", () => {
    const names = codes(paragraph("These may be set").replace("`SET`", "").replace("`options`", ""));
    expect(names.length).toBeGreaterThan(30);
    expect(names.filter((name) => settingProblem(name, "1", grantsWith([])) !== undefined)).toEqual([]);
  });

  test("lists settings that no role file can open", () => {
    const names = codes(paragraph("`settings.allow` opens others")).slice(1);
    expect(names).toContain("row_security");
    expect(names.filter((name) => settingProblem(name, "x", grantsWith(names)) === undefined)).toEqual([]);
  });

  test("says how catalogs are shown, and lists all that are refused", () => {
    const rows = tableUnder(page, "## Catalogs").map(([what = "", shown = ""]) => ({
      names: codes(what).filter((name) => /^pg_\w+$/.test(name)),
      shown,
    }));
    const named = (words: string) =>
      rows.filter(({ shown }) => shown.startsWith(words)).flatMap(({ names }) => names);
    expect(named("refused").toSorted()).toEqual(inTable((entry) => entry === "refused").toSorted());
    expect(named("the session's own rows").toSorted()).toEqual(
      inTable(
        (entry) => entry !== "refused" && entry.rows !== undefined && entry.rows !== "false",
      ).toSorted(),
    );
    for (const name of named("no rows")) expect(catalogEntry("pg_catalog", name)).toEqual({ rows: "false" });
  });
});
