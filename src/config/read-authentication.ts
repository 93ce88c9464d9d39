import { type Path, contentLineAt, valueAt } from "../document/document.ts";
import { oneOf } from "../document/suggest.ts";
import { type MethodRule, namePattern } from "../identity/choose-method.ts";
import type { IdentitiesReading } from "./read-identities.ts";
import { type Reading, itemsAt, read, report } from "./reading.ts";

/**
 * `authentication`, rule by rule; undefined where there is none.
 * @param file as the record names it
 */
export function readAuthentication(
  reading: Reading,
  file: string,
  known: { readonly identities: IdentitiesReading; readonly databases: ReadonlySet<string> },
): readonly MethodRule[] | undefined {
  if (valueAt(reading.document, ["authentication"]) === undefined) return undefined;
  const items = itemsAt(reading, ["authentication"], "a list of rules with a method") ?? [];
  let all: string | undefined;
  return items.flatMap((_item, index): MethodRule[] => {
    const path: Path = ["authentication", index];
    const given = read(reading, path, reading.schemas.authentication);
    if (given === undefined) return [];
    for (const database of given.database ?? [])
      if (!known.databases.has(database))
        report(reading, [...path, "database"], "unknown database", oneOf(database, known.databases));
    const missing = missingIdentities(given.method, known.identities);
    if (missing !== undefined)
      report(reading, [...path, "method"], "nobody can prove it so", `${missing} in identities`);
    if (all !== undefined)
      report(reading, path, "never reached", `a place before ${all}, which fits every connection`, "a rule");
    const rule: MethodRule = {
      addresses: given.address,
      tls: given.tls,
      certificate: given.certificate,
      databases: given.database && new Set(given.database),
      users: given.user && anyOf(given.user.map(namePattern)),
      method: given.method,
      source: `${file}:${contentLineAt(reading.document, path)}`,
    };
    if (Object.values({ ...rule, method: undefined, source: undefined }).every((part) => part === undefined))
      all ??= `authentication[${index}]`;
    return [rule];
  });
}

function anyOf(patterns: readonly ((name: string) => boolean)[]): (name: string) => boolean {
  return (name) => patterns.some((fits) => fits(name));
}

/** The type of identity that a method needs, if there is none. */
function missingIdentities(method: MethodRule["method"], identities: IdentitiesReading): string | undefined {
  if (method === "password" && identities.users === undefined) return "a password entry";
  if (method === "certificate" && identities.certificates.length === 0) return "a certificate entry";
  if ((method === "jwt" || method === "oauth") && !identities.hasJwt) return "a jwt entry";
  return undefined;
}
