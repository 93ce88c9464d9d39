import type { Problem } from "../errors.ts";
import type { Identity } from "../identity/identity.ts";
import type { AccessEntry } from "./access-entry.ts";
import type { AccessConnection } from "./condition.ts";
import type { AccessRequest } from "./requests.ts";

export type FittingRoles = {
  /**
   * The roles that the identity may take here, each once: those that entries give, in the file's order, then those that
   * a request gives. So nobody begins with more than they always have, unless they name it.
   */
  readonly roles: readonly string[];
  /** Of these, the ones that only a request gives, with that request. */
  readonly held: ReadonlyMap<string, AccessRequest>;
  /** Roles that the identity does not have and may ask for. */
  readonly askable: readonly string[];
  /** Entries whose condition could not be evaluated; they count as not fitting. For the log, once per entry. */
  readonly failures: readonly { readonly entry: AccessEntry; readonly reason: string }[];
};

/**
 * The roles that an identity may take in the connection's database.
 * @param now milliseconds since the epoch.
 * @param grantOf a request that is in force for an entry and this identity.
 */
export function rolesFor(
  identity: Identity,
  connection: AccessConnection,
  now: number,
  entries: readonly AccessEntry[],
  grantOf: (entry: AccessEntry) => AccessRequest | undefined = () => undefined,
): FittingRoles {
  const given = new Set<string>();
  const held = new Map<string, AccessRequest>();
  const askable = new Set<string>();
  const failures: { entry: AccessEntry; reason: string }[] = [];
  for (const entry of entries) {
    if (entry.database !== connection.database) continue;
    const outcome = entry.condition.evaluate(identity, connection, now);
    switch (outcome.kind) {
      case "fits": {
        const grant = entry.onRequest && grantOf(entry);
        if (entry.onRequest === undefined) given.add(entry.role);
        else if (grant !== undefined) held.set(entry.role, grant);
        else askable.add(entry.role);
        break;
      }
      case "does not fit":
        break;
      case "failed":
        failures.push({ entry, reason: outcome.reason });
        break;
    }
  }
  for (const role of given) held.delete(role);
  const roles = [...given, ...held.keys()];
  return { roles, held, askable: [...askable].filter((role) => !roles.includes(role)), failures };
}

export type ChosenRole =
  | { readonly kind: "role"; readonly role: string }
  | { readonly kind: "refused"; readonly problem: Problem };

/**
 * The role that a session begins with. `user` of the startup packet is the identity's own name (then the first role
 * that fits) or one of the roles that fit. `askable`: what a refusal says of roles that may be asked for. Asked only after authentication, so it may name what the identity has.
 */
export function chooseRole(
  user: string,
  identity: Identity,
  roles: readonly string[],
  askable: ReadonlyMap<string, string> = new Map(),
): ChosenRole {
  const [first] = roles;
  if (user === identity.name && first !== undefined) return { kind: "role", role: first };
  if (roles.includes(user)) return { kind: "role", role: user };
  return { kind: "refused", problem: noRole(user, identity, roles, askHint(user, identity, askable)) };
}

/** Says the same whether the role exists and is not for this identity, or does not exist. */
function noRole(
  user: string,
  identity: Identity,
  roles: readonly string[],
  ask: string | undefined,
): Problem {
  if (roles.length === 0) {
    return {
      code: "no_role",
      message: `no role of this database is open to "${identity.name}"`,
      detail: "No entry of access fits this identity and connection.",
      hint: ask,
    };
  }
  return {
    code: "no_role",
    message: `"${identity.name}" may not take the role "${user}"`,
    hint: ask ?? `Connect as "${identity.name}", or as one of: ${roles.join(", ")}.`,
  };
}

/** How to ask for the role that they want: the one that they name, or the first where they name none. */
function askHint(user: string, { name }: Identity, askable: ReadonlyMap<string, string>): string | undefined {
  const [first] = askable.values();
  return askable.get(user) ?? (user === name ? first : undefined);
}

/** The command that asks for a role. */
export function howToAsk(role: string, database: string): string {
  return `Ask for it: rolegate request --role ${word(role)} --database ${word(database)} --reason …`;
}

/** As a shell wants it. */
function word(text: string): string {
  return /^[\w.@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
