import { constants, createHash, X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { revocationListsOf } from "../identity/revocation-lists.ts";

/** What the listener shows to clients over TLS; loaded once. */
export type TlsServer = {
  readonly context: SecureContext;
  /**
   * Hash of the certificate for channel binding (RFC 5929, section 4.1: tls-server-end-point); undefined where the
   * RFC defines none for its signature, and SCRAM-SHA-256-PLUS must then not be offered.
   */
  readonly certificateHash: Buffer | undefined;
  /** Whether clients are asked for a certificate. */
  readonly asksForCertificate: boolean;
};

/** PEM texts; `certificate` is the server's own first and then its intermediates. */
export type TlsMaterial = {
  readonly certificate: string;
  readonly key: string;
  /** The authorities whose client certificates are believed; undefined: none is asked for. */
  readonly clientCa?: string | undefined;
  /** Their revocation lists; undefined: none is looked at. */
  readonly clientCrl?: string | undefined;
};

/** The ALPN name of the Postgres protocol (protocol chapter, "SSL Session Encryption"). */
const alpn = "postgresql";

/**
 * Loads what TLS needs.
 * @throws Error of node:crypto for a certificate or key that cannot be read or do not belong together
 */
export function loadTlsServer({ certificate, key, clientCa, clientCrl }: TlsMaterial): TlsServer {
  const context = createSecureContext({
    cert: certificate,
    key,
    ...(clientCa !== undefined && { ca: clientCa }),
    ...(clientCrl !== undefined && { crl: listsOf(clientCrl) }),
    minVersion: "TLSv1.2",
    // Naming the curves saves a sixth of a handshake against the default list.
    ecdhCurve: "X25519:P-256",
    // As libpq and the server do: renegotiation (TLS 1.2) is of no use here, and a way to burn a server's CPU.
    // And a session that is resumed would bring a certificate past the lists of today.
    secureOptions:
      constants.SSL_OP_NO_RENEGOTIATION | (clientCa === undefined ? 0 : constants.SSL_OP_NO_TICKET),
  });
  return {
    context,
    certificateHash: certificateHash(new X509Certificate(certificate)),
    asksForCertificate: clientCa !== undefined,
  };
}

function listsOf(pem: string): string[] {
  const lists = revocationListsOf(pem);
  if (lists === undefined) throw new Error("the client revocation lists cannot be read whole");
  return [...lists];
}

/**
 * Takes the server's part in a TLS handshake. Two ways lead here: after SSLRequest and our `S`, with `first` left out,
 * or with the first bytes of a client that began TLS without asking ("direct"), which must name the protocol by ALPN.
 * `socket` must have no `data` listener any more.
 *
 * Rejects, and destroys the socket, if the handshake fails or ends early; also if bytes were read after an SSLRequest
 * and before TLS: those may come from somebody in between (CVE-2021-23214). Has no deadline of its own: destroying
 * `socket` ends it.
 */
export function acceptTls(socket: Socket, server: TlsServer, first?: Buffer): Promise<TLSSocket> {
  if (socket.readableLength > 0) {
    socket.destroy();
    return Promise.reject(new Error("received unencrypted data after SSL request"));
  }
  // TLS reads what lies in the socket's buffer before it reads from the connection.
  if (first !== undefined) socket.unshift(first);
  const secured = new TLSSocket(socket, {
    isServer: true,
    secureContext: server.context,
    ALPNProtocols: [alpn],
    // One that is not valid is told so in words, by who reads `shownCertificate`.
    requestCert: server.asksForCertificate,
    rejectUnauthorized: false,
  });
  destroyTogether(socket, secured);
  return new Promise((resolve, reject) => {
    const fail = (message: string, cause?: Error) => {
      secured.destroy();
      reject(new Error(message, { cause }));
    };
    const onClose = () => fail("connection closed during TLS handshake");
    // Stays, so that an error before the next owner listens is no uncaught one; rejecting twice does nothing.
    secured.on("error", (error: Error) => fail("TLS handshake failed", error));
    secured.once("close", onClose);
    secured.once("secure", () => {
      secured.off("close", onClose);
      if (first === undefined || secured.alpnProtocol === alpn) resolve(secured);
      else fail("direct TLS without ALPN");
    });
  });
}

/**
 * Makes destroying the inner socket destroy the outer one. Node frees what TLS still uses if the inner socket goes
 * first and the outer one in the same turn, and the process dies of it (seen with Node 24).
 */
function destroyTogether(inner: Socket, outer: TLSSocket): void {
  const destroyInner = inner.destroy.bind(inner);
  inner.destroy = (error?: Error) => {
    if (outer.destroyed) destroyInner(error);
    else outer.destroy(error);
    return inner;
  };
}

/** Hash by object identifier of the signature's algorithm; MD5 and SHA-1 count as SHA-256 (RFC 5929, section 4.1). */
const hashBySignature: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.4": "sha256", // md5WithRSAEncryption
  "1.2.840.113549.1.1.5": "sha256", // sha1WithRSAEncryption
  "1.2.840.113549.1.1.11": "sha256", // sha256WithRSAEncryption
  "1.2.840.113549.1.1.12": "sha384", // sha384WithRSAEncryption
  "1.2.840.113549.1.1.13": "sha512", // sha512WithRSAEncryption
  "1.2.840.113549.1.1.14": "sha224", // sha224WithRSAEncryption
  "1.2.840.10045.4.1": "sha256", // ecdsa-with-SHA1
  "1.2.840.10045.4.3.1": "sha224", // ecdsa-with-SHA224
  "1.2.840.10045.4.3.2": "sha256", // ecdsa-with-SHA256
  "1.2.840.10045.4.3.3": "sha384", // ecdsa-with-SHA384
  "1.2.840.10045.4.3.4": "sha512", // ecdsa-with-SHA512
};

/** The hash of a certificate that channel binding uses; undefined where the RFC defines none. */
export function certificateHash(certificate: X509Certificate): Buffer | undefined {
  const hash = hashBySignature[certificate.signatureAlgorithmOid ?? ""];
  return hash === undefined ? undefined : createHash(hash).update(certificate.raw).digest();
}
