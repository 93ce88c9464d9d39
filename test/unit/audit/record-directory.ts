import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Filter } from "../../../src/audit/filter.ts";
import type { Recorder } from "../../../src/audit/recorder.ts";
import { type Found, search } from "../../../src/audit/search.ts";

/** A directory that is removed after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "rolegate-audit-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The record's files as text, by name, in order. */
export function recordFiles(directory: string): Record<string, string> {
  const names = readdirSync(directory).toSorted();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(directory, name), "utf8")]));
}

/** Every line of the record that is whole, as an object. */
export function recordLines(directory: string): Record<string, unknown>[] {
  return Object.values(recordFiles(directory))
    .flatMap((text) => text.split("\n"))
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Record<string, unknown>];
      } catch {
        return [];
      }
    });
}

/** What whenWritten says of this turn. */
export function written(recorder: Recorder): Promise<Error | undefined> {
  return new Promise((resolve) => recorder.whenWritten(resolve));
}

/** Everything that a search of the record finds. */
export async function foundIn(directory: string, filter: Filter = {}, last?: number): Promise<Found[]> {
  const all: Found[] = [];
  for await (const group of search({ directory, filter, last })) all.push(...group);
  return all;
}
