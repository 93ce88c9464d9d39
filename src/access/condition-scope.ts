import { Duration } from "@marcbachmann/cel-js/evaluator";
import type { AttributeValue, Identity } from "../identity/identity.ts";
import type { AccessConnection } from "./condition.ts";

/** NAMEDATALEN - 1, where the server cuts it too: the name is the client's to choose, and may meet a regular expression. */
const maxApplicationName = 63;

/**
 * The variables of a condition. `identity` holds the attributes beside what every identity has, which no attribute can be
 * called; it has no prototype, so that nothing but these is found in it.
 */
export function conditionScope(
  identity: Identity,
  connection: AccessConnection,
  now: number,
): Record<string, unknown> {
  const known: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(identity.attributes)) known[name] = celValue(value);
  known["name"] = identity.name;
  known["method"] = identity.method;
  known["mfa"] = identity.mfa;
  // A sign-in is not in the future, whatever two clocks say.
  known["age"] = Duration.fromMilliseconds(Math.max(0, now - identity.signedInAt));
  return {
    identity: known,
    connection: {
      address: connection.address.replace(/^::ffff:(?=[0-9.]+$)/i, ""),
      tls: connection.tls,
      database: connection.database,
      application_name: connection.applicationName.slice(0, maxApplicationName),
    },
    now: new Date(now),
  };
}

/** CEL's int is a bigint here, its double a number: whole numbers are meant as ints. */
function celValue(value: AttributeValue): unknown {
  if (Array.isArray(value)) return value.map((element: string | number | boolean) => celValue(element));
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
}
