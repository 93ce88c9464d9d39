import type { Problem } from "../errors.ts";
import { cancelCode, maxKey, minKey } from "./cancel-request.ts";
import { maxStartupPacket, minStartupPacket } from "./limits.ts";
import { decodeUtf8 } from "./text.ts";

/** The packets that may open a connection; those that are complete say how many bytes they take. */
export type StartupPacket =
  /** More bytes are needed. */
  | { readonly kind: "incomplete" }
  /** The first byte of a TLS record: the client starts TLS without asking ("direct" negotiation). */
  | { readonly kind: "direct-tls" }
  | { readonly kind: "ssl-request"; readonly bytes: number }
  | { readonly kind: "gss-request"; readonly bytes: number }
  | {
      readonly kind: "cancel-request";
      readonly bytes: number;
      readonly processId: number;
      readonly key: Buffer;
    }
  | {
      readonly kind: "startup";
      readonly bytes: number;
      /** The low 16 bits of the version that was asked for; the high ones are 3. */
      readonly minor: number;
      /** Without `_pq_.` options. Names are unique, `user` is there and not empty. */
      readonly parameters: ReadonlyMap<string, string>;
      /** Names of the protocol options (`_pq_.…`) that were asked for; we know none. */
      readonly protocolOptions: readonly string[];
    }
  /** Close; tell the client why only where `answer` is true, for what comes otherwise is not a Postgres client. */
  | { readonly kind: "refused"; readonly problem: Problem; readonly answer: boolean };

/** Request codes of libpq/pqcomm.h: "versions" that no protocol will have. */
const code = { cancel: cancelCode, ssl: 80_877_103, gss: 80_877_104 } as const;

/** Content type of a TLS handshake record (RFC 8446, section 5.1). */
const tlsHandshake = 0x16;

/**
 * Reads what a client sends first. `buffer` holds what has arrived; bytes behind the packet are left alone, and the
 * caller must refuse them where TLS starts next (CVE-2021-23214).
 */
export function readStartupPacket(buffer: Buffer): StartupPacket {
  if (buffer[0] === tlsHandshake) return { kind: "direct-tls" };
  if (buffer.length < 4) return { kind: "incomplete" };
  const length = buffer.readUInt32BE(0);
  if (length < minStartupPacket || length > maxStartupPacket) {
    return refused("invalid length of startup packet", false);
  }
  if (buffer.length < length) return { kind: "incomplete" };
  const version = buffer.readUInt32BE(4);
  switch (version) {
    case code.ssl:
    case code.gss:
      if (length !== minStartupPacket) return refused("invalid length of startup packet", false);
      return { kind: version === code.ssl ? "ssl-request" : "gss-request", bytes: length };
    case code.cancel:
      return readCancelRequest(buffer, length);
    default:
      return readParameters(buffer, length, version);
  }
}

function readCancelRequest(buffer: Buffer, length: number): StartupPacket {
  const keyBytes = length - 12;
  // Never answered, not even when it is wrong (protocol chapter, "Canceling Requests in Progress").
  if (keyBytes < minKey || keyBytes > maxKey) return refused("invalid length of cancel request", false);
  const key = Buffer.from(buffer.subarray(12, length));
  return { kind: "cancel-request", bytes: length, processId: buffer.readInt32BE(8), key };
}

function readParameters(buffer: Buffer, length: number, version: number): StartupPacket {
  const major = version >>> 16;
  const minor = version & 0xffff;
  if (major !== 3) {
    const message = `unsupported frontend protocol ${major}.${minor}: server supports 3.0 to 3.2`;
    return { kind: "refused", problem: { code: "unsupported_protocol", message }, answer: true };
  }
  const parameters = new Map<string, string>();
  const protocolOptions = new Set<string>();
  let at = 8;
  while (at < length && buffer[at] !== 0) {
    const nameEnd = buffer.indexOf(0, at);
    const valueEnd = nameEnd < 0 ? -1 : buffer.indexOf(0, nameEnd + 1);
    if (nameEnd < 0 || valueEnd < 0 || valueEnd >= length) break;
    const name = decodeUtf8(buffer, at, nameEnd);
    const value = decodeUtf8(buffer, nameEnd + 1, valueEnd);
    if (name === undefined || value === undefined) {
      return refused("invalid startup packet layout: a parameter is not valid UTF-8");
    }
    // The server lets the last one win. Whoever reads the first one would see another user than the server does.
    if (parameters.has(name) || protocolOptions.has(name)) {
      return refused("invalid startup packet layout: a parameter is given twice");
    }
    if (name.startsWith("_pq_.")) protocolOptions.add(name);
    else parameters.set(name, value);
    at = valueEnd + 1;
  }
  if (at !== length - 1 || buffer[at] !== 0) {
    return refused("invalid startup packet layout: expected terminator as last byte");
  }
  if (!parameters.get("user")) return refused("no PostgreSQL user name specified in startup packet");
  return { kind: "startup", bytes: length, minor, parameters, protocolOptions: [...protocolOptions] };
}

function refused(message: string, answer = true): StartupPacket {
  return { kind: "refused", problem: { code: "protocol_violation", message }, answer };
}
