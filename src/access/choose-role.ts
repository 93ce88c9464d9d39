import type { Problem } from "../errors.ts";
import type { Identity } from "../identity/identity.ts";
import type { AccessEntry } from "./access-entry.ts";
import type { AccessConnection } from "./condition.ts";

export type FittingRoles = {
  /** The roles that the identity may take here, in the file's order, each once. */
  readonly roles: readonly string[];
  /** Entries whose condition could not be evaluated; they count as not fitting. For the log, once per entry. */
  readonly failures: readonly { readonly entry: AccessEntry; readonly reason: string }[];
};

/**
 * The roles that an identity may take in the connection's database.
 * @param now milliseconds since the epoch.
 */
export function rolesFor(
  identity: Identity,
  connection: AccessConnection,
  now: number,
  entries: readonly AccessEntry[],
): FittingRoles {
  const roles = new Set<string>();
  const failures: { entry: AccessEntry; reason: string }[] = [];
  for (const entry of entries) {
    if (entry.database !== connection.database) continue;
    const outcome = entry.condition.evaluate(identity, connection, now);
    switch (outcome.kind) {
      case "fits":
        roles.add(entry.role);
        break;
      case "does not fit":
        break;
      case "failed":
        failures.push({ entry, reason: outcome.reason });
        break;
    }
  }
  return { roles: [...roles], failures };
}

export type ChosenRole =
  | { readonly kind: "role"; readonly role: string }
  | { readonly kind: "refused"; readonly problem: Problem };

/**
 * The role that a session begins with. `user` of the startup packet is the identity's own name (then the first role
 * that fits) or one of the roles that fit. Asked only after authentication, so it may name what the identity has.
 */
export function chooseRole(user: string, identity: Identity, roles: readonly string[]): ChosenRole {
  const [first] = roles;
  if (user === identity.name && first !== undefined) return { kind: "role", role: first };
  if (roles.includes(user)) return { kind: "role", role: user };
  return { kind: "refused", problem: noRole(user, identity, roles) };
}

/** Says the same whether the role exists and is not for this identity, or does not exist. */
function noRole(user: string, identity: Identity, roles: readonly string[]): Problem {
  if (roles.length === 0) {
    return {
      code: "no_role",
      message: `no role of this database is open to "${identity.name}"`,
      detail: "No entry of access fits this identity and connection.",
    };
  }
  return {
    code: "no_role",
    message: `"${identity.name}" may not take the role "${user}"`,
    hint: `Connect as "${identity.name}", or as one of: ${roles.join(", ")}.`,
  };
}
