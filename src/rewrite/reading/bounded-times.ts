import type { A_Const, A_Expr, FuncCall, Node, SQLValueFunction, TypeCast } from "@pgsql/types";
import type { Judgement } from "../judgement.ts";
import { lastName, nameParts } from "../text/dotted-name.ts";

/**
 * Times that are computed from constants: `now() - interval '7 days'`, `date '2025-01-01' + 30`. The server computes
 * them when a row is looked at, behind other conditions, so one that is out of range would tell by its error that they
 * held. Those that are known here are in range whatever the clock and the time zone say: Postgres' times go from 4713 BC
 * to 294276 AD (documentation, 8.5), dates further.
 */
type Time = {
  readonly kind: "date" | "timestamp" | "timestamptz" | "interval";
  /** At most so many years from the years 1 to 9999, or from none. */
  readonly years: number;
};

const mostYears = 4000;

/** True if the expression is such a time. */
export function isBoundedTime(judgement: Judgement, node: Node): boolean {
  const time = timeOf(judgement, node);
  return time !== undefined && time.kind !== "interval";
}

function timeOf(judgement: Judgement, node: Node): Time | undefined {
  const time = bare(judgement, node);
  return time !== undefined && time.years <= mostYears ? time : undefined;
}

function bare(judgement: Judgement, node: Node): Time | undefined {
  if ("SQLValueFunction" in node) return currentTime(node.SQLValueFunction);
  if ("TypeCast" in node) return cast(judgement, node.TypeCast);
  if ("FuncCall" in node) return call(judgement, node.FuncCall);
  return "A_Expr" in node ? computed(judgement, node.A_Expr) : undefined;
}

const current: Readonly<Record<string, Time["kind"]>> = {
  SVFOP_CURRENT_DATE: "date",
  SVFOP_CURRENT_TIMESTAMP: "timestamptz",
  SVFOP_LOCALTIMESTAMP: "timestamp",
};

function currentTime({ op = "SVFOP_CURRENT_DATE" }: SQLValueFunction): Time | undefined {
  const kind = current[op];
  return kind && { kind, years: 0 };
}

/** Four digits are a year in every DateStyle (datetime.c, DecodeDate). */
const plainTime =
  /^\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?: ?(?:Z|[+-]\d{2}(?::?\d{2})?))?)?$/;

function cast(judgement: Judgement, { arg, typeName }: TypeCast): Time | undefined {
  const names = nameParts(typeName?.names);
  const kind = names.at(-1);
  if (arg === undefined || (names.length > 1 && names[0] !== "pg_catalog")) return undefined;
  if (typeName?.typmods !== undefined || typeName?.arrayBounds !== undefined) return undefined;
  const text = "A_Const" in arg ? textOf(arg.A_Const) : undefined;
  if (kind === "interval") return text === undefined ? undefined : interval(text);
  if (kind !== "date" && kind !== "timestamp" && kind !== "timestamptz") return undefined;
  if (text !== undefined) return plainTime.test(text) ? { kind, years: 0 } : undefined;
  const time = timeOf(judgement, arg);
  return time === undefined || time.kind === "interval" ? undefined : { kind, years: time.years };
}

function textOf(constant: A_Const): string | undefined {
  return "sval" in constant ? (constant.sval?.sval ?? "") : undefined;
}

/** How many of a unit are in a year, at least. */
const perYear: Readonly<Record<string, number>> = {
  year: 1,
  month: 12,
  mon: 12,
  week: 52,
  day: 365,
  hour: 8760,
  minute: 525_600,
  min: 525_600,
  second: 31_536_000,
  sec: 31_536_000,
  millisecond: 31_536_000_000,
  microsecond: 31_536_000_000_000,
};

/** `1 year 2 months -03:00`, as the documentation has it in 8.5.4, without its shorter and its ISO forms. */
function interval(text: string): Time | undefined {
  const parts = text.trim().toLowerCase();
  const clock = /(?:^|\s)[+-]?\d{1,4}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?$/.exec(parts);
  let years = clock === null ? 0 : 2;
  const rest = clock === null ? parts : parts.slice(0, clock.index);
  if (!/^(?:\s*[+-]?\d{1,9} ?[a-z]+)*\s*$/.test(rest)) return undefined;
  for (const [, digits = "", word = ""] of rest.matchAll(/(\d+) ?([a-z]+)/g)) {
    const unit = Object.hasOwn(perYear, word) ? word : word.replace(/s$/, "");
    if (!Object.hasOwn(perYear, unit)) return undefined;
    years += Number(digits) / perYear[unit]! + 1;
  }
  return { kind: "interval", years };
}

/** Where somebody made a function of the name, or an operator, it may be the one that is meant. */
function call({ context }: Judgement, { funcname, args = [], ...more }: FuncCall): Time | undefined {
  const names = nameParts(funcname);
  const name = names.at(-1) ?? "";
  if (names.length > 1 && names[0] !== "pg_catalog") return undefined;
  if (context.catalog.functions.get(name)?.some(({ schema }) => schema !== "pg_catalog") === true)
    return undefined;
  if (more.over !== undefined || more.agg_filter !== undefined) return undefined;
  return args.length === 0 && clocks.has(name) ? { kind: "timestamptz", years: 0 } : undefined;
}

const clocks: ReadonlySet<string> = new Set(["now", "transaction_timestamp", "statement_timestamp"]);

function computed(judgement: Judgement, { kind, name, lexpr, rexpr }: A_Expr): Time | undefined {
  const symbol = name?.length === 1 ? (lastName(name) ?? "") : "";
  if (kind !== "AEXPR_OP" || lexpr === undefined || rexpr === undefined) return undefined;
  const made = judgement.context.catalog.operators.get(symbol) ?? [];
  if (made.some(({ besideBuiltin, common }) => besideBuiltin || common)) return undefined;
  const left = timeOf(judgement, lexpr);
  const right = timeOf(judgement, rexpr);
  switch (symbol) {
    case "+":
      if (left !== undefined && right !== undefined)
        return left.kind === "interval" ? moved(right, left) : moved(left, right);
      return days(left, rexpr) ?? days(right, lexpr);
    case "-":
      return left !== undefined && right !== undefined ? moved(left, right) : days(left, rexpr);
    case "*":
      return times(left, rexpr) ?? times(right, lexpr);
    default:
      return undefined;
  }
}

function moved(time: Time, by: Time): Time | undefined {
  if (by.kind !== "interval") return undefined;
  return { kind: time.kind === "date" ? "timestamp" : time.kind, years: time.years + by.years };
}

/** A date and a number of days. */
function days(time: Time | undefined, number: Node): Time | undefined {
  const count = wholeNumber(number);
  if (time?.kind !== "date" || count === undefined) return undefined;
  return { kind: "date", years: time.years + count / 365 + 1 };
}

function times(time: Time | undefined, number: Node): Time | undefined {
  const count = wholeNumber(number);
  if (time?.kind !== "interval" || count === undefined) return undefined;
  return { kind: "interval", years: time.years * count };
}

function wholeNumber(node: Node): number | undefined {
  if (!("A_Const" in node) || !("ival" in node.A_Const)) return undefined;
  return Math.abs(node.A_Const.ival?.ival ?? 0);
}
