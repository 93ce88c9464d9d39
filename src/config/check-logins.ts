import { loginUser } from "./config.ts";
import type { BareDatabase } from "./read-databases.ts";
import type { PlacedRole } from "./read-roles.ts";
import { type Reading, report } from "./reading.ts";

/**
 * Roles and logins belong to the whole server (documentation, chapter 21), so they are held against each other by
 * server: a login shared by two roles could become either, and a login that is itself a role would have its rights.
 */
export function checkLogins(
  reading: Reading,
  databases: readonly BareDatabase[],
  roles: readonly PlacedRole[],
): void {
  const rolesOf = (database: string) =>
    roles.filter((role) => role.database === database).flatMap((role) => role.role ?? []);
  const servers = Map.groupBy(
    databases,
    ({ upstream }) => `${upstream.host.toLowerCase()}\0${upstream.port}`,
  );
  for (const members of servers.values()) {
    const roleNames = new Set(members.flatMap((database) => rolesOf(database.name)));
    const owners = new Map<string, string>();
    for (const database of members) {
      for (const role of rolesOf(database.name)) {
        const login = loginUser(database.login, role);
        const problem = loginProblem(login, role, roleNames, owners);
        if (problem !== undefined) report(reading, ["databases", database.name, "login", "user"], ...problem);
        owners.set(login, role);
      }
    }
  }
}

function loginProblem(
  login: string,
  role: string,
  roleNames: ReadonlySet<string>,
  owners: ReadonlyMap<string, string>,
): [message: string, expected: string, found: string] | undefined {
  if (Buffer.byteLength(login) > 63) {
    return ["the login is too long", "at most 63 bytes with the role in it", `\`${login}\` for role ${role}`];
  }
  if (roleNames.has(login)) {
    return [
      "the login is itself a role",
      "logins that are no role of the same server",
      `\`${login}\` for role ${role}`,
    ];
  }
  const owner = owners.get(login);
  if (owner === undefined || owner === role) return undefined;
  return [
    "two roles share a login",
    "a login of its own for every role of the same server",
    `\`${login}\` for the roles ${owner} and ${role}`,
  ];
}
