import type * as z from "zod";
import { type Document, type Path, isMapping, lineAt, settingName, valueAt } from "../document/document.ts";
import type { IssueSink } from "../document/mapping.ts";
import type { ConfigProblem } from "../document/problem.ts";
import { describe, validate } from "../document/validate.ts";
import { type ConfigSchemas, secretSettings } from "./schema.ts";
import type { Sources } from "./sources.ts";

/** What every part of the loading works on: the file, where its values come from, and what was wrong so far. */
export type Reading = {
  readonly document: Document;
  readonly sources: Sources;
  readonly schemas: ConfigSchemas;
  readonly problems: ConfigProblem[];
};

const quoting = { secret: secretSettings };

/** The value at a path as a schema reads it; undefined, with its problems reported, where it does not fit. */
export function read<Schema extends z.ZodType>(
  reading: Reading,
  path: Path,
  schema: Schema,
): z.output<Schema> | undefined {
  return validate(reading.document, path, schema, reading.problems, quoting);
}

/** Adds a problem with the value at a path. `found` must hold no secret; left out, it is what stands there. */
export function report(
  reading: Reading,
  path: Path,
  message: string,
  expected: string,
  found?: string,
): void {
  const { document } = reading;
  reading.problems.push({
    file: document.file,
    line: lineAt(document, path),
    setting: settingName(path),
    message,
    found: found ?? describe(valueAt(document, path), path, quoting),
    expected,
  });
}

/** Takes the issues of `resolveReference` and `readText` as problems with the value at a path. */
export function sinkAt(reading: Reading, path: Path): IssueSink {
  return {
    addIssue: ({ message, params }) => report(reading, path, params.problem, message, params.found),
  };
}

/** The keys of the mapping at a path; undefined, reported, if it is none or is empty. */
export function keysAt(reading: Reading, path: Path, expected: string): readonly string[] | undefined {
  const value = valueAt(reading.document, path);
  if (isMapping(value) && Object.keys(value).length > 0) return Object.keys(value);
  report(reading, path, value === undefined ? "missing" : "wrong value", expected);
  return undefined;
}

/** The items of the list at a path; undefined, reported, if it is none or is empty. */
export function itemsAt(reading: Reading, path: Path, expected: string): readonly unknown[] | undefined {
  const value = valueAt(reading.document, path);
  if (Array.isArray(value) && value.length > 0) return value;
  report(reading, path, value === undefined ? "missing" : "wrong value", expected);
  return undefined;
}
