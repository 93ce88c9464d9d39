import type { Config } from "../config/config.ts";
import { oneOf } from "../document/suggest.ts";
import {
  attributeNameExpected,
  attributeValue,
  attributeValueExpected,
  isAttributeName,
} from "../identity/attributes.ts";
import type { AttributeValue, Identity } from "../identity/identity.ts";
import { passwordIdentity } from "../identity/password-users.ts";

/**
 * Who `name` would be after logging in: a password user with the attributes of the configuration, or whoever a token
 * says it is, with the attributes given.
 * @param given `name=value`, the value as JSON where it is a number, true, false or a list, else as text
 * @param now milliseconds since the epoch, when it signed in
 * @throws Error for a name that could not log in, and for attributes that it could not have
 */
export function identityAs(
  name: string,
  given: readonly string[],
  { identities }: Config,
  now: number,
): Identity {
  const { passwordUsers = new Map(), jwt, attributes } = identities;
  const user = passwordIdentity(passwordUsers, name, now);
  if (given.length === 0 && user !== undefined) return user;
  if (jwt.length === 0) {
    if (user !== undefined)
      throw new Error(
        "--attribute: a password user has those of rolegate.yaml, and no token issuer is configured",
      );
    throw new Error(`--as: found ${name}, expected ${oneOf(name, passwordUsers.keys())}`);
  }
  const own = Object.fromEntries(given.map((text) => readAttribute(text, attributes)));
  const credential = {
    kind: "token",
    issuer: jwt[0]!.issuer,
    id: undefined,
    key: undefined,
    digest: "",
  } as const;
  return {
    name,
    method: "jwt",
    attributes: own,
    credential,
    signedInAt: now,
    mfa: false,
    expiresAt: undefined,
  };
}

function readAttribute(text: string, known: ReadonlySet<string>): readonly [string, AttributeValue] {
  const at = text.indexOf("=");
  const name = at < 0 ? text : text.slice(0, at);
  if (at < 0) throw new Error(`--attribute: found ${text}, expected name=value`);
  if (!isAttributeName(name))
    throw new Error(`--attribute: found ${name}, expected ${attributeNameExpected}`);
  if (!known.has(name)) throw new Error(`--attribute: found ${name}, expected ${oneOf(name, known)}`);
  const value = attributeValue(jsonOrText(text.slice(at + 1)));
  if (value === undefined) throw new Error(`--attribute: ${name}: expected ${attributeValueExpected}`);
  return [name, value];
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
