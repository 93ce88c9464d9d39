import { isDeepStrictEqual } from "node:util";
import type { Config } from "../config/config.ts";
import { ownDatabase } from "../config/read-databases.ts";
import type { Problem } from "../errors.ts";
import type { Identity } from "../identity/identity.ts";
import type { LiveSession } from "./live-sessions.ts";

/** How a session ends: at once, cancelled, or when what runs is done. */
export type Ended = { readonly problem: Problem; readonly grace?: 0 };

/**
 * Which sessions may not go on under a configuration that takes another's place.
 * @param rolesOf the roles that are open to a session's identity now, under the new one
 */
export function endedBy(
  before: Config,
  after: Config,
  rolesOf: (session: LiveSession, now: number) => readonly string[],
): (session: LiveSession, now: number) => Ended | undefined {
  return (session, now) => {
    const { identity, role, nextRole, connection } = session;
    const stranger = changedIdentity(identity, before, after);
    if (stranger !== undefined) return { problem: ended(stranger), grace: 0 };
    if (connection.database === ownDatabase) return undefined;
    const roles = rolesOf(session, now);
    const [was, is] = [before, after].map(({ databases }) => databases.get(connection.database)?.roles);
    for (const name of nextRole === undefined ? [role] : [role, nextRole]) {
      const file = is?.get(name);
      if (file === undefined) return { problem: ended(`the role "${name}" was removed`), grace: 0 };
      if (!roles.includes(name))
        return { problem: ended(`"${identity.name}" may no longer take the role "${name}"`), grace: 0 };
      // What runs was allowed by the rules of its time; nothing more is judged by them.
      if (!isDeepStrictEqual(was?.get(name), file))
        return { problem: ended(`the rules of role "${name}" have changed`) };
    }
    return undefined;
  };
}

/** Why the configuration would not give this identity any more; undefined: it would, as far as can be told. */
function changedIdentity({ name, credential }: Identity, before: Config, after: Config): string | undefined {
  switch (credential.kind) {
    case "password": {
      const user = after.identities.passwordUsers?.get(name);
      if (user === undefined) return `the user "${name}" was removed`;
      const same = isDeepStrictEqual(before.identities.passwordUsers?.get(name), user);
      return same ? undefined : `the password or the attributes of "${name}" have changed`;
    }
    case "token": {
      const [was, is] = [before, after].map(({ identities }) =>
        identities.jwt.find(({ issuer }) => issuer === credential.issuer),
      );
      if (is === undefined) return "the issuer of the token was removed";
      return asText(was) === asText(is) ? undefined : "the issuer's entry has changed";
    }
    case "certificate":
      break;
  }
  const [was, is] = [before, after].map(({ identities }) => asText(identities.certificates));
  return was === is ? undefined : "what certificates say has changed";
}

/** What the file says: what was made of it, such as keys and patterns, is made anew with each reading. */
function asText(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    each instanceof Map || each instanceof Set ? [...(each as Iterable<unknown>)] : each,
  );
}

function ended(why: string): Problem {
  return { code: "session_ended", message: `the configuration was changed: ${why}`, hint: "Connect again." };
}
