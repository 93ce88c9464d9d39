import type { Problem } from "../../errors.ts";
import type { Grants } from "../../policy/grants.ts";
import { meaningSettings } from "../../policy/meaning/value-kinds.ts";
import { neverSettable, opensSetting } from "../../policy/never-settable.ts";

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
  // What they are anyway; pg_dump says so. Where rows are stored is not for a role to choose (storage-options.ts).
  default_table_access_method: ["heap"],
  default_tablespace: [""],
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
  // Only takes away, from views and foreign tables; pg_dump sets it.
  restrict_nonsystem_relation_kind: "any",
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

/** By these the server reads texts: with other values than the parser's, what is on record would not be what ran. */
const decidesReading: ReadonlySet<string> = new Set(["client_encoding", "standard_conforming_strings"]);

/**
 * May a client give a setting this value? What rules depend on (pinned-setting.ts) and the schemas of a search_path
 * (known-schemas.ts) are judged elsewhere.
 * @param name as the client wrote it; compared without case, as the server does.
 * @param value undefined: back to the default, which is what the session began with; `computed`: not known before it runs.
 * @returns what to tell the client if not.
 */
export function settingProblem(
  name: string,
  value: string | undefined,
  grants: Grants,
  computed = false,
): Problem | undefined {
  const setting = name.toLowerCase();
  const values = Object.hasOwn(allowed, setting) ? allowed[setting] : undefined;
  if (grants.unrestricted !== undefined && !decidesReading.has(setting) && !setting.startsWith("rolegate."))
    return undefined;
  if (values === undefined && !opensSetting(grants.settings, setting))
    return {
      code: "setting_not_allowed",
      message: `permission denied to set parameter "${name}"`,
      detail: `Role "${grants.role}" may not change this setting (${grants.file}).`,
      hint: neverSettable(setting)
        ? "No role can be given this setting."
        : `It can be allowed under settings.allow in ${grants.file}.`,
    };
  const limited = setting === "statement_timeout" && grants.statementTimeout !== undefined;
  if (computed && (limited || (values !== undefined && values !== "any") || setting === "search_path"))
    return {
      code: "setting_not_allowed",
      message: `permission denied to set parameter "${name}" to a computed value`,
      detail: "Which values may be set depends on the setting, so the value has to stand in the text.",
    };
  if (limited) return timeoutProblem(name, value, grants);
  if (values === undefined || values === "any" || value === undefined || computed) return undefined;
  const plain = setting === "client_encoding" ? encodingName(value) : value.toLowerCase();
  if (values.includes(plain)) return undefined;
  return {
    code: "setting_not_allowed",
    message: `permission denied to set parameter "${name}" to this value`,
    detail:
      "With other values rolegate and the server could read texts differently, or messages would show more.",
    hint: `It takes: ${values.join(", ")}.`,
  };
}

/** May a rule come to depend on the setting, when the database's types change? In lower case. */
export function movesRules(setting: string): boolean {
  return setting.includes(".") || meaningSettings.some((name) => name === setting);
}

/** Of a constant as long as this there may be only the beginning in the tree (short-text.ts). */
export function isCut(value: string): boolean {
  return Buffer.byteLength(value) > 500;
}

/** The server keeps nothing but letters and digits of an encoding's name (clean_encoding_name, src/common/encnames.c). */
function encodingName(value: string): string {
  return value.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
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
