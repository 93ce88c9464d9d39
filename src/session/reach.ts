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

export function reachOf(
  { roles, held, askable }: FittingRoles,
  database: string,
  whyLost: Reach["whyLost"],
): Reach {
  return {
    roles: new Set(roles),
    held,
    askable: new Map(askable.map((role) => [role, howToAsk(role, database)])),
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
