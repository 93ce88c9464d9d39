import { BodyReader } from "./reader.ts";
import { int32, message, text } from "./writer.ts";

/** The versions that we speak with clients: 3.2 differs from 3.0 in the length of cancel keys only. */
export type ProtocolMinor = 0 | 2;

export type Negotiation = {
  readonly minor: ProtocolMinor;
  /** NegotiateProtocolVersion, to be sent before anything else; undefined where the client gets what it asked for. */
  readonly reply: Buffer | undefined;
};

/** The newest minor version that we speak. */
const newest = 2;

/**
 * Answers what a startup packet asks for. Anything above 3.2 becomes 3.2, the reserved 3.1 becomes 3.0; options
 * (`_pq_.…`) are named back as not supported, even to a client of 3.0 (protocol chapter, NegotiateProtocolVersion).
 */
export function negotiateProtocolVersion(requested: number, options: readonly string[]): Negotiation {
  const minor = requested >= newest ? newest : 0;
  if (minor === requested && options.length === 0) return { minor, reply: undefined };
  const names = options.map((name) => text(name, "protocol option"));
  // The whole version number is meant, not the minor one alone: 196608 in PostgreSQL's own answer.
  return { minor, reply: message("v", int32((3 << 16) | minor), int32(options.length), ...names) };
}

/**
 * Judges a server's NegotiateProtocolVersion: what it speaks instead of the version that was asked for.
 * @param asked the minor version; nothing else was asked for.
 * @throws Error for a version that is newer, unknown or of another major, and for options
 */
export function judgeVersion(bytes: Buffer, start: number, end: number, asked: ProtocolMinor): void {
  const body = new BodyReader(bytes, start, end);
  const version = body.int32();
  const minor = version & 0xffff;
  if (version >> 16 !== 3 || (minor !== 0 && minor !== newest) || minor > asked || body.int32() !== 0)
    throw new Error(`the server answered protocol 3.${asked} with ${version >> 16}.${minor}`);
}

/** Length of the cancel key in BackendKeyData: libpq refuses a longer one on a 3.0 session. */
export function cancelKeyBytes(minor: ProtocolMinor): 4 | 32 {
  return minor === 0 ? 4 : 32;
}
