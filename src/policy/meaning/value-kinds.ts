/**
 * Settings that a session may change and that change what an expression gives: how text becomes a value, how a value
 * becomes text, and what a name without a schema means.
 */
export const meaningSettings = [
  "bytea_output",
  "datestyle",
  "default_text_search_config",
  "extra_float_digits",
  "intervalstyle",
  "lc_monetary",
  "lc_numeric",
  "lc_time",
  "quote_all_identifiers",
  "search_path",
  "timezone",
  "timezone_abbreviations",
  "xmlbinary",
  "xmloption",
] as const;
export type MeaningSetting = (typeof meaningSettings)[number];

/**
 * What is known of a value's type. `plain`: no setting has to do with how it is read or printed. `clock`: an interval of
 * hours, minutes and seconds alone, whose sum with a timestamptz is the same in every time zone. `unknown`: anything.
 */
export type ValueKind =
  | "plain"
  | "float"
  | "bytea"
  | "money"
  | "xml"
  | "date"
  | "time"
  | "timetz"
  | "timestamp"
  | "timestamptz"
  | "interval"
  | "clock"
  | "name"
  | "unknown";

const kindsOfTypes: Readonly<Record<Exclude<ValueKind, "clock" | "unknown">, string>> = {
  plain: `bool boolean int2 int4 int8 smallint integer bigint numeric decimal text varchar bpchar char name uuid json
    jsonb jsonpath inet cidr macaddr macaddr8 bit varbit oid xid xid8 cid tid pg_lsn tsvector tsquery int4range
    int8range numrange int4multirange int8multirange nummultirange`,
  // Points and boxes are printed as floats are.
  float: "float4 float8 real point line lseg box path polygon circle",
  bytea: "bytea",
  money: "money",
  xml: "xml",
  date: "date daterange datemultirange",
  time: "time",
  timetz: "timetz",
  timestamp: "timestamp tsrange tsmultirange",
  timestamptz: "timestamptz tstzrange tstzmultirange",
  interval: "interval",
  // Names of objects: read and printed along the search_path.
  name: "regclass regcollation regconfig regdictionary regnamespace regoper regoperator regproc regprocedure regrole regtype",
};

const kindOfType: ReadonlyMap<string, ValueKind> = new Map([
  ...Object.entries(kindsOfTypes).flatMap(([kind, types]) =>
    types.split(/\s+/).map((type) => [type, kind as ValueKind] as const),
  ),
  // As format_type prints them.
  ["character varying", "plain"],
  ["character", "plain"],
  ['"char"', "plain"],
  ["bit varying", "plain"],
  ["double precision", "float"],
  ["time without time zone", "time"],
  ["time with time zone", "timetz"],
  ["timestamp without time zone", "timestamp"],
  ["timestamp with time zone", "timestamptz"],
]);

/** The kind of one of the server's own types; undefined: none that is known. */
export function kindOfServerType(name: string): ValueKind | undefined {
  return kindOfType.get(name);
}

const isoDate = String.raw`\d{4}-\d\d-\d\d`;
const clockTime = String.raw`\d\d:\d\d(?::\d\d(?:\.\d+)?)?`;
const offset = String.raw`\s*(?:[zZ]|[+-]\d\d(?::?\d\d)?)`;
const fixed = {
  date: new RegExp(`^\\s*(?:${isoDate}|-?infinity|epoch)\\s*$`, "i"),
  time: new RegExp(`^\\s*${clockTime}\\s*$`),
  timetz: new RegExp(`^\\s*${clockTime}${offset}\\s*$`),
  timestamp: new RegExp(`^\\s*(?:${isoDate}(?:[ tT]${clockTime})?|-?infinity|epoch)\\s*$`, "i"),
  timestamptz: new RegExp(`^\\s*(?:${isoDate}[ tT]${clockTime}${offset}|-?infinity|epoch)\\s*$`, "i"),
} as const;

/** An interval that has no unit above an hour. */
const clockInterval =
  /^\s*(?:\d+(?::\d\d){1,2}(?:\.\d+)?|(?:\d+(?:\.\d+)?\s*(?:hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)\b\s*)+)$/i;

const temporal: readonly MeaningSetting[] = ["datestyle", "timezone", "timezone_abbreviations"];

/**
 * The settings by which a text becomes a value of the kind.
 * @param text undefined: not known, as of an attribute of the identity.
 */
export function readingSettings(kind: ValueKind, text: string | undefined): readonly MeaningSetting[] {
  switch (kind) {
    case "plain":
    case "float":
    case "bytea":
      return [];
    case "date":
    case "time":
    case "timetz":
    case "timestamp":
    case "timestamptz":
      return text !== undefined && fixed[kind].test(text) ? [] : temporal;
    case "interval":
    case "clock":
      // The style says to which fields a leading sign belongs (documentation, 8.5.4).
      return text?.includes("-") === false ? [] : ["intervalstyle"];
    case "money":
      return ["lc_monetary"];
    case "xml":
      return ["xmloption"];
    case "name":
      return ["search_path"];
    case "unknown":
      break;
  }
  return meaningSettings;
}

/** The settings by which a value of the kind becomes text. */
export function printingSettings(kind: ValueKind): readonly MeaningSetting[] {
  switch (kind) {
    case "plain":
    case "time":
    case "timetz":
    case "xml":
      return [];
    case "float":
      return ["extra_float_digits"];
    case "bytea":
      return ["bytea_output"];
    case "money":
      return ["lc_monetary"];
    case "date":
    case "timestamp":
      return ["datestyle"];
    case "timestamptz":
      return ["datestyle", "timezone"];
    case "interval":
    case "clock":
      return ["intervalstyle"];
    case "name":
      return ["quote_all_identifiers", "search_path"];
    case "unknown":
      break;
  }
  return meaningSettings;
}

/** The settings by which a value of one kind becomes one of another, by cast or because two meet in an operator. */
export function convertingSettings(from: ValueKind, to: ValueKind): readonly MeaningSetting[] {
  if (from === to) return [];
  if (from === "unknown" || to === "unknown") return meaningSettings;
  if (to === "plain") return printingSettings(from);
  if (from === "plain") return readingSettings(to, undefined);
  const zoned = (kind: ValueKind): boolean => kind === "timestamptz" || kind === "timetz";
  // A timestamptz becomes a date, and a date a timestamptz, at the midnight of the session's zone.
  return zoned(from) || zoned(to) ? ["timezone"] : [];
}

/** The kind of an interval that is written out. */
export function kindOfInterval(text: string | undefined): "clock" | "interval" {
  return text !== undefined && clockInterval.test(text) ? "clock" : "interval";
}
