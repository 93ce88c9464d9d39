import type { Config } from "../config/config.ts";
import { oneOf } from "../document/suggest.ts";
import {
  attributeNameExpected,
  attributeValue,
  attributeValueExpected,
  isAttributeName,
} from "../identity/attributes.ts";
import type { AttributeValue, Identity, Method } from "../identity/identity.ts";
import { passwordIdentity } from "../identity/password-users.ts";

/** What is known of an identity beside its name. */
export type Given = {
  /** `name=value`, the value as JSON where it is a number, true, false or a list, else as text. */
  readonly attributes: readonly string[];
  /** Undefined: a password user's where there is one of that name and no attribute is given, else a token's. */
  readonly method?: Method | undefined;
  readonly mfa?: boolean | undefined;
  /** In milliseconds since the epoch. */
  readonly signedInAt: number;
};

/**
 * Who `name` would be after logging in: a password user with the attributes of the configuration, or whoever a token or
 * a certificate says it is, with the attributes given.
 * @throws Error for a name that could not log in, and for attributes that it could not have
 */
export function identityAs(name: string, given: Given, { identities }: Config): Identity {
  const { passwordUsers = new Map(), jwt, certificates, attributes, rules } = identities;
  const { method, mfa = false, signedInAt } = given;
  const user = passwordIdentity(passwordUsers, name, signedInAt);
  const byPassword = method === "password" || (method === undefined && given.attributes.length === 0);
  if (byPassword && user !== undefined) {
    if (given.attributes.length > 0)
      throw new Error("--attribute: a password user has those of rolegate.yaml");
    if (mfa) throw new Error("--mfa: a password is one factor");
    return user;
  }
  const others: readonly Method[] = [
    // A token comes as the rules say.
    ...(["jwt", "oauth"] as const).filter(
      (way) => jwt.length > 0 && rules.some((rule) => rule.method === way),
    ),
    ...(certificates.length > 0 ? ["certificate" as const] : []),
  ];
  const [usual] = others;
  if (method === "password" || usual === undefined) {
    if (user !== undefined)
      throw new Error(
        "--attribute: a password user has those of rolegate.yaml, and no token issuer is configured",
      );
    throw new Error(`--as: found ${name}, expected ${oneOf(name, passwordUsers.keys())}`);
  }
  if (method !== undefined && !others.includes(method))
    throw new Error(`--method: found ${method}, expected ${oneOf(method, others)}, as in identities`);
  return {
    name,
    method: method ?? usual,
    attributes: Object.fromEntries(given.attributes.map((text) => readAttribute(text, attributes))),
    credential: {
      kind: "token",
      issuer: jwt[0]?.issuer ?? "",
      id: undefined,
      key: undefined,
      digest: "",
    },
    signedInAt,
    mfa,
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
