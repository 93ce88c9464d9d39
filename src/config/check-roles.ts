import { oneOf } from "../document/suggest.ts";
import type { PlacedAccess } from "./read-access.ts";
import type { PlacedRole } from "./read-roles.ts";
import { type Reading, report } from "./reading.ts";

/** Holds `databases`, `access` and the role files against each other: each names only what exists, and nothing is left over. */
export function checkRoles(
  reading: Reading,
  databases: ReadonlySet<string>,
  access: readonly PlacedAccess[],
  roles: readonly PlacedRole[],
): void {
  checkAccess(reading, databases, access, roles);
  const seen = new Map<string, PlacedRole>();
  for (const role of roles) {
    checkRoleName(reading, role);
    if (role.database !== undefined && !databases.has(role.database)) {
      reportRole(
        reading,
        role,
        "database",
        "unknown database",
        oneOf(role.database, databases),
        `\`${role.database}\``,
      );
      continue;
    }
    if (role.role === undefined || role.database === undefined) continue;
    const key = `${role.database}\0${role.role}`;
    const twin = seen.get(key);
    if (twin === undefined) seen.set(key, role);
    else
      reportRole(
        reading,
        role,
        "role",
        "two files for one role",
        `one file, which ${twin.shownAs} is already`,
        `\`${role.role}\``,
      );
    checkReachable(reading, role, access);
  }
}

function checkAccess(
  reading: Reading,
  databases: ReadonlySet<string>,
  access: readonly PlacedAccess[],
  roles: readonly PlacedRole[],
): void {
  // A file too broken to tell its role may be the one that is missed here.
  const complete = roles.every((role) => role.role !== undefined && role.database !== undefined);
  for (const { path, role, database } of access) {
    if (database === undefined) continue;
    if (!databases.has(database)) {
      report(reading, [...path, "database"], "unknown database", oneOf(database, databases));
      continue;
    }
    const known = roles
      .filter((candidate) => candidate.database === database)
      .flatMap((candidate) => candidate.role ?? []);
    if (role === undefined || known.includes(role) || !complete) continue;
    report(reading, [...path, "role"], "no role file for this role and database", oneOf(role, known));
  }
}

function checkReachable(reading: Reading, role: PlacedRole, access: readonly PlacedAccess[]): void {
  const reachable = access.some(
    (entry) =>
      (entry.role === undefined || entry.role === role.role) &&
      (entry.database === undefined || entry.database === role.database),
  );
  if (reachable) return;
  const expected = `an entry of access with role: ${role.role} and database: ${role.database}, or no such file`;
  reportRole(reading, role, "role", "nothing leads to this role", expected, "no entry of access");
}

/** What the server itself reserves (documentation, CREATE ROLE; ReservedName in catalog.c), or would cut. */
function checkRoleName(reading: Reading, role: PlacedRole): void {
  const name = role.role ?? "";
  if (name !== "none" && name !== "public" && !name.startsWith("pg_") && Buffer.byteLength(name) <= 63)
    return;
  reportRole(
    reading,
    role,
    "role",
    "not a usable role",
    "a name of at most 63 bytes, not none, public or pg_…",
    `\`${name}\``,
  );
}

function reportRole(
  reading: Reading,
  role: PlacedRole,
  setting: "role" | "database",
  message: string,
  expected: string,
  found: string,
): void {
  reading.problems.push({ file: role.shownAs, line: role.lines[setting], setting, message, found, expected });
}
