import { describe, expect, test } from "vitest";
import { functionClasses } from "../../../src/policy/server-functions/function-group.ts";
import {
  classesOf,
  functionGroups,
  serverFunction,
} from "../../../src/policy/server-functions/function-table.ts";
import { fixtureFunctions } from "../../fixtures/server-functions.ts";

const functions = fixtureFunctions();

const entries = functionGroups.flatMap((group) =>
  group.names
    .trim()
    .split(/\s+/)
    .map((entry) => ({ entry, group })),
);

describe("the table of the server's functions", () => {
  test("has every function of PostgreSQL 15, 16, 17 and 18 in exactly one class", () => {
    expect(new Set(functions.flatMap(({ majors }) => majors))).toEqual(new Set([15, 16, 17, 18]));
    const found = Map.groupBy(entries, ({ entry }) => entry);
    const wrong = functions.filter(
      ({ name, takes }) => [name, `${name}/${takes}`].flatMap((entry) => found.get(entry) ?? []).length !== 1,
    );
    expect(wrong).toEqual([]);
  });

  test("has no function that no version has, and none twice", () => {
    const names = new Set(functions.flatMap(({ name, takes }) => [name, `${name}/${takes}`]));
    expect(entries.filter(({ entry }) => !names.has(entry))).toEqual([]);
    expect(new Set(entries.map(({ entry }) => entry)).size).toBe(entries.length);
  });

  test("calls a function safe only if it is volatile in no version", () => {
    const volatile = functions.filter(({ volatility }) => volatility === "v");
    expect(volatile.filter(({ name, takes }) => serverFunction(name, takes)?.class === "safe")).toEqual([]);
  });

  test("calls a function harmless only if it is volatile", () => {
    const steady = functions.filter(
      ({ name, takes, volatility }) =>
        volatility !== "v" && serverFunction(name, takes)?.class === "harmless",
    );
    // random and its kin are volatile in every overload.
    expect(steady).toEqual([]);
  });

  test("has a NULL for each class that is blanked or can be, and for no other", () => {
    for (const { class: kind, nullOf } of functionGroups)
      expect(nullOf !== undefined, kind).toBe(["blanked", "shown"].includes(functionClasses[kind]));
  });

  test("knows nothing of what stands nowhere", () => {
    expect(serverFunction("pg_no_such_function", 1)).toBeUndefined();
    expect(serverFunction("ts_rewrite", 4)).toBeUndefined();
    expect(classesOf("pg_no_such_function")).toEqual([]);
  });

  test("tells ts_rewrite with a query as text from the one without", () => {
    expect(serverFunction("ts_rewrite", 2)?.class).toBe("runs SQL");
    expect(serverFunction("ts_rewrite", 3)?.class).toBe("safe");
    expect(classesOf("ts_rewrite").toSorted()).toEqual(["runs SQL", "safe"]);
  });

  // Functions that were seen running SQL, reading relations, or showing sizes, when called with canary values.
  test.each([
    ["query_to_xml", "runs SQL"],
    ["ts_stat", "runs SQL"],
    ["cursor_to_xml", "reads by name"],
    ["database_to_xml", "reads by name"],
    ["pg_read_file", "reads files"],
    ["lo_export", "reads files"],
    ["pg_logical_slot_peek_changes", "reads files"],
    ["set_config", "changes the session"],
    ["pg_table_size", "counts"],
    ["pg_stat_get_live_tuples", "counts"],
    ["pg_stat_get_activity", "shows others"],
    ["pg_terminate_backend", "reaches the server"],
    ["domain_in", "internal"],
    ["record_in", "internal"],
    ["satisfies_hash_partition", "internal"],
  ])("%s: %s", (name, kind) => {
    expect(classesOf(name)).toEqual([kind]);
  });
});
