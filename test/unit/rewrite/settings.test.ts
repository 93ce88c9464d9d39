import { describe, expect, test } from "vitest";
import { neverSettable } from "../../../src/policy/never-settable.ts";
import type { Grants } from "../../../src/policy/grants.ts";
import { settingProblem } from "../../../src/rewrite/session/settings.ts";

const grants: Grants = {
  role: "analyst",
  file: "roles/analyst.yaml",
  unrestricted: undefined,
  key: "analyst",
  tables: new Map(),
  schemas: new Map(),
  definitions: { relations: new Map(), schemas: new Map() },
  session: { temporaryTables: false, advisoryLocks: false, twoPhase: false, listen: [], notify: [] },
  catalogs: { definitions: "shown", comments: "shown" },
  functions: new Set(),
  settings: new Set(["work_mem", "role", "rolegate.identity", "rolegate.*", "app.user", "tool.*"]),
  statementTimeout: 30_000,
  origin: {} as Grants["origin"],
};

const problem = (name: string, value: string | undefined) => settingProblem(name, value, grants)?.code;

describe("settings", () => {
  test.each([
    ["TimeZone", "Europe/Zurich"],
    ["DATESTYLE", "ISO"],
    ["work_mem", "64MB"],
    ["client_encoding", "UTF8"],
    ["Client_Encoding", "utf-8"],
    ["standard_conforming_strings", "on"],
    ["search_path", '"$user", public'],
    ["search_path", "pg_catalog"],
    ["search_path", ""],
    ["statement_timeout", "30s"],
    ["statement_timeout", "30000"],
    ["statement_timeout", "0.5min"],
    ["statement_timeout", undefined],
    ["app.user", "anybody"],
    ["tool.some.setting", "1"],
  ])("%s may be %s", (name, value) => {
    expect(problem(name, value)).toBeUndefined();
  });

  // Who the session is, how text is read, what the rules stand on: not even where a role file lists them.
  test.each([
    ["role", "admin"],
    ["ROLE", "none"],
    ["session_authorization", "postgres"],
    ["rolegate.identity", "root"],
    ["RoleGate.Anything", "x"],
    ["row_security", "off"],
    ["session_replication_role", "replica"],
    ["standard_conforming_strings", "off"],
    ["client_encoding", "SJIS"],
    ["client_encoding", "GBK"],
    ["client_min_messages", "debug1"],
    ["client_min_messages", "log"],
    ["backslash_quote", "on"],
    ["array_nulls", "off"],
    ["transform_null_equals", "on"],
    ["other.setting", "1"],
    ["app.other", "1"],
    ["statement_timeout", "0"],
    ["statement_timeout", "31s"],
    ["statement_timeout", "0.1ms"],
    ["statement_timeout", "-1"],
    ["statement_timeout", "1e1"],
    ["statement_timeout", "30 parsecs"],
    ["no_such_setting", "1"],
    ["constructor", "1"],
    ["__proto__", "1"],
  ])("%s may not be %s", (name, value) => {
    expect(problem(name, value)).toBe("setting_not_allowed");
  });

  test("what no role can be given is known by name", () => {
    expect(["role", "row_security", "rolegate.x"].map(neverSettable)).toEqual([true, true, true]);
    expect(neverSettable("work_mem")).toBe(false);
  });
});
