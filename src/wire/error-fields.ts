import { type Problem, sqlstate } from "../errors.ts";
import { headerBytes } from "./frame-table.ts";
import { message } from "./writer.ts";

/** Severity of an ErrorResponse: after FATAL the connection is closed. */
export type ErrorSeverity = "ERROR" | "FATAL";

/** Severity of a NoticeResponse. */
export type NoticeSeverity = "WARNING" | "NOTICE" | "INFO";

/** ErrorResponse that tells a problem (protocol chapter, "Error and Notice Message Fields"). */
export function errorResponse(problem: Problem, severity: ErrorSeverity): Buffer {
  return message("E", ...fields(severity, sqlstate(problem), problem));
}

/** NoticeResponse; `state` is its SQLSTATE: 00000 for plain information, 01xxx for warnings. */
export function noticeResponse(severity: NoticeSeverity, state: string, notice: NoticeText): Buffer {
  return message("N", ...fields(severity, state, notice));
}

export type NoticeText = Pick<Problem, "message" | "detail" | "hint">;

function fields(severity: string, state: string, told: NoticeText & Pick<Problem, "position">): Buffer[] {
  const parts = [field("S", severity), field("V", severity), field("C", state), field("M", told.message)];
  if (told.detail !== undefined) parts.push(field("D", told.detail));
  if (told.hint !== undefined) parts.push(field("H", told.hint));
  if (told.position !== undefined) parts.push(field("P", String(told.position)));
  parts.push(Buffer.of(0));
  return parts;
}

function field(code: string, value: string): Buffer {
  // A refusal must reach the client whatever it quotes; a NUL would end the field and begin another.
  return Buffer.from(`${code}${value.replaceAll("\0", "\u{fffd}")}\0`, "utf8");
}

/**
 * The fields of an ErrorResponse or NoticeResponse by their code, decoded. Never throws: a server that omits the
 * SQLSTATE or the end must not take us down (CVE-2026-6666), and what cannot be read is left out.
 */
export function readErrorFields(buffer: Buffer, start: number, end: number): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  eachField(buffer, start, end, (code, from, to) => {
    found.set(String.fromCharCode(code), buffer.toString("utf8", from + 1, to));
  });
  return found;
}

/**
 * The message without the fields whose codes stand in `hidden`; every other byte stays. Never throws.
 * @param given fields to add, by their code.
 */
export function replaceErrorFields(
  buffer: Buffer,
  start: number,
  end: number,
  hidden: string,
  given: Readonly<Record<string, string>>,
): Buffer {
  const kept: Buffer[] = [];
  eachField(buffer, start, end, (code, from, to) => {
    if (!hidden.includes(String.fromCharCode(code))) kept.push(buffer.subarray(from, to + 1));
  });
  for (const [code, value] of Object.entries(given)) kept.push(field(code, value));
  return message(String.fromCharCode(buffer[start]!), ...kept, Buffer.of(0));
}

/** Calls `visit` with each field's code and where it stands: from its code to its NUL. */
function eachField(
  buffer: Buffer,
  start: number,
  end: number,
  visit: (code: number, from: number, to: number) => void,
): void {
  let at = start + headerBytes;
  while (at < end && buffer[at] !== 0) {
    const to = buffer.indexOf(0, at + 1);
    if (to < 0 || to >= end) return;
    visit(buffer[at]!, at, to);
    at = to + 1;
  }
}
