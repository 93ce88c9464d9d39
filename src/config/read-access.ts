import type { AccessEntry } from "../access/access-entry.ts";
import { compileCondition } from "../access/condition.ts";
import { contentLineAt, isMapping } from "../document/document.ts";
import type { IdentitiesReading } from "./read-identities.ts";
import { type Reading, itemsAt, read } from "./reading.ts";

/** An entry of `access` as far as it could be read: the role and database even where the condition is wrong. */
export type PlacedAccess = {
  readonly path: readonly (string | number)[];
  readonly role: string | undefined;
  readonly database: string | undefined;
  readonly entry: AccessEntry | undefined;
};

/**
 * `access`, entry by entry, conditions compiled.
 * @param file as the record names it: relative to itself, hence without directory.
 */
export function readAccess(
  reading: Reading,
  file: string,
  identities: IdentitiesReading,
): readonly PlacedAccess[] {
  const items = itemsAt(reading, ["access"], "a list of entries with role, database and when") ?? [];
  return items.map((item, index): PlacedAccess => {
    const path = ["access", index];
    const given = read(reading, path, reading.schemas.access);
    if (given === undefined)
      return { path, role: textOf(item, "role"), database: textOf(item, "database"), entry: undefined };
    const { role, database, when } = given;
    const line = contentLineAt(reading.document, [...path, "when"]);
    const compiled = compileCondition(when, identities.attributes);
    if (compiled.kind === "condition") {
      return { path, role, database, entry: { role, database, condition: compiled.condition, file, line } };
    }
    reading.problems.push({
      file: reading.document.file,
      line: line + compiled.line,
      setting: `access[${index}].when`,
      message: "not a usable condition",
      found: compiled.found,
      expected: compiled.expected,
    });
    return { path, role, database, entry: undefined };
  });
}

function textOf(item: unknown, key: string): string | undefined {
  const value = isMapping(item) ? item[key] : undefined;
  return typeof value === "string" ? value : undefined;
}
