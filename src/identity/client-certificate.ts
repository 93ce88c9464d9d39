/** What a client proved over TLS. */
export type ClientCertificate =
  | { readonly kind: "none" }
  /** Issued by an authority of the configuration, for clients, and neither expired nor revoked. */
  | { readonly kind: "valid"; readonly certificate: ShownCertificate }
  /** `reason`: OpenSSL's word for it, such as `CERT_HAS_EXPIRED`. */
  | { readonly kind: "invalid"; readonly reason: string };

/** A certificate that was verified (RFC 5280). */
export type ShownCertificate = {
  /** Values by attribute type, `CN`. */
  readonly subject: ReadonlyMap<string, readonly string[]>;
  readonly alternativeNames: readonly AlternativeName[];
  /** The issuer's distinguished name. */
  readonly issuer: string;
  /** In lower-case hex. */
  readonly serial: string;
  /** SHA-256 of the certificate (DER), in lower-case hex. */
  readonly fingerprint: string;
  /** Those of the same certificate with another signature that fits. */
  readonly otherFingerprints: readonly string[];
  /** Its end, in milliseconds since the epoch. */
  readonly validTo: number;
  readonly der: Buffer;
};

/** DER of the certificate that the client proved to have; undefined: none that is valid. */
export function provenCertificate(shown: ClientCertificate): Buffer | undefined {
  return shown.kind === "valid" ? shown.certificate.der : undefined;
}

/** As far as identities are matched with them; names of hosts in lower case. */
export type AlternativeName = { readonly kind: "dns" | "email" | "uri"; readonly value: string };

const kinds: Readonly<Partial<Record<string, AlternativeName["kind"]>>> = {
  DNS: "dns",
  email: "email",
  URI: "uri",
};

/** One name of Node's list: a kind and a value, which is a JSON string where it would be ambiguous (CVE-2021-44532). */
const entry = /([A-Za-z ]+):(?:("(?:[^"\\]|\\.)*")|([^",]*))(?:, |$)/y;

/**
 * Reads `subjectaltname` as Node writes it.
 * @returns undefined for text of another form: what is not read whole is not believed in part
 */
export function readAlternativeNames(text: string): readonly AlternativeName[] | undefined {
  const names: AlternativeName[] = [];
  entry.lastIndex = 0;
  while (entry.lastIndex < text.length) {
    const found = entry.exec(text);
    if (found === null) return undefined;
    const [, kind = "", quoted, plain = ""] = found;
    const value = quoted === undefined ? plain : unquote(quoted);
    if (value === undefined) return undefined;
    const known = kinds[kind];
    if (known !== undefined) names.push({ kind: known, value: canonical(known, value) });
  }
  return names;
}

function unquote(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}

/** Names of hosts have no case (RFC 5280, sections 7.2 and 7.5). */
function canonical(kind: AlternativeName["kind"], value: string): string {
  if (kind === "dns") return value.toLowerCase();
  const at = value.lastIndexOf("@");
  return kind === "email" ? value.slice(0, at + 1) + value.slice(at + 1).toLowerCase() : value;
}
