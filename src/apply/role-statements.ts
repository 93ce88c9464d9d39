import { quoteIdentifier, quoteLiteral } from "../sql/names.ts";
import type { Membership, RoleFacts } from "./read-role.ts";

/** A role file's database role and its login. */
export type RolePair = {
  readonly role: string;
  readonly login: string;
  /** The verifier to store for the login; undefined: the stored one is right. */
  readonly verifier: string | undefined;
};

const comment = "made by rolegate apply";

// An attribute's name in RoleFacts, and how ALTER ROLE takes it away.
const powers = {
  superuser: "NOSUPERUSER",
  createrole: "NOCREATEROLE",
  createdb: "NOCREATEDB",
  replication: "NOREPLICATION",
  bypassrls: "NOBYPASSRLS",
} as const;

/**
 * What keeps apply from managing roles that exist: not made by it (unless `adopt`), more than an ordinary role, or
 * the owner of something, which no REVOKE takes away.
 * @param ownedBeyondDefinitions of roles that define: what they own and may not define.
 */
export function roleProblems(
  found: readonly RoleFacts[],
  adopt: boolean,
  ownedBeyondDefinitions: ReadonlyMap<string, readonly string[]>,
): string[] {
  return found.flatMap((facts) => {
    const problems = [];
    const owned = ownedBeyondDefinitions.get(facts.name) ?? facts.owns;
    if (facts.comment !== comment && !adopt)
      problems.push(`role ${facts.name} exists and was not made by rolegate apply (--adopt takes it over)`);
    const power = facts.comment === comment ? [] : powersOf(facts);
    if (power.length > 0)
      problems.push(`role ${facts.name} has ${power.join(", ")}: apply takes over ordinary roles`);
    if (owned.length > 0)
      problems.push(`role ${facts.name} owns ${owned.join(", ")}: give that to another role first`);
    return problems;
  });
}

/** The statements that make the pair what it should be; none if it is. */
export function roleStatements(pair: RolePair, found: readonly RoleFacts[], serverMajor: number): string[] {
  const role = found.find(({ name }) => name === pair.role);
  const login = found.find(({ name }) => name === pair.login);
  const [roleName, loginName] = [quoteIdentifier(pair.role), quoteIdentifier(pair.login)];
  const password = pair.verifier === undefined ? [] : [`PASSWORD ${quoteLiteral(pair.verifier)}`];

  const roleChanges =
    role === undefined ? [] : [...(role.canlogin ? ["NOLOGIN"] : []), ...withoutPowers(role)];
  const loginChanges =
    login === undefined
      ? []
      : [
          ...(login.canlogin ? [] : ["LOGIN"]),
          ...(login.inherit ? ["NOINHERIT"] : []),
          ...withoutPowers(login),
          ...password,
        ];
  return [
    ...(role === undefined ? [`CREATE ROLE ${roleName} NOLOGIN`] : altered(roleName, roleChanges)),
    ...(role?.comment === comment ? [] : [`COMMENT ON ROLE ${roleName} IS ${quoteLiteral(comment)}`]),
    ...(role?.members_of ?? []).map((of) => `REVOKE ${quoteIdentifier(of.role)} FROM ${roleName}`),
    ...(login === undefined
      ? [`CREATE ROLE ${loginName} ${["LOGIN", "NOINHERIT", ...password].join(" ")}`]
      : altered(loginName, loginChanges)),
    ...(login?.comment === comment ? [] : [`COMMENT ON ROLE ${loginName} IS ${quoteLiteral(comment)}`]),
    // Who got past the proxy once could have left a search_path for every later session of the login.
    ...(login?.has_settings === true ? [`ALTER ROLE ${loginName} RESET ALL`] : []),
    ...memberships(pair, login?.members_of ?? [], serverMajor),
  ];
}

function memberships(pair: RolePair, current: readonly Membership[], serverMajor: number): string[] {
  const [roleName, loginName] = [quoteIdentifier(pair.role), quoteIdentifier(pair.login)];
  const surplus = current.filter(({ role }) => role !== pair.role);
  const own = current.filter(({ role }) => role === pair.role);
  // Before 16 the membership follows the login, which is NOINHERIT by now.
  const fits = own.some(({ inherit, set }) => serverMajor < 16 || (!inherit && set));
  return [
    ...surplus.map(({ role }) => `REVOKE ${quoteIdentifier(role)} FROM ${loginName}`),
    ...(own.some(({ admin }) => admin) ? [`REVOKE ADMIN OPTION FOR ${roleName} FROM ${loginName}`] : []),
    ...(fits
      ? []
      : [`GRANT ${roleName} TO ${loginName}${serverMajor < 16 ? "" : " WITH INHERIT FALSE, SET TRUE"}`]),
  ];
}

function altered(name: string, changes: readonly string[]): string[] {
  return changes.length === 0 ? [] : [`ALTER ROLE ${name} ${changes.join(" ")}`];
}

function powersOf(facts: RoleFacts): string[] {
  return (Object.keys(powers) as (keyof typeof powers)[])
    .filter((power) => facts[power])
    .map((power) => power.toUpperCase());
}

function withoutPowers(facts: RoleFacts): string[] {
  return (Object.keys(powers) as (keyof typeof powers)[])
    .filter((power) => facts[power])
    .map((power) => powers[power]);
}
