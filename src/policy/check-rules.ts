import type { ConfigProblem } from "../document/problem.ts";
import { oneOf } from "../document/suggest.ts";
import type { Parser } from "../sql/parser.ts";
import { functionProblems } from "./function-advice.ts";
import { compileRole } from "./grants.ts";
import { neverSettable } from "./never-settable.ts";
import type { RoleFile } from "./role-file.ts";
import { definitionProblems } from "./whole-relations.ts";

/**
 * What is wrong with a role file's expressions: not SQL that a rule may be, or an attribute that no identity of the
 * configuration can have, which would refuse the role to everybody.
 * @param attributes those that some identity can have.
 * @returns problems that name the file relative to the configuration file, as the rules do.
 */
export function ruleProblems(
  file: RoleFile,
  attributes: ReadonlySet<string>,
  parser: Parser,
): readonly ConfigProblem[] {
  const compiled = compileRole(file, parser);
  if (compiled.kind === "refused") {
    return compiled.problems.map(({ file: where, line, found, expected }) => ({
      file: where,
      line,
      setting: "",
      message: "not a usable expression",
      found,
      expected,
    }));
  }
  const settings = file.settings
    .filter((name) => neverSettable(name.toLowerCase()))
    .map((name) => ({
      file: file.file,
      line: file.lines.settings.get(name) ?? 1,
      setting: "settings.allow",
      message: "no role can be given this setting",
      found: name,
      expected: "a setting that changes neither who the session is nor what the rules stand on",
    }));
  const known = new Set(["name", ...attributes]);
  const unknown = [...compiled.role.expressions.values()].flatMap(({ source, attributes: used }) =>
    used
      .filter((attribute) => !known.has(attribute))
      .map((attribute) => ({
        file: source.file,
        line: source.line,
        setting: "",
        message: "no identity has this attribute",
        found: `identity.${attribute}`,
        expected: oneOf(
          `identity.${attribute}`,
          [...known].map((name) => `identity.${name}`),
        ),
      })),
  );
  return [...settings, ...functionProblems(file), ...definitionProblems(file), ...unknown];
}
