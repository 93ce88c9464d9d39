import { certificateIdentity } from "../../../identity/certificate-names.ts";
import type { Identity } from "../../../identity/identity.ts";
import type { Premises } from "../authenticate.ts";
import { LoginRefused } from "../login-refused.ts";

/** The certificate was shown in the TLS handshake: nothing more is asked. */
export function proveCertificate({ clientCertificate, identities }: Premises): Identity {
  if (clientCertificate.kind !== "valid")
    throw new LoginRefused(
      "not_admitted",
      "connection requires a valid client certificate",
      "none was shown",
    );
  const result = certificateIdentity(clientCertificate.certificate, identities.certificates, Date.now());
  if (result.kind === "identity") return result.identity;
  throw new LoginRefused("authentication_failed", "certificate authentication failed", result.reason);
}
