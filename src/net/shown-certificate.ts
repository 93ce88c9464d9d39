import type { PeerCertificate, TLSSocket } from "node:tls";
import { type ClientCertificate, readAlternativeNames } from "../identity/client-certificate.ts";
import { otherFingerprints } from "./other-fingerprints.ts";

/** What OpenSSL says of the certificate that the peer showed; Node has it in its server alone, and no public name for it. */
type Verified = { readonly verifyError: () => (Error & { readonly code?: string }) | null | undefined };

/** The certificate that a client showed in its handshake, and whether it was verified. */
export function shownCertificate(socket: TLSSocket): ClientCertificate {
  const shown = socket.getPeerCertificate();
  // Node's way to say that there is none.
  if (Object.keys(shown).length === 0) return { kind: "none" };
  const { _handle: handle } = socket as unknown as { readonly _handle?: Partial<Verified> | null };
  if (typeof handle?.verifyError !== "function") return { kind: "invalid", reason: "not verified" };
  const error = handle.verifyError();
  if (error != null) return { kind: "invalid", reason: error.code ?? "not verified" };
  return readCertificate(shown);
}

function readCertificate(shown: PeerCertificate): ClientCertificate {
  const alternativeNames = readAlternativeNames(shown.subjectaltname ?? "");
  const validTo = Date.parse(shown.valid_to);
  if (alternativeNames === undefined || Number.isNaN(validTo))
    return { kind: "invalid", reason: "a field that cannot be read" };
  return {
    kind: "valid",
    certificate: {
      subject: new Map(
        Object.entries(shown.subject ?? {}).map(([type, value]) => [type, [value ?? []].flat()]),
      ),
      alternativeNames,
      issuer: distinguishedName(shown.issuer),
      serial: shown.serialNumber.toLowerCase(),
      fingerprint: shown.fingerprint256.replaceAll(":", "").toLowerCase(),
      otherFingerprints: otherFingerprints(shown.raw),
      validTo,
      der: shown.raw,
    },
  };
}

/** `O=Example, CN=Issuing CA`; for the record. */
function distinguishedName(name: PeerCertificate["issuer"]): string {
  return Object.entries(name ?? {})
    .flatMap(([type, value]) => [value].flat().map((each) => `${type}=${each}`))
    .join(", ");
}
