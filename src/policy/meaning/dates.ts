import { shown, type Analysis, type Operand } from "./operand.ts";
import {
  convertingSettings,
  kindOfInterval,
  readingSettings,
  type MeaningSetting,
  type ValueKind,
} from "./value-kinds.ts";

/** By which a text is read as a date, a time or an interval. */
export const temporal: readonly MeaningSetting[] = [
  "datestyle",
  "intervalstyle",
  "timezone",
  "timezone_abbreviations",
];

/** Functions of dates, times and numbers that depend on settings for some types of their arguments alone. */
export function dateFunction(
  analysis: Analysis,
  name: string,
  values: readonly Operand[],
): ValueKind | undefined {
  const because = `${name}(…)`;
  const note = (settings: readonly string[]): void => analysis.note(settings, because);
  const [first, second] = values;
  switch (name) {
    case "extract":
    case "date_part": {
      const point = pointOf(analysis, second, because);
      if (point === "timestamptz" && first?.text?.toLowerCase() !== "epoch") note(["timezone"]);
      return name === "extract" ? "plain" : "float";
    }
    case "date_trunc": {
      const point = pointOf(analysis, second, because);
      if (point === "interval" || point === "clock" || point === "timestamp" || point === "unknown")
        return point;
      // A date is cut as a timestamptz, the type that the server prefers.
      if (point === "date" || values.length < 3) note(["timezone"]);
      note(["timezone_abbreviations"]);
      return "timestamptz";
    }
    case "age": {
      const points = values.map((value) => pointOf(analysis, value, because));
      if (values.length < 2 || points.some((point) => point !== "timestamp")) note(["timezone"]);
      return "interval";
    }
    case "timezone": {
      note(["timezone_abbreviations"]);
      const point = pointOf(analysis, second ?? first, because);
      if (values.length < 2 || point === "date") note(["timezone"]);
      if (point === "timestamp") return "timestamptz";
      if (point === "timetz" || point === "time") {
        note(["timezone"]);
        return "timetz";
      }
      return point === "timestamptz" || point === "date" ? "timestamp" : "unknown";
    }
    case "date_bin": {
      const [, ...points] = values.map((value) => pointOf(analysis, value, because));
      if (points.some((point) => point === "date") || new Set(points).size > 1) note(["timezone"]);
      return points[0] === "timestamp" ? "timestamp" : "timestamptz";
    }
    case "date_add":
    case "date_subtract":
      for (const value of values.slice(0, 2)) pointOf(analysis, value, because);
      note(["timezone", "timezone_abbreviations"]);
      return "timestamptz";
    case "to_char": {
      const kind = first?.kind;
      if (kind === "plain" || kind === "float") note(["lc_monetary", "lc_numeric"]);
      else {
        const point = pointOf(analysis, first, because);
        note(["lc_time"]);
        if (point !== "timestamp" && point !== "interval" && point !== "clock") note(["timezone"]);
      }
      return "plain";
    }
    case "to_number":
      note(["lc_monetary", "lc_numeric"]);
      return "plain";
    case "to_date":
      note(["lc_time", "timezone", "timezone_abbreviations"]);
      return "date";
    case "to_timestamp":
      if (values.length > 1) note(["lc_time", "timezone", "timezone_abbreviations"]);
      return "timestamptz";
    case "make_date":
      return "date";
    case "make_time":
      return "time";
    case "make_timestamp":
      return "timestamp";
    case "make_interval":
      return "interval";
    case "make_timestamptz":
      note(values.length < 7 ? ["timezone"] : ["timezone_abbreviations"]);
      return "timestamptz";
    case "date":
    case "time":
    case "timetz":
    case "timestamp":
    case "timestamptz":
    case "interval":
    case "money":
      return converted(analysis, name, values, because);
    default:
      return undefined;
  }
}

/** A cast that is written as a call. */
function converted(
  analysis: Analysis,
  to: ValueKind,
  [value, ...more]: readonly Operand[],
  because: string,
): ValueKind {
  // timestamptz(date, time) takes the day's time in the session's zone.
  if (more.length > 0) analysis.note(["timezone"], because);
  if (value?.kind === "literal") {
    analysis.note(readingSettings(to, value.text), shown(value));
    return to === "interval" ? kindOfInterval(value.text) : to;
  }
  if (value !== undefined && value.kind !== "null")
    analysis.note(convertingSettings(value.kind, to), because);
  return to;
}

/** The kind of an argument that is a date or a time; a literal is read as a timestamptz, the preferred type. */
function pointOf(analysis: Analysis, value: Operand | undefined, because: string): ValueKind {
  if (value === undefined) return "timestamptz";
  switch (value.kind) {
    case "null":
      return "timestamptz";
    case "literal":
      analysis.note(temporal, shown(value));
      return "timestamptz";
    case "unknown":
    case "plain":
      analysis.note(temporal, because);
      return "unknown";
    default:
      return value.kind;
  }
}
