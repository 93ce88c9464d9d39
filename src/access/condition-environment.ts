import { Environment, EvaluationError } from "@marcbachmann/cel-js";
import { parseCidr } from "../identity/networks.ts";
import { dayOfYear, wallClock, type WallClock } from "./wall-clock.ts";

/** A network, with the names that Kubernetes' CEL library has for it. */
class Cidr {
  readonly contains: (address: string) => boolean | undefined;

  constructor(contains: Cidr["contains"]) {
    this.contains = contains;
  }
}

/** @throws EvaluationError for what is no network */
export function cidr(text: string): Cidr {
  const contains = parseCidr(text);
  if (contains === undefined) throw new EvaluationError(`not a network in CIDR form: ${text}`);
  return new Cidr(contains);
}

const rfc3339 =
  /^\d{4}-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/**
 * The library's own takes whatever Date does: a time without a zone as this process's, and the 30th of February.
 * @throws EvaluationError for anything that RFC 3339 does not call a time
 */
export function timestamp(text: string): Date {
  const [, month, day] = rfc3339.exec(text) ?? [];
  const date = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  if (date.getUTCMonth() + 1 === Number(month) && date.getUTCDate() === Number(day)) return new Date(text);
  throw new EvaluationError(`not a time as in RFC 3339, such as 2026-12-31T18:00:00Z: ${text}`);
}

/** @throws EvaluationError for an unknown zone */
export function clockIn(moment: Date, zone: string): WallClock {
  try {
    return wallClock(moment, zone);
  } catch {
    throw new EvaluationError(`not a time zone: ${zone}`);
  }
}

/** What of a moment CEL knows in a time zone. */
const clockFields: Readonly<Record<string, (wall: WallClock) => number>> = {
  getFullYear: (wall) => wall.getUTCFullYear(),
  getMonth: (wall) => wall.getUTCMonth(),
  getDate: (wall) => wall.getUTCDate(),
  getDayOfMonth: (wall) => wall.getUTCDate() - 1,
  getDayOfWeek: (wall) => wall.getUTCDay(),
  getDayOfYear: dayOfYear,
  getHours: (wall) => wall.getUTCHours(),
  getMinutes: (wall) => wall.getUTCMinutes(),
  getSeconds: (wall) => wall.getUTCSeconds(),
  getMilliseconds: (wall) => wall.getUTCMilliseconds(),
};

/**
 * What stands in for a function of the library's that is wrong, which cannot be replaced under its own name: calls
 * in a condition are renamed before they are checked. Undefined: the library's own is taken.
 */
export function ownFunction(name: string, method: boolean, parameters: number): string | undefined {
  if (!method) return name === "timestamp" ? "rfc3339" : undefined;
  if (name === "getDayOfYear" && parameters === 0) return "getDayOfYearUtc";
  return takesZone(name) && parameters === 1 ? `${name}In` : undefined;
}

/** True for the methods whose argument is a time zone. */
export function takesZone(method: string): boolean {
  return Object.hasOwn(clockFields, method);
}

/** The limits keep a condition's cost small; no condition that a person writes comes near them. */
const base = new Environment({ limits: { maxAstNodes: 2000, maxDepth: 50 } })
  .registerType("cidr", Cidr)
  .registerFunction("cidr(string): cidr", { handler: cidr, async: false })
  .registerFunction("cidr.containsIP(string): bool", { handler: containsIP, async: false })
  .registerFunction("rfc3339(string): google.protobuf.Timestamp", { handler: timestamp, async: false })
  .registerFunction("rfc3339(int): google.protobuf.Timestamp", { handler: fromSeconds, async: false })
  .registerFunction("google.protobuf.Timestamp.getDayOfYearUtc(): int", {
    handler: (moment: Date) => BigInt(dayOfYear(moment)),
    async: false,
  })
  .registerVariable({
    name: "connection",
    schema: { address: "string", tls: "bool", database: "string", application_name: "string" },
  })
  .registerVariable("now", "google.protobuf.Timestamp");
for (const [name, field] of Object.entries(clockFields))
  base.registerFunction(`google.protobuf.Timestamp.${name}In(string): int`, {
    handler: (moment: Date, zone: string) => BigInt(field(clockIn(moment, zone))),
    async: false,
  });

function containsIP({ contains }: Cidr, address: string): boolean {
  const contained = contains(address);
  if (contained === undefined) throw new EvaluationError(`not an IP address: ${address}`);
  return contained;
}

/** From year 1 to 9999, as in CEL's definition. */
function fromSeconds(seconds: bigint): Date {
  if (seconds < -62135596800n || seconds > 253402300799n)
    throw new EvaluationError(`not a time: ${seconds} s since 1970`);
  return new Date(Number(seconds) * 1000);
}

const environments = new WeakMap<ReadonlySet<string>, Environment>();

/**
 * What conditions are written in.
 * @param attributes those that some identity can have
 */
export function conditionEnvironment(attributes: ReadonlySet<string>): Environment {
  let environment = environments.get(attributes);
  if (environment === undefined) {
    const own = {
      name: "string",
      method: "string",
      mfa: "bool",
      age: "google.protobuf.Duration",
    };
    const schema = { ...Object.fromEntries([...attributes].map((name) => [name, "dyn"])), ...own };
    environment = base.clone().registerVariable({ name: "identity", schema });
    environments.set(attributes, environment);
  }
  return environment;
}
