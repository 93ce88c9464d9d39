import { refuse } from "../errors.ts";
import { headerBytes } from "./frame-table.ts";
import { BodyReader } from "./reader.ts";
import { decodeUtf8, endOfText, wireName } from "./text.ts";

// The messages of a client. Every function takes one message as `buffer[start, end)`, from its type byte to the byte
// after its last, and throws RolegateError protocol_violation where the body is not what the protocol says. Names and
// SQL texts come in byte form (text.ts).

/** Query: its SQL. */
export function readQuery(buffer: Buffer, start: number, end: number): string {
  const textEnd = endOfText(buffer, start + headerBytes, end);
  if (textEnd !== end - 1) refuse("protocol_violation", "invalid message format");
  return buffer.toString("latin1", start + headerBytes, textEnd);
}

/** @throws RolegateError protocol_violation, in the server's words, where a body has not exactly the bytes that it needs */
function endsAt(bytes: number, needed: number): void {
  if (bytes < needed) refuse("protocol_violation", "insufficient data left in message");
  if (bytes > needed) refuse("protocol_violation", "invalid message format");
}

export type ParseMessage = {
  readonly name: string;
  readonly sql: string;
  /** Where the count of parameter types stands; they reach to the message's end. */
  readonly typesStart: number;
};

export function readParse(buffer: Buffer, start: number, end: number): ParseMessage {
  const nameStart = start + headerBytes;
  const nameEnd = endOfText(buffer, nameStart, end);
  const sqlEnd = endOfText(buffer, nameEnd + 1, end);
  const typesStart = sqlEnd + 1;
  const bytes = end - typesStart;
  endsAt(bytes, bytes < 2 ? 2 : 2 + 4 * buffer.readUInt16BE(typesStart));
  const sql = buffer.toString("latin1", nameEnd + 1, sqlEnd);
  return { name: wireName(buffer, nameStart, nameEnd), sql, typesStart };
}

/** How much of a FunctionCall holds the function. */
export const functionCallHead = headerBytes + 4;

/** FunctionCall, or its first `functionCallHead` bytes: the function's OID; undefined if it has none. */
export function readFunctionOid(buffer: Buffer, start: number, end: number): number | undefined {
  return end - start < functionCallHead ? undefined : buffer.readUInt32BE(start + headerBytes);
}

/** How much of a Bind holds both names: names have at most 63 bytes that count, and parameters may be of any size. */
export const bindHead = 1024;

export type BindMessage = { readonly portal: string; readonly statement: string };

/** Bind, or its first `bindHead` bytes; the parameters are left to the server. */
export function readBind(buffer: Buffer, start: number, end: number): BindMessage {
  const portalStart = start + headerBytes;
  const portalEnd = endOfText(buffer, portalStart, end);
  const statementEnd = endOfText(buffer, portalEnd + 1, end);
  return {
    portal: wireName(buffer, portalStart, portalEnd),
    statement: wireName(buffer, portalEnd + 1, statementEnd),
  };
}

export type TargetMessage = { readonly target: "statement" | "portal"; readonly name: string };

/** Describe or Close: what they name. */
export function readTarget(buffer: Buffer, start: number, end: number): TargetMessage {
  if (end - start === headerBytes) refuse("protocol_violation", "no data left in message");
  const kind = buffer[start + headerBytes];
  const nameStart = start + headerBytes + 1;
  const nameEnd = endOfText(buffer, nameStart, end);
  if (nameEnd !== end - 1) refuse("protocol_violation", "invalid message format");
  if (kind !== 0x53 && kind !== 0x50) {
    const message = buffer[start] === 0x43 ? "CLOSE" : "DESCRIBE";
    refuse("protocol_violation", `invalid ${message} message subtype ${kind}`);
  }
  return { target: kind === 0x53 ? "statement" : "portal", name: wireName(buffer, nameStart, nameEnd) };
}

/** Execute: its portal. The row limit are the four bytes before the message's end. */
export function readExecute(buffer: Buffer, start: number, end: number): string {
  const nameEnd = endOfText(buffer, start + headerBytes, end);
  endsAt(end - nameEnd - 1, 4);
  return wireName(buffer, start + headerBytes, nameEnd);
}

/** PasswordMessage: the password or token, decoded; it may be empty. */
export function readPassword(buffer: Buffer, start: number, end: number): string {
  const textEnd = endOfText(buffer, start + headerBytes, end);
  if (textEnd !== end - 1) refuse("protocol_violation", "invalid password packet size");
  const password = decodeUtf8(buffer, start + headerBytes, textEnd);
  if (password === undefined) refuse("protocol_violation", "the password is not valid UTF-8");
  return password;
}

export type SaslInitialResponse = {
  readonly mechanism: string;
  /** A copy; undefined if the client sent none. */
  readonly response: Buffer | undefined;
};

export function readSaslInitialResponse(buffer: Buffer, start: number, end: number): SaslInitialResponse {
  const body = new BodyReader(buffer, start, end);
  const mechanism = body.text().toString("latin1");
  const response = body.value();
  body.done();
  return { mechanism, response: response && Buffer.from(response) };
}

/** SASLResponse: the mechanism's data, a copy. */
export function readSaslResponse(buffer: Buffer, start: number, end: number): Buffer {
  return Buffer.from(buffer.subarray(start + headerBytes, end));
}
