import { type Path, contentLineAt, valueAt } from "../document/document.ts";
import { oneOf } from "../document/suggest.ts";
import { configurationUrl } from "../identity/discovery.ts";
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
  known: {
    readonly identities: IdentitiesReading;
    readonly databases: ReadonlySet<string>;
    /** Whether clients are asked for one; undefined: `listen` is wrong itself. */
    readonly certificates: boolean | undefined;
  },
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
    const issuer = issuerOf(reading, path, given, known.identities);
    if (all !== undefined)
      report(reading, path, "never reached", `a place before ${all}, which fits every connection`, "a rule");
    const rule: MethodRule = {
      addresses: given.address,
      tls: given.tls,
      certificate: given.certificate,
      databases: given.database && new Set(given.database),
      users: given.user && anyOf(given.user.map(namePattern)),
      method: given.method,
      issuer,
      source: `${file}:${contentLineAt(reading.document, path)}`,
    };
    if (rule.certificate !== undefined && known.certificates === false)
      report(
        reading,
        [...path, "certificate"],
        "nobody could show one",
        "listen.tls.clientCa",
        "a rule without it",
      );
    if (fitsAll(rule)) all ??= `authentication[${index}]`;
    return [rule];
  });
}

/** Whatever parts there are: one that is new is not forgotten here. */
function fitsAll({ method: _method, issuer: _issuer, source: _source, ...parts }: MethodRule): boolean {
  return Object.values(parts).every((part) => part === undefined);
}

function anyOf(patterns: readonly ((name: string) => boolean)[]): (name: string) => boolean {
  return (name) => patterns.some((fits) => fits(name));
}

/** Whose tokens a rule takes; undefined: any issuer's, or there is a problem with it. */
function issuerOf(
  reading: Reading,
  path: Path,
  { method, issuer }: { readonly method: MethodRule["method"]; readonly issuer?: string | undefined },
  identities: IdentitiesReading,
): string | undefined {
  const at = [...path, "issuer"];
  if (method !== "jwt" && method !== "oauth") {
    if (issuer !== undefined) report(reading, at, "has no effect", "a rule with method jwt or oauth");
    return undefined;
  }
  const names = identities.issuers.map((placed) => placed.issuer.issuer);
  if (issuer === undefined && method === "oauth" && names.length > 1)
    report(reading, at, "missing", `one of ${names.join(", ")}: clients are sent to one issuer`);
  if (issuer !== undefined && !names.includes(issuer) && names.length > 0)
    report(reading, at, "unknown issuer", oneOf(issuer, names));
  const one = issuer ?? (method === "oauth" ? names[0] : undefined);
  if (method === "oauth" && one !== undefined && configurationUrl(one) === undefined)
    report(reading, [...path, "method"], "clients could not sign in", "an issuer that is an https:// URL");
  return one;
}

/** The type of identity that a method needs, if there is none. */
function missingIdentities(method: MethodRule["method"], identities: IdentitiesReading): string | undefined {
  if (method === "password" && identities.users === undefined) return "a password entry";
  if (method === "certificate" && identities.certificates.length === 0) return "a certificate entry";
  if ((method === "jwt" || method === "oauth") && !identities.hasJwt) return "a jwt entry";
  return undefined;
}
