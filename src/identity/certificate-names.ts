import { attributeValue } from "./attributes.ts";
import type { AlternativeName, ShownCertificate } from "./client-certificate.ts";
import { isIdentityName } from "./identity-name.ts";
import type { AttributeValue, Identity } from "./identity.ts";
import { type Captures, fillIn, type Pattern } from "./name-template.ts";

/** One entry of `match` of a `certificate` identity: whose certificates are meant, and what they say. */
export type CertificateName = {
  /** By attribute type: the subject has it once, and its value fits. */
  readonly subject: ReadonlyMap<string, Pattern>;
  /** One of the alternative names of the kind fits. */
  readonly alternative: ReadonlyMap<AlternativeName["kind"], Pattern>;
  /** Templates with captures of the patterns. */
  readonly name: string;
  readonly attributes: ReadonlyMap<string, AttributeValue>;
};

export type CertificateResult =
  | { readonly kind: "identity"; readonly identity: Identity }
  /** For the record alone. */
  | { readonly kind: "refused"; readonly reason: string };

/**
 * Who a verified certificate says that the client is: by the first entry that fits.
 * @param now milliseconds since the epoch
 */
export function certificateIdentity(
  certificate: ShownCertificate,
  entries: readonly CertificateName[],
  now: number,
): CertificateResult {
  // A SPIFFE certificate has one URI (X.509-SVID, section 2): of two, who decides which one speaks?
  const uris = certificate.alternativeNames.filter(({ kind }) => kind === "uri");
  if (uris.length > 1 && uris.some(({ value }) => value.toLowerCase().startsWith("spiffe:")))
    return refused("the certificate has a SPIFFE identity beside another URI");
  for (const entry of entries) {
    const captures = capturesFrom(certificate, entry);
    if (captures === undefined) continue;
    const name = fillIn(entry.name, captures);
    if (!isIdentityName(name)) return refused("the certificate does not give a usable name");
    const attributes: Record<string, AttributeValue> = {};
    for (const [attribute, template] of entry.attributes) {
      const value = attributeValue(filled(template, captures));
      if (value === undefined) return refused(`the certificate does not give a usable ${attribute}`);
      attributes[attribute] = value;
    }
    const { fingerprint, serial, issuer, validTo } = certificate;
    return {
      kind: "identity",
      identity: {
        name,
        method: "certificate",
        attributes,
        credential: { kind: "certificate", fingerprint, serial, issuer },
        signedInAt: now,
        mfa: false,
        expiresAt: validTo,
      },
    };
  }
  return refused("no entry of match fits the certificate");
}

/** All captures of an entry's patterns; undefined if one of them does not fit. */
function capturesFrom(
  { subject, alternativeNames }: ShownCertificate,
  entry: CertificateName,
): Captures | undefined {
  const captures = new Map<string, string>();
  for (const [type, pattern] of entry.subject) {
    const values = subject.get(type) ?? [];
    const found = values.length === 1 ? pattern.match(values[0]!) : undefined;
    if (found === undefined) return undefined;
    for (const [name, value] of found) captures.set(name, value);
  }
  for (const [wanted, pattern] of entry.alternative) {
    const fitting = alternativeNames.flatMap(({ kind, value }) =>
      kind === wanted ? (pattern.match(value) ?? []) : [],
    );
    // Two that fit would be two names for one client.
    if (fitting.length !== 1) return undefined;
    for (const [name, value] of fitting[0]!) captures.set(name, value);
  }
  return captures;
}

function filled(template: AttributeValue, captures: Captures): unknown {
  if (typeof template === "string") return fillIn(template, captures);
  if (!Array.isArray(template)) return template;
  return template.map((each: string | number | boolean) => filled(each, captures));
}

function refused(reason: string): CertificateResult {
  return { kind: "refused", reason };
}
