import type * as z from "zod";
import { type Document, type Path, isMapping, lineAt, settingName, valueAt } from "./document.ts";
import type { ConfigProblem } from "./problem.ts";
import { oneOf } from "./suggest.ts";

export type ValidateOptions = {
  /** Settings (`limits.rows`) of the public face that are still to come: refused, but not as a typing error. */
  readonly later?: ReadonlySet<string>;
  /** Keys below which no value is ever quoted in a problem. */
  readonly secret?: ReadonlySet<string>;
};

/**
 * The value at a path as a schema reads it; undefined, with every problem added to `problems`, where it does not fit.
 * The schema's issue messages are the problems' `expected`.
 */
export function validate<Schema extends z.ZodType>(
  document: Document,
  path: Path,
  schema: Schema,
  problems: ConfigProblem[],
  options: ValidateOptions = {},
): z.output<Schema> | undefined {
  const result = schema.safeParse(valueAt(document, path));
  if (result.success) return result.data;
  for (const issue of result.error.issues) problems.push(...issueProblems(document, path, issue, options));
  return undefined;
}

function issueProblems(
  document: Document,
  base: Path,
  issue: z.core.$ZodIssue,
  options: ValidateOptions,
): ConfigProblem[] {
  const path = [...base, ...issue.path.filter((step) => typeof step !== "symbol")];
  const value = valueAt(document, path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey(document, [...path, key], issue.message, options));
  }
  if (issue.code === "invalid_key") {
    return issue.issues
      .flatMap((inner) => issueProblems(document, path, inner, options))
      .map((problem) => ({
        ...problem,
        message: "not a usable key",
        found: `\`${printable(String(path.at(-1)))}\``,
      }));
  }
  if (issue.code === "invalid_union") {
    // The branch that the value was meant for is the one that did not fail at the value itself.
    const meant = issue.errors.filter((branch) =>
      branch.every((inner) => inner.path.length > 0 || !isMismatch(inner)),
    );
    const [branch] = meant;
    if (branch !== undefined) return branch.flatMap((inner) => issueProblems(document, path, inner, options));
  }
  const given =
    issue.code === "custom" ? (issue.params as { found?: string; problem?: string } | undefined) : undefined;
  return [
    {
      file: document.file,
      line: lineAt(document, path),
      setting: settingName(path),
      message:
        value === undefined
          ? "missing"
          : (given?.problem ?? (issue.code === "invalid_type" ? "wrong type" : "wrong value")),
      found: given?.found ?? describe(value, path, options),
      expected: issue.message,
    },
  ];
}

function isMismatch(issue: z.core.$ZodIssue): boolean {
  return issue.code === "invalid_type" || issue.code === "invalid_value" || issue.code === "invalid_union";
}

function unknownKey(document: Document, path: Path, known: string, options: ValidateOptions): ConfigProblem {
  const setting = settingName(path);
  const key = String(path.at(-1));
  const later = options.later?.has(setting) ?? false;
  return {
    file: document.file,
    line: lineAt(document, path),
    setting,
    message: later ? "not supported yet" : "unknown key",
    found: `\`${printable(key)}\``,
    expected: later ? `one of ${known}` : oneOf(key, known.split(", ")),
  };
}

/** What stands in the file, in words; quoted only where it cannot be a secret. */
export function describe(value: unknown, path: Path, options: ValidateOptions = {}): string {
  if (value === undefined) return "nothing";
  if (value === null) return "an empty value";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (isMapping(value)) return describeMapping(value);
  if (path.some((step) => options.secret?.has(String(step))))
    return typeof value === "string" ? "text" : `a ${typeof value}`;
  return typeof value === "string"
    ? `\`${printable(value)}\``
    : `the ${typeof value} ${JSON.stringify(value)}`;
}

function describeMapping(value: Readonly<Record<string, unknown>>): string {
  const [key, ...more] = Object.keys(value);
  if (key === undefined) return "an empty mapping";
  if (more.length === 0 && (key === "env" || key === "file")) return `the value of { ${key}: … }`;
  return "a mapping";
}

/** A text that cannot disturb a terminal or a log, and is not long. */
export function printable(value: string): string {
  const clean = value.replaceAll(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  return clean.length > 60 ? `${clean.slice(0, 60)}…` : clean;
}
