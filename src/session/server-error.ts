import { checkMarker } from "../rewrite/checks.ts";
import { errorResponse, hideErrorFields, readErrorFields } from "../wire/error-fields.ts";
import type { FrameReader } from "../wire/frames.ts";
import { message } from "../wire/writer.ts";
import { isProvoked } from "./refused.ts";

/** An error of the server, and what the client gets of it. */
export type ServerError = { readonly sqlstate: string; readonly fatal: boolean; readonly answer: Buffer };

/** File, line and routine of the server's source. */
const internals = "FLR";

/** The SQLSTATE of an error that has none. */
const unknown = "XX000";

/**
 * Reads the ErrorResponse that `reader` stands at.
 * @param refusal what the client gets if we provoked the error; undefined if we did not.
 * @param rewritten true if the server read another text than the client wrote: positions would point into that.
 */
export function readServerError(
  reader: FrameReader,
  refusal: Buffer | undefined,
  rewritten: boolean,
): ServerError {
  const { buffer, start, end } = reader;
  const fields = readErrorFields(buffer, start, end);
  const severity = fields.get("V") ?? fields.get("S") ?? "ERROR";
  const fatal = severity === "FATAL" || severity === "PANIC";
  const state = fields.get("C") ?? unknown;
  if (refusal !== undefined && isProvoked(state)) return { sqlstate: state, fatal, answer: refusal };
  const rule = failedCheck(fields.get("M") ?? "");
  if (rule !== undefined) {
    const text = `new row violates the check of rule ${rule}`;
    return {
      sqlstate: "42501",
      fatal,
      answer: errorResponse({ code: "check_violated", message: text }, "ERROR"),
    };
  }
  if (reader.rest > 0) return { sqlstate: state, fatal, answer: shortened(severity, state, fields.get("M")) };
  return {
    sqlstate: state,
    fatal,
    answer: hideErrorFields(buffer, start, end, rewritten ? `${internals}P` : internals),
  };
}

/** A NoticeResponse without what is internal; undefined for one that is too long to be looked through. */
export function cleanNotice(reader: FrameReader): Buffer | undefined {
  if (reader.rest > 0) return undefined;
  return hideErrorFields(reader.buffer, reader.start, reader.end, `${internals}P`);
}

/** The rule whose check a row failed: the marker is the text that a cast could not read (`… for type boolean: "…"`). */
function failedCheck(text: string): string | undefined {
  const at = text.indexOf(checkMarker);
  return at < 0 ? undefined : text.slice(at + checkMarker.length).replace(/"[^"]*$/, "");
}

/** An error that quotes a megabyte and more loses all but the beginning of its message. */
function shortened(severity: string, state: string, told: string | undefined): Buffer {
  const text = `${(told ?? "the error is too long to be relayed").slice(0, 1000)}…`;
  return message("E", Buffer.from(`S${severity}\0V${severity}\0C${state}\0M${text}\0\0`, "utf8"));
}
