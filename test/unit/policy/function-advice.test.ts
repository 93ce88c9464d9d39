import { describe, expect, test } from "vitest";
import type { Catalog, FunctionFacts } from "../../../src/catalog/catalog.ts";
import { functionAdvice, functionProblems } from "../../../src/policy/function-advice.ts";
import { readRoleFile } from "../../../src/policy/read.ts";
import type { RoleFile } from "../../../src/policy/role-file.ts";

function roleFile(...functions: string[]): RoleFile {
  const text = `role: r\ndatabase: d\nfunctions:\n  allow:\n${functions.map((name) => `    - ${name}\n`).join("")}`;
  return readRoleFile(text, "roles/r.yaml").roleFile!;
}

function found(schema: string, name: string, more: Partial<FunctionFacts> = {}): FunctionFacts {
  return {
    schema,
    name,
    kind: "f",
    volatility: "v",
    leakproof: false,
    securityDefiner: false,
    extension: undefined,
    own: schema === "pg_catalog",
    takes: { least: 1, most: 1 },
    gives: [],
    result: "text",
    reads: false,
    settings: [],
    ...more,
  };
}

function catalogWith(...functions: FunctionFacts[]): Catalog {
  return { functions: Map.groupBy(functions, ({ name }) => name) } as Partial<Catalog> as Catalog;
}

describe("functions that a role file names", () => {
  test.each([
    "query_to_xml",
    "pg_catalog.table_to_xml",
    "pg_read_file",
    "set_config",
    "domain_in",
    "ts_stat",
  ])("%s cannot be allowed", (name) => {
    expect(functionProblems(roleFile("order_total", name))).toEqual([
      expect.objectContaining({ file: "roles/r.yaml", line: 6, setting: "functions.allow", found: name }),
    ]);
  });

  // Of ts_rewrite there are two, and one of them is harmless anyway; another schema's function is another function.
  test.each(["order_total", "nextval", "pg_stat_get_activity", "ts_rewrite", "public.query_to_xml"])(
    "%s can be",
    (name) => {
      expect(functionProblems(roleFile(name))).toEqual([]);
    },
  );

  test("are told of where they go past the rules", () => {
    const catalog = catalogWith(
      found("pg_catalog", "pg_stat_get_activity"),
      found("pg_catalog", "lower"),
      found("public", "dblink", { extension: "dblink" }),
      found("public", "similarity", { extension: "pg_trgm" }),
      found("public", "crosstab"),
    );
    const file = roleFile("pg_stat_get_activity", "lower", "dblink", "similarity", "crosstab", "nothing");
    expect(functionAdvice(file, catalog).map(({ line, found: shown }) => [line, shown])).toEqual([
      [5, "pg_catalog.pg_stat_get_activity"],
      [7, "public.dblink"],
    ]);
    expect(functionAdvice(file, catalog)[1]!.expected).toContain("runs SQL");
  });
});
