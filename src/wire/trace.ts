import { readErrorFields } from "./error-fields.ts";
import { headerBytes } from "./frame-table.ts";
import { BodyReader } from "./reader.ts";

/** Which side sent the bytes: the type bytes of the two overlap. */
export type Sender = "client" | "server";

/**
 * The messages in `bytes`, one readable line each, for tests and their failures: `Query "select 1"`,
 * `DataRow "1" null`, `ReadyForQuery I`. What is incomplete or malformed is shown as such, so that a trace never throws.
 */
export function trace(bytes: Buffer, sender: Sender): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.length - at < headerBytes ? 0 : 1 + bytes.readUInt32BE(at + 1);
    if (length < headerBytes || at + length > bytes.length) {
      lines.push(`incomplete ${bytes.toString("hex", at, Math.min(bytes.length, at + 16))}`);
      break;
    }
    lines.push(line(bytes, at, at + length, sender));
    at += length;
  }
  return lines;
}

function line(bytes: Buffer, start: number, end: number, sender: Sender): string {
  const type = String.fromCharCode(bytes[start]!);
  const format = (sender === "client" ? clientFormats : serverFormats)[type];
  if (format === undefined) return `unknown ${bytes[start]} ${end - start - headerBytes} bytes`;
  const [name, describe] = format;
  try {
    const body = new BodyReader(bytes, start, end);
    const words = describe(body, { bytes, start, end });
    body.done();
    return [name, ...words].join(" ");
  } catch {
    return `${name} malformed ${bytes.toString("hex", start, Math.min(end, start + 32))}`;
  }
}

type Whole = { readonly bytes: Buffer; readonly start: number; readonly end: number };
type Format = readonly [name: string, describe: (body: BodyReader, whole: Whole) => readonly string[]];

const clientFormats: Readonly<Record<string, Format>> = {
  Q: ["Query", (body) => [quoted(body.text())]],
  P: [
    "Parse",
    (body) => [quoted(body.text()), quoted(body.text()), ...times(body, () => String(body.uint32()))],
  ],
  B: [
    "Bind",
    (body) => [
      quoted(body.text()),
      quoted(body.text()),
      `formats ${times(body, () => String(body.uint16())).join(",")}`,
      `values ${times(body, () => value(body.value())).join(",")}`,
      `results ${times(body, () => String(body.uint16())).join(",")}`,
    ],
  ],
  D: ["Describe", (body) => [String.fromCharCode(body.byte()), quoted(body.text())]],
  C: ["Close", (body) => [String.fromCharCode(body.byte()), quoted(body.text())]],
  E: ["Execute", (body) => [quoted(body.text()), String(body.int32())]],
  F: [
    "FunctionCall",
    (body) => [
      String(body.uint32()),
      `formats ${times(body, () => String(body.uint16())).join(",")}`,
      `values ${times(body, () => value(body.value())).join(",")}`,
      `result ${body.uint16()}`,
    ],
  ],
  S: ["Sync", () => []],
  H: ["Flush", () => []],
  X: ["Terminate", () => []],
  d: ["CopyData", (body) => [quoted(body.bytes(body.remaining))]],
  c: ["CopyDone", () => []],
  f: ["CopyFail", (body) => [quoted(body.text())]],
  // Never the body: it is a password or a proof.
  p: ["Password", (body) => [size(body)]],
};

const serverFormats: Readonly<Record<string, Format>> = {
  R: ["Authentication", (body) => [String(body.int32()), size(body)]],
  S: ["ParameterStatus", (body) => [quoted(body.text()), quoted(body.text())]],
  K: ["BackendKeyData", (body) => [size(body)]],
  Z: ["ReadyForQuery", (body) => [String.fromCharCode(body.byte())]],
  T: ["RowDescription", (body) => times(body, () => column(body))],
  D: ["DataRow", (body) => times(body, () => value(body.value()))],
  C: ["CommandComplete", (body) => [quoted(body.text())]],
  E: ["ErrorResponse", errorFields],
  N: ["NoticeResponse", errorFields],
  A: ["Notification", (body) => [String(body.int32()), quoted(body.text()), quoted(body.text())]],
  G: ["CopyInResponse", copyFormats],
  H: ["CopyOutResponse", copyFormats],
  W: ["CopyBothResponse", copyFormats],
  I: ["EmptyQueryResponse", () => []],
  "1": ["ParseComplete", () => []],
  "2": ["BindComplete", () => []],
  "3": ["CloseComplete", () => []],
  s: ["PortalSuspended", () => []],
  n: ["NoData", () => []],
  t: ["ParameterDescription", (body) => times(body, () => String(body.uint32()))],
  V: ["FunctionCallResponse", (body) => [value(body.value())]],
  v: ["NegotiateProtocolVersion", (body) => [String(body.int32()), ...options(body)]],
  d: ["CopyData", (body) => [quoted(body.bytes(body.remaining))]],
  c: ["CopyDone", () => []],
};

function quoted(text: Buffer): string {
  return JSON.stringify(text.toString("utf8"));
}

function value(bytes: Buffer | undefined): string {
  return bytes === undefined ? "null" : quoted(bytes);
}

function size(body: BodyReader): string {
  return `${body.bytes(body.remaining).length} bytes`;
}

/** A list behind its count of two bytes. */
function times(body: BodyReader, one: () => string): string[] {
  return Array.from({ length: body.uint16() }, one);
}

function column(body: BodyReader): string {
  const name = quoted(body.text());
  body.bytes(6);
  const type = body.uint32();
  body.bytes(8);
  return `${name}:${type}`;
}

function errorFields(body: BodyReader, { bytes, start, end }: Whole): string[] {
  body.bytes(body.remaining);
  return [...readErrorFields(bytes, start, end)].map(([code, text]) => `${code}=${JSON.stringify(text)}`);
}

function copyFormats(body: BodyReader): string[] {
  return [String(body.byte()), ...times(body, () => String(body.uint16()))];
}

function options(body: BodyReader): string[] {
  return Array.from({ length: body.int32() }, () => quoted(body.text()));
}
