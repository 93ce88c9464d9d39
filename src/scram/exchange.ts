import { createHash, timingSafeEqual } from "node:crypto";
import { decodeBase64 } from "./base64.ts";
import { hmac, type Verifier } from "./verifier.ts";

/**
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS as a server (RFC 5802, RFC 7677). The exchange: offer `mechanisms`; begin;
 * give the client's first message to `receiveFirst` and send the answer; give its final message to `receiveFinal`,
 * and only if that says "authenticated" send the last answer and let the client in.
 *
 * Messages are held in byte form, one character per byte, for the proof is over the bytes that were sent.
 */
export type Beginning = {
  readonly verifier: Verifier;
  /** The server's part: printable without commas, fresh and random (18 bytes in base64, as PostgreSQL has it). */
  readonly nonce: string;
  /** Hash of the certificate that the client saw (RFC 5929, tls-server-end-point); undefined: PLUS is not offered. */
  readonly certificateHash: Buffer | undefined;
};

/** What is known once the first two messages are exchanged. */
export type AwaitingFinal = {
  readonly verifier: Verifier;
  readonly fullNonce: string;
  /** What `c=` must be. */
  readonly channelBinding: string;
  /** client-first-message-bare and server-first-message, with a comma between and behind. */
  readonly authMessageStart: string;
};

export type Failure = {
  readonly kind: "failed";
  readonly code: "protocol_violation" | "authentication_failed" | "unsupported_protocol";
  /** For the log; the client may be told it where the code is not authentication_failed. Holds no secret. */
  readonly reason: string;
};

export type FirstOutcome =
  | Failure
  | { readonly kind: "continue"; readonly state: AwaitingFinal; readonly answer: string };
export type FinalOutcome = Failure | { readonly kind: "authenticated"; readonly answer: string };

const plain = "SCRAM-SHA-256";
const plus = "SCRAM-SHA-256-PLUS";

/** The mechanisms to offer, best first; PLUS only where there is a hash to bind to (CVE-2026-54291). */
export function mechanisms(certificateHash: Buffer | undefined): readonly string[] {
  return certificateHash === undefined ? [plain] : [plus, plain];
}

const printable = /^[\x21-\x2b\x2d-\x7e]+$/;

/** Takes the mechanism that the client chose and its client-first-message. */
export function receiveFirst(beginning: Beginning, mechanism: string, message: Buffer): FirstOutcome {
  const { verifier, nonce, certificateHash } = beginning;
  if (!printable.test(nonce)) throw new TypeError("the server's nonce must be printable");
  if (!mechanisms(certificateHash).includes(mechanism)) {
    return failed("protocol_violation", "client selected an invalid SASL authentication mechanism");
  }
  const [flag, authorization, ...attributes] = message.toString("latin1").split(",");
  if (flag === undefined || authorization === undefined || message.includes(0))
    return malformed("client-first");
  const binding = channelBinding(flag, mechanism, certificateHash);
  if (binding.kind === "failed") return binding;
  if (authorization !== "") {
    return failed("unsupported_protocol", "client uses authorization identity, but it is not supported");
  }
  if (attributes.some((attribute) => attribute.startsWith("m="))) {
    return failed("unsupported_protocol", "client requires an unsupported SCRAM extension");
  }
  // The name is ignored, as PostgreSQL does: who logs in was said in the startup packet, and there alone.
  const [name, clientNonce, ...extensions] = attributes;
  if (!name?.startsWith("n=") || !clientNonce?.startsWith("r=") || !extensions.every(isAttribute)) {
    return malformed("client-first");
  }
  if (!printable.test(clientNonce.slice(2))) {
    return failed("protocol_violation", "non-printable characters in SCRAM nonce");
  }
  const fullNonce = clientNonce.slice(2) + nonce;
  const answer = `r=${fullNonce},s=${verifier.salt.toString("base64")},i=${verifier.iterations}`;
  const authMessageStart = `${attributes.join(",")},${answer},`;
  const state = { verifier, fullNonce, channelBinding: binding.expected, authMessageStart };
  return { kind: "continue", state, answer };
}

/** Takes the client-final-message; the only place where a client becomes authenticated. */
export function receiveFinal(state: AwaitingFinal, message: Buffer): FinalOutcome {
  const { verifier } = state;
  const attributes = message.toString("latin1").split(",");
  const [binding, nonce, ...extensions] = attributes;
  const proofAttribute = extensions.pop();
  if (!binding?.startsWith("c=") || !nonce?.startsWith("r=") || !proofAttribute?.startsWith("p=")) {
    return malformed("client-final");
  }
  if (
    message.includes(0) ||
    !extensions.every((extension) => isAttribute(extension) && !/^[mp]/.test(extension))
  ) {
    return malformed("client-final");
  }
  if (binding.slice(2) !== state.channelBinding)
    return failed("protocol_violation", "SCRAM channel binding check failed");
  if (nonce.slice(2) !== state.fullNonce) return failed("protocol_violation", "SCRAM nonce does not match");
  const proof = decodeBase64(proofAttribute.slice(2));
  if (proof?.length !== verifier.storedKey.length) return malformed("client-final");

  const withoutProof = attributes.slice(0, -1).join(",");
  const authMessage = Buffer.from(state.authMessageStart + withoutProof, "latin1");
  const signature = hmac(verifier.storedKey, authMessage);
  const clientKey = Buffer.from(proof.map((byte, index) => byte ^ signature[index]!));
  const proven = timingSafeEqual(createHash("sha256").update(clientKey).digest(), verifier.storedKey);
  const answer = `v=${hmac(verifier.serverKey, authMessage).toString("base64")}`;
  if (!proven || verifier.mock) return failed("authentication_failed", "the proof does not match");
  return { kind: "authenticated", answer };
}

type Binding = Failure | { readonly kind: "bound"; readonly expected: string };

/** Judges the gs2-cbind-flag and tells what `c=` must be in the final message (RFC 5802, sections 6 and 7). */
function channelBinding(flag: string, mechanism: string, certificateHash: Buffer | undefined): Binding {
  const bound = (data: Buffer = Buffer.alloc(0)): Binding => {
    const header = Buffer.from(`${flag},,`, "latin1");
    return { kind: "bound", expected: Buffer.concat([header, data]).toString("base64") };
  };
  if (mechanism === plus) {
    if (flag === "p=tls-server-end-point") return bound(certificateHash);
    return failed("protocol_violation", "the SCRAM message does not bind to tls-server-end-point");
  }
  if (flag === "n") return bound();
  if (flag === "y") {
    // The client thinks that we do not offer PLUS. If we did, somebody between took it out of the list.
    if (certificateHash === undefined) return bound();
    return failed("authentication_failed", "SCRAM channel binding negotiation error");
  }
  if (flag.startsWith("p="))
    return failed("protocol_violation", "channel binding without SCRAM-SHA-256-PLUS");
  return malformed("client-first");
}

/** attr-val of RFC 5802, section 7: a letter, `=`, and something. */
function isAttribute(text: string): boolean {
  return /^[A-Za-z]=./s.test(text);
}

function malformed(which: "client-first" | "client-final"): Failure {
  return failed("protocol_violation", `malformed SCRAM message (${which}-message)`);
}

function failed(code: Failure["code"], reason: string): Failure {
  return { kind: "failed", code, reason };
}
