import type { AccessEntry, OnRequest } from "../access/access-entry.ts";
import { compileApprovers } from "../access/approver-condition.ts";
import { compileCondition } from "../access/condition.ts";
import { contentLineAt, isMapping, settingName, valueAt, type Path } from "../document/document.ts";
import type { IdentitiesReading } from "./read-identities.ts";
import { type Reading, itemsAt, read, report } from "./reading.ts";

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
    const { role, database, when, request, breakGlass } = given;
    const way = request ? "request" : breakGlass && "breakGlass";
    if (way !== undefined && valueAt(reading.document, ["store"]) === undefined)
      report(
        reading,
        [...path, way],
        "needs a store",
        "`store` in this file: there requests are kept",
        "none",
      );
    const line = contentLineAt(reading.document, [...path, "when"]);
    const condition = usable(reading, [...path, "when"], compileCondition(when, identities.attributes));
    const approvers =
      request &&
      usable(
        reading,
        [...path, "request", "approvers"],
        compileApprovers(request.approvers, identities.attributes),
      );
    if (condition === undefined || (request !== undefined && approvers === undefined))
      return { path, role, database, entry: undefined };
    const onRequest: OnRequest | undefined =
      request && approvers
        ? { ...request, kind: "approval", approvers }
        : breakGlass && { ...breakGlass, kind: "break-glass" };
    return { path, role, database, entry: { role, database, condition, onRequest, file, line } };
  });
}

/** The condition; undefined, with the problem reported at its line, where it cannot be compiled. */
function usable<Condition>(
  { document, problems }: Reading,
  path: Path,
  compiled:
    | { readonly kind: "condition"; readonly condition: Condition }
    | { readonly kind: "refused"; readonly found: string; readonly expected: string; readonly line: number },
): Condition | undefined {
  if (compiled.kind === "condition") return compiled.condition;
  problems.push({
    file: document.file,
    line: contentLineAt(document, path) + compiled.line,
    setting: settingName(path),
    message: "not a usable condition",
    found: compiled.found,
    expected: compiled.expected,
  });
  return undefined;
}

function textOf(item: unknown, key: string): string | undefined {
  const value = isMapping(item) ? item[key] : undefined;
  return typeof value === "string" ? value : undefined;
}
