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

/** What must not pass of a message of the server's, and what is said in its place. */
export type Cover = {
  /** The server read another text than the client wrote: positions would point into that. */
  readonly rewritten: boolean;
  /** The statement's relations have rows or columns that the client must not see (rewrite/verdict.ts). */
  readonly hides: boolean;
  /** HINTs of ours, by SQLSTATE. */
  readonly hints: ReadonlyMap<string, string>;
};

/** Nothing of the client's is running. */
export const openly: Cover = { rewritten: false, hides: false, hints: new Map() };

/** Nobody knows which of the client's statements it is about. */
export const guarded: Cover = { rewritten: true, hides: true, hints: new Map() };

/** DETAIL prints rows and keys, CONTEXT statements and values; the internal query is one that the client never wrote. */
const telling = "DWq";

/**
 * Reads the ErrorResponse that `reader` stands at.
 * @param refusal what the client gets if we provoked the error; undefined if we did not.
 */
export function readServerError(reader: FrameReader, refusal: Buffer | undefined, cover: Cover): ServerError {
  const { buffer, start, end } = reader;
  const fields = readErrorFields(buffer, start, end);
  const severity = fields.get("V") ?? fields.get("S") ?? "ERROR";
  const fatal = severity === "FATAL" || severity === "PANIC";
  const state = fields.get("C") ?? unknown;
  if (refusal !== undefined && isProvoked(state)) return { sqlstate: state, fatal, answer: refusal };
  const rule = failedCheck(fields.get("M") ?? "");
  if (rule !== undefined) return { sqlstate: "42501", fatal, answer: checkViolated(rule) };
  if (reader.rest > 0) return { sqlstate: state, fatal, answer: shortened(severity, state, fields.get("M")) };
  const hint = cover.hints.get(state);
  // The server proposes columns of the real table for one that it does not find.
  const hidesHint = hint !== undefined || (cover.hides && state === "42703");
  const hidden = `${internals}${cover.rewritten ? "P" : ""}${cover.hides ? telling : ""}${hidesHint ? "H" : ""}`;
  return { sqlstate: state, fatal, answer: hideErrorFields(buffer, start, end, hidden, hint) };
}

/** A NoticeResponse without what is internal; undefined for one that is too long to be looked through. */
export function cleanNotice(reader: FrameReader, { hides }: Cover): Buffer | undefined {
  if (reader.rest > 0) return undefined;
  return hideErrorFields(reader.buffer, reader.start, reader.end, `${internals}P${hides ? telling : ""}`);
}

function checkViolated(rule: string): Buffer {
  const problem = {
    code: "check_violated",
    message: `new row violates the check of rule ${rule}`,
    detail: "The row as it would be stored does not satisfy the rule; nothing of the statement was kept.",
    hint: "Change the values, or ask whoever keeps the role file.",
  } as const;
  return errorResponse(problem, "ERROR");
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
