import type { Problem } from "../errors.ts";
import type { Grants } from "../policy/grants.ts";
import { neverSettable } from "../policy/never-settable.ts";

/** What values a client may give a setting: any, or one of these (compared without case). */
type Values = "any" | readonly string[];

/**
 * Settings that every role may change. They change how values are printed, how long things may take and how
 * plans are made; none changes what a name means, who the session is, or how text is read.
 */
const allowed: Readonly<Record<string, Values>> = {
  application_name: "any",
  backslash_quote: ["safe_encoding", "off"],
  bytea_output: "any",
  // The parser reads UTF-8. SQL_ASCII sends the same bytes, unconverted.
  client_encoding: ["utf8", "unicode", "sqlascii"],
  // The levels below would show the rewritten statement's tree.
  client_min_messages: ["notice", "warning", "error"],
  check_function_bodies: "any",
  datestyle: "any",
  default_transaction_deferrable: "any",
  default_transaction_isolation: "any",
  default_transaction_read_only: "any",
  enable_hashjoin: "any",
  enable_indexscan: "any",
  enable_mergejoin: "any",
  enable_nestloop: "any",
  enable_seqscan: "any",
  extra_float_digits: "any",
  geqo: "any",
  idle_in_transaction_session_timeout: "any",
  idle_session_timeout: "any",
  intervalstyle: "any",
  jit: "any",
  lc_monetary: "any",
  lc_numeric: "any",
  lc_time: "any",
  lock_timeout: "any",
  plan_cache_mode: "any",
  quote_all_identifiers: "any",
  search_path: "any",
  standard_conforming_strings: ["on", "true", "yes", "1"],
  statement_timeout: "any",
  synchronize_seqscans: "any",
  timezone: "any",
  transaction_deferrable: "any",
  transaction_isolation: "any",
  transaction_read_only: "any",
  transaction_timeout: "any",
  xmloption: "any",
};

/**
 * May a client give a setting this value?
 * @param name as the client wrote it; compared without case, as the server does.
 * @param value undefined: back to the default, which is what the session began with.
 * @returns what to tell the client if not.
 */
export function settingProblem(name: string, value: string | undefined, grants: Grants): Problem | undefined {
  const setting = name.toLowerCase();
  const values = Object.hasOwn(allowed, setting) ? allowed[setting] : undefined;
  const opened = grants.settings.has(setting) && !neverSettable(setting);
  if (values === undefined && !opened)
    return {
      code: "setting_not_allowed",
      message: `permission denied to set parameter "${name}"`,
      detail: `Role "${grants.role}" may not change this setting (${grants.file}).`,
      hint: neverSettable(setting)
        ? "No role can be given this setting."
        : `It can be allowed under settings.allow in ${grants.file}.`,
    };
  if (setting === "statement_timeout" && grants.statementTimeout !== undefined)
    return timeoutProblem(name, value, grants);
  if (setting === "search_path") return searchPathProblem(value ?? "");
  if (values === undefined || values === "any" || value === undefined) return undefined;
  const plain = setting === "client_encoding" ? encodingName(value) : value.toLowerCase();
  if (values.includes(plain)) return undefined;
  return {
    code: "setting_not_allowed",
    message: `permission denied to set parameter "${name}" to this value`,
    detail: "With other values rolegate and the server could read texts differently, or messages would show more.",
    hint: `It takes: ${values.join(", ")}.`,
  };
}

/** The server keeps nothing but letters and digits of an encoding's name (clean_encoding_name, src/common/encnames.c). */
function encodingName(value: string): string {
  return value.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/**
 * The server's own functions, operators and types come first wherever a path does not name pg_catalog. A path that
 * puts another schema before it would let what somebody made there take part in the rules' own expressions.
 */
function searchPathProblem(value: string): Problem | undefined {
  const schemas = value.split(",").map((schema) => schema.trim().replaceAll('"', "").toLowerCase());
  if (schemas.indexOf("pg_catalog") <= 0) return undefined;
  return {
    code: "setting_not_allowed",
    message: 'permission denied to set parameter "search_path" to this value',
    detail: "pg_catalog can only come first.",
    hint: "Leave pg_catalog out; it is searched first then.",
  };
}

/** Milliseconds per unit of the server's time settings (documentation, 20.1.1); a bare number is milliseconds. */
const unitMillis: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  "": 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A role with `limits.statement_timeout` may lower it, and only that. */
function timeoutProblem(name: string, value: string | undefined, grants: Grants): Problem | undefined {
  const limit = grants.statementTimeout!;
  if (value === undefined) return undefined;
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/.exec(value);
  const unit = match === null ? undefined : unitMillis[match[2]!];
  const millis = match === null || unit === undefined ? undefined : Number(match[1]) * unit;
  // Half a millisecond rounds to 0, which means no limit at all.
  if (millis !== undefined && millis >= 1 && millis <= limit) return undefined;
  return {
    code: "setting_not_allowed",
    message: `permission denied to set parameter "${name}" to this value`,
    detail: `Role "${grants.role}" has a limit for its statements (limits.statement_timeout in ${grants.file}); it can be lowered, not raised or lifted.`,
    hint: `Give a time of at most ${limit} ms.`,
  };
}
