import path from "node:path";
import { describe, expect, test } from "vitest";
import { check } from "../../../src/cli/check.ts";
import { analystYaml, changed, goodEnv, goodFiles, operatorFiles } from "../config/operator-files.ts";

/** What `rolegate check` prints for these files, their directory left out. */
async function printed(files: Readonly<Record<string, string>>, format: "text" | "json" = "text") {
  using operator = operatorFiles(files);
  const { output, exitCode } = await check(path.join(operator.directory, "rolegate.yaml"), goodEnv, {
    format,
    offline: true,
  });
  return { exitCode, output: output.replaceAll(`${operator.directory}/`, "") };
}

describe("rolegate check", () => {
  test("says what it found and exits 0 where everything is fine", async () => {
    expect(await printed(goodFiles)).toEqual({
      exitCode: 0,
      output:
        "rolegate.yaml: fine: 1 database, 1 role, 1 access entry, 1 password user, 1 token issuer; no database was asked\n",
    });
    expect(await printed(goodFiles, "json")).toEqual({
      exitCode: 0,
      output: '{\n  "file": "rolegate.yaml",\n  "problems": [],\n  "notes": [],\n  "unasked": []\n}\n',
    });
  });

  test("prints one line for each problem and exits 2", async () => {
    expect(await printed(changed("roles: roles/", "roles: roles/\nrole: x"))).toEqual({
      exitCode: 2,
      output:
        "rolegate.yaml:32: role: unknown key: found `role`, expected one of listen, admin, databases, identities, authentication, access, audit, store, roles, limits, log (did you mean roles?)\n1 problem\n",
    });
  });

  test("prints the problems as JSON", async () => {
    const { exitCode, output } = await printed(changed("log: { level: warn }", "log: 1"), "json");
    expect(exitCode).toBe(2);
    const problem = {
      line: 33,
      setting: "log",
      found: "the number 1",
      expected: "a mapping with level",
      message: "wrong type",
    };
    expect(JSON.parse(output)).toEqual({
      file: "rolegate.yaml",
      problems: [{ file: "rolegate.yaml", ...problem }],
      notes: [],
      unasked: [],
    });
  });

  test("refuses a rule that is no SQL expression, by its line", async () => {
    const rules = '  t: { select: { rows: "a = " } }\n';
    const { exitCode, output } = await printed({ ...goodFiles, "roles/analyst.yaml": analystYaml + rules });
    expect(exitCode).toBe(2);
    expect(output).toContain("roles/analyst.yaml:5: not a usable expression: found ");
  });

  test("refuses a setting that no role can be given, by its line", async () => {
    const rules = "settings:\n  allow:\n    - work_mem\n    - row_security\n";
    const { exitCode, output } = await printed({ ...goodFiles, "roles/analyst.yaml": analystYaml + rules });
    expect(exitCode).toBe(2);
    expect(output).toContain(
      "roles/analyst.yaml:8: settings.allow: no role can be given this setting: found row_security,",
    );
  });

  test("refuses a rule over an attribute that no identity has, by its line", async () => {
    const rules = "  u:\n    select:\n      rows: a = identity.tenat and identity.name = b\n";
    const { exitCode, output } = await printed({ ...goodFiles, "roles/analyst.yaml": analystYaml + rules });
    expect(exitCode).toBe(2);
    expect(output).toContain("roles/analyst.yaml:7: no identity has this attribute: found identity.tenat,");
    expect(output).toContain("did you mean identity.tenant?");
    expect(output).toContain("1 problem\n");
  });
});
