import { type Path, valueAt } from "../document/document.ts";
import { configurationUrl } from "../identity/discovery.ts";
import type { JwtIssuer } from "../identity/jwt-issuer.ts";
import { type KeyLocation, remoteKeySet } from "../identity/remote-key-set.ts";
import { type Reading, read, report } from "./reading.ts";

export type PlacedIssuer = { readonly issuer: JwtIssuer; readonly plaintext: boolean; readonly path: Path };

/** A `jwt` entry of `identities`. */
export function readIssuer(reading: Reading, path: Path): PlacedIssuer | undefined {
  const given = read(reading, path, reading.schemas.jwt);
  if (given === undefined) return undefined;
  const { jwks } = given;
  if (jwks === undefined && configurationUrl(given.issuer) === undefined) {
    const expected = "a key set, because an issuer that is no https:// URL says nowhere where its keys are";
    report(reading, [...path, "jwks"], "missing", expected);
    return undefined;
  }
  if (jwks?.kind === "keys" && valueAt(reading.document, [...path, "lastKeysFor"]) !== undefined)
    report(reading, [...path, "lastKeysFor"], "has no effect", "jwks that are fetched");
  const location: KeyLocation = jwks?.kind === "url" ? jwks : { kind: "discovery", issuer: given.issuer };
  const issuer: JwtIssuer = {
    issuer: given.issuer,
    scope: given.scope,
    audience: given.audience,
    authorizedParties: given.authorizedParties && new Set(given.authorizedParties),
    algorithms: given.algorithms,
    keys: jwks?.kind === "keys" ? jwks.keys : remoteKeySet(location, { lastKeysFor: given.lastKeysFor }),
    nameClaim: given.name,
    attributes: new Map(Object.entries(given.attributes)),
    mfaAcr: new Set(given.mfaAcr),
    clockTolerance: given.clockTolerance / 1000,
  };
  return { issuer, plaintext: given.allowPlaintextOnLoopback, path };
}
