import type { DatabaseMessage } from "../audit/entry.ts";
import { checkMarker } from "../rewrite/writing/checks.ts";
import { errorResponse, readErrorFields, replaceErrorFields } from "../wire/error-fields.ts";
import type { FrameReader } from "../wire/frames.ts";
import { message } from "../wire/writer.ts";
import { isProvoked } from "./refused.ts";
import { noticePasses, whatPasses, type Cover } from "./what-passes.ts";

/** An error of the server: what the client gets of it, and what goes on record. */
export type ServerError = { readonly fatal: boolean; readonly answer: Buffer; readonly failure: Failure };

/** How a statement failed, for the record. */
export type Failure = {
  readonly sqlstate: string;
  /** In the database's own words; undefined: rolegate's refusal, which is on record already. */
  readonly told: DatabaseMessage | undefined;
  /** The client got less than the database said. */
  readonly withheld: boolean;
};

/** The SQLSTATE of an error that has none. */
const unknown = "XX000";

/**
 * Reads the ErrorResponse that `reader` stands at.
 * @param refusal what the client gets if we provoked the error; undefined if we did not.
 */
export function readServerError(reader: FrameReader, refusal: Buffer | undefined, cover: Cover): ServerError {
  const { buffer, start, end } = reader;
  const fields = readErrorFields(buffer, start, end);
  const severity = fields.get("V") ?? fields.get("S") ?? "ERROR";
  const fatal = severity === "FATAL" || severity === "PANIC";
  const sqlstate = fields.get("C") ?? unknown;
  if (refusal !== undefined && isProvoked(sqlstate))
    return { fatal, answer: refusal, failure: { sqlstate, told: undefined, withheld: false } };
  const rule = failedCheck(fields.get("M") ?? "");
  if (rule !== undefined) {
    const problem = checkViolated(rule);
    const failure = { sqlstate: "42501", told: { message: problem.message }, withheld: false };
    return { fatal, answer: errorResponse(problem, "ERROR"), failure };
  }
  const { hidden, given, withheld } = whatPasses(fields, cover);
  const failure = { sqlstate, told: recorded(fields), withheld: withheld || reader.rest > 0 };
  // What was not read could say who speaks, so such a message passes only where nothing is hidden anyway.
  const answer =
    reader.rest > 0
      ? shortened(severity, sqlstate, withheld || cover.hides ? given["M"] : fields.get("M"))
      : replaceErrorFields(buffer, start, end, hidden, given);
  return { fatal, answer, failure };
}

/**
 * What the client gets of a NoticeResponse, undefined for nothing: what is internal never passes, nor what is too long
 * to be looked through.
 */
export function readServerNotice(
  reader: FrameReader,
  cover: Cover,
): { readonly answer: Buffer | undefined; readonly withheld: DatabaseMessage | undefined } {
  const { buffer, start, end } = reader;
  const fields = readErrorFields(buffer, start, end);
  if (reader.rest > 0) return { answer: undefined, withheld: cover.hides ? recorded(fields) : undefined };
  const passing = noticePasses(fields, cover);
  if (passing === undefined) return { answer: undefined, withheld: recorded(fields) };
  const answer = replaceErrorFields(buffer, start, end, passing.hidden, passing.given);
  return { answer, withheld: passing.withheld ? recorded(fields) : undefined };
}

/** The names of the fields in the record, by their code. */
const names: Readonly<Record<string, keyof DatabaseMessage>> = {
  M: "message",
  D: "detail",
  H: "hint",
  W: "context",
  q: "query",
  s: "schema",
  t: "table",
  c: "column",
  d: "type",
  n: "constraint",
};

function recorded(fields: ReadonlyMap<string, string>): DatabaseMessage {
  return Object.fromEntries(
    Object.entries(names).flatMap(([code, name]) => {
      const value = fields.get(code);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

function checkViolated(rule: string) {
  return {
    code: "check_violated",
    message: `new row violates the check of rule ${rule}`,
    detail: "The row as it would be stored does not satisfy the rule; nothing of the statement was kept.",
    hint: "Change the values, or ask whoever keeps the role file.",
  } as const;
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
