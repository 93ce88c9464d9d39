import { Environment } from "@marcbachmann/cel-js";
import type { AttributeValue, Identity } from "../identity/identity.ts";
import type { AccessConnection } from "./condition.ts";

/** The limits keep a condition's cost small; no condition that a person writes comes near them. */
export const conditionEnvironment = new Environment({ limits: { maxAstNodes: 2000, maxDepth: 50 } })
  .registerVariable("identity", "map")
  .registerVariable({
    name: "connection",
    schema: { address: "string", tls: "bool", database: "string", application_name: "string" },
  })
  .registerVariable("now", "google.protobuf.Timestamp");

/** NAMEDATALEN - 1, where the server cuts it too: the name is the client's to choose, and may meet a regular expression. */
const maxApplicationName = 63;

/**
 * The variables of a condition. `identity` holds the attributes beside `name` and `method`, which no attribute can be
 * called; it has no prototype, so that nothing but these is found in it.
 */
export function conditionScope(
  identity: Identity,
  connection: AccessConnection,
  now: number,
): Record<string, unknown> {
  const attributes: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(identity.attributes)) attributes[name] = celValue(value);
  attributes["name"] = identity.name;
  attributes["method"] = identity.method;
  return {
    identity: attributes,
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
