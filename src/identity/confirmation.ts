import { createHash } from "node:crypto";
import type { JWTPayload } from "jose";

/**
 * Why a token that is bound to a key (RFC 7800, `cnf`) is not believed from whoever brings it; undefined: it is bound to
 * nothing, or to the certificate that the client has shown in its TLS handshake (RFC 8705, section 3.1). Any other way of
 * binding is one that we cannot check, and ignoring it would make a stolen token work.
 * @param clientCertificate DER, of a handshake that proved its key; undefined: none was shown
 */
export function unconfirmed(payload: JWTPayload, clientCertificate: Buffer | undefined): string | undefined {
  if (!Object.hasOwn(payload, "cnf")) return undefined;
  const { cnf } = payload;
  const members = typeof cnf === "object" && cnf !== null ? Object.entries(cnf) : [];
  const [[method, thumbprint] = []] = members;
  if (members.length !== 1 || method !== "x5t#S256")
    return "the token is bound to a key in a way that is not supported";
  if (clientCertificate === undefined)
    return "the token is bound to a client certificate, and the client showed none";
  const shown = createHash("sha256").update(clientCertificate).digest("base64url");
  return thumbprint === shown ? undefined : "the token is bound to another client certificate";
}
