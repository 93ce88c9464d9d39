import { asJson, visible } from "./escape.ts";
import { nameOf } from "./filter.ts";
import type { Entry } from "./join.ts";
import type { CompletionLine, RecordLine, StatementLine } from "./line.ts";

/** How a statement ended, as one word. */
type Outcome = "ok" | "refused" | "failed" | "skipped" | "unfinished";

/**
 * One line for a person, without a newline. Nothing in the record can act on the terminal: characters that would
 * are shown as escapes. `width`: cut after that many characters; undefined: whole.
 */
export function formatEntry(entry: Entry, width: number | undefined): string {
  const line =
    entry.kind === "statement" ? formatStatement(entry.line, entry.completion) : formatEvent(entry.line);
  if (width === undefined) return line;
  // Twice the width in code units holds at least the width in characters.
  const characters = Array.from(line.slice(0, width * 2 + 2));
  return characters.length <= width ? line : `${characters.slice(0, Math.max(width - 1, 1)).join("")}…`;
}

/** The entry as one JSON object on one line: a statement's two lines are one, with its `outcome`. */
export function entryAsJson(entry: Entry): string {
  if (entry.kind === "event") return asJson(entry.line.fields);
  const { line, completion } = entry;
  const { rows, micros, sqlstate, skipped, error, withheld, notices } = completion?.fields ?? {};
  const outcome = outcomeOf(line, completion);
  const ended = { completed: completion?.time, rows, micros, sqlstate, skipped, error, withheld, notices };
  return asJson({ ...line.fields, outcome, ...ended });
}

function formatStatement(line: StatementLine, completion: CompletionLine | undefined): string {
  const { fields } = line;
  const rows = completion?.fields["rows"];
  const micros = completion?.fields["micros"];
  const outcome = outcomeOf(line, completion);
  const refusal = record(fields["refusal"]);
  const sqlstate = text(refusal["sqlstate"]) || text(completion?.fields["sqlstate"]);
  const truncated = fields["sqlTruncated"];
  const columns = [
    time(line),
    who(fields),
    (sqlstate === "" ? outcome : `${outcome} ${sqlstate}`).padEnd(13),
    visible(nameOf(line)).padEnd(6),
    (typeof rows === "number" ? `${rows} ${rows === 1 ? "row" : "rows"}` : "-").padStart(8),
    (typeof micros === "number" && outcome !== "refused" ? `${(micros / 1000).toFixed(2)} ms` : "-").padStart(
      11,
    ),
    visible(line.sql) + (typeof truncated === "number" ? ` … (${truncated} bytes)` : ""),
  ];
  const reason = text(refusal["message"]) || text(record(completion?.fields["error"])["message"]);
  return columns.join("  ") + (reason === "" ? "" : `  -- ${reason}`);
}

function formatEvent(line: RecordLine): string {
  const { fields } = line;
  const { time: _time, event: _event, session: _session, identity: _identity, role: _role, ...rest } = fields;
  const details = Object.entries(rest).map(
    ([name, value]) => `${visible(name)}=${visible(JSON.stringify(value ?? null))}`,
  );
  return [time(line), who(fields), visible(nameOf(line)), details.join(" ")].join("  ");
}

function outcomeOf(line: StatementLine, completion: CompletionLine | undefined): Outcome {
  if (line.refused) return "refused";
  if (!completion) return "unfinished";
  if (completion.fields["skipped"] === true) return "skipped";
  return completion.fields["sqlstate"] === undefined ? "ok" : "failed";
}

/** `2026-01-31 12:00:00.000`, in UTC as in the record. */
function time(line: RecordLine): string {
  return visible(line.time.replace("T", " ").replace("Z", ""));
}

/** Only a proven identity: the name that a failed login gave stands among its details, in quotes. */
function who(fields: Readonly<Record<string, unknown>>): string {
  const identity = name(fields["identity"]);
  const role = name(fields["role"]);
  return role === "" ? identity || "-" : `${identity}/${role}`;
}

/** In quotes where it could pass for another column. */
function name(value: unknown): string {
  const shown = text(value);
  return /[\s"/]/.test(shown) ? JSON.stringify(shown) : shown;
}

function text(value: unknown): string {
  return typeof value === "string" ? visible(value) : "";
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
