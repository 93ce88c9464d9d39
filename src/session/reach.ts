import { howToAsk, type FittingRoles } from "../access/choose-role.ts";
import type { AccessRequest } from "../access/requests.ts";
import type { Problem } from "../errors.ts";

/** The roles that a session may take. */
export type Reach = {
  readonly roles: ReadonlySet<string>;
  /** Of these, the ones that only a request gives. */
  readonly held: ReadonlyMap<string, AccessRequest>;
  /** The ones that its identity may ask for, with how. */
  readonly askable: ReadonlyMap<string, string>;
  /** Why a role that was held is not there any more. */
  readonly whyLost: (role: string) => Problem;
};

/** @param given the roles that entries of `access` gave the session when it began; they stay. */
export function reachOf(
  given: readonly string[],
  { held, askable }: Pick<FittingRoles, "held" | "askable">,
  database: string,
  whyLost: Reach["whyLost"],
): Reach {
  const roles = new Set([...given, ...held.keys()]);
  return {
    roles,
    held: new Map([...held].filter(([role]) => !given.includes(role))),
    askable: new Map(askable.flatMap((role) => (roles.has(role) ? [] : [[role, howToAsk(role, database)]]))),
    whyLost,
  };
}

/** True if the same roles can be taken and asked for. */
export function isSameReach(one: Reach, other: Reach): boolean {
  return sameNames(one.roles, other.roles) && sameNames(one.askable, other.askable);
}

type Names = Pick<ReadonlySet<string>, "size" | "has" | "keys">;

function sameNames(one: Names, other: Names): boolean {
  return one.size === other.size && [...one.keys()].every((name) => other.has(name));
}
