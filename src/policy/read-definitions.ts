import type * as z from "zod";
import { lineAt, type Document } from "../document/document.ts";
import type { ConfigProblem } from "../document/problem.ts";
import { readRelationName } from "./read-tables.ts";
import type { DefinitionRule } from "./role-file.ts";
import type { roleShape } from "./role-schema.ts";

/** The entries of `definitions`, in the file's order; each problem is added to `problems`. */
export function readDefinitions(
  document: Document,
  entries: z.output<typeof roleShape.definitions>,
  problems: ConfigProblem[],
): readonly DefinitionRule[] {
  const seen = new Map<string, readonly string[]>();
  return Object.entries(entries ?? {}).flatMap(([key, allowed]) => {
    const path = ["definitions", key];
    const name = readRelationName(document, path, key, seen, problems);
    return name === undefined ? [] : [{ ...name, line: lineAt(document, path), allowed }];
  });
}
