import { X509Certificate } from "node:crypto";
import { TLSSocket } from "node:tls";
import type { Socket } from "node:net";
import { certificateHash } from "../net/tls.ts";

const plus = "SCRAM-SHA-256-PLUS";

/** The codes of authentication messages (protocol chapter, "Message Formats"). */
const ok = 0;
const sasl = 10;
const saslContinue = 11;
const saslFinal = 12;

/**
 * Holds a server to SCRAM-SHA-256-PLUS (libpq's channel_binding=require): it has to know the password, and its login
 * has to be bound to the certificate that was seen. Whoever is between us and the server can do neither (CVE-2025-49146).
 */
export class RequiredBinding {
  #proven = false;

  /**
   * Takes an authentication message before it is acted on.
   * @param message the whole message, type byte included
   * @throws Error for one that asks for anything else, or lets us in without proof
   */
  receive(message: Buffer, stream: Socket): void {
    const code = message.readInt32BE(5);
    if (code === sasl) {
      const offered = message.toString("latin1", 9).split("\0");
      if (!offered.includes(plus))
        throw new Error(`the server does not offer ${plus}; channel_binding=require asks for it`);
      if (!(stream instanceof TLSSocket) || !hasHash(stream))
        throw new Error("the server's certificate has no hash to bind to; channel_binding=require needs one");
    } else if (code === saslFinal) {
      this.#proven = true;
    } else if (code !== saslContinue && !(code === ok && this.#proven)) {
      throw new Error("the server does not use SCRAM; channel_binding=require asks for it");
    }
  }
}

/** Ed25519 has none (CVE-2026-54291). */
function hasHash(stream: TLSSocket): boolean {
  // Not getPeerX509Certificate: behind it, pg's own look at the certificate finds none (seen with Node 24).
  const { raw } = stream.getPeerCertificate();
  return certificateHash(new X509Certificate(raw)) !== undefined;
}
