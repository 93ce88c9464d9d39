import { everything, shown, unknown, valueOf, type Analysis, type Operand } from "./operand.ts";
import {
  convertingSettings,
  kindOfInterval,
  printingSettings,
  readingSettings,
  type ValueKind,
} from "./value-kinds.ts";

/** What a value is where several meet: literals take the type of the others, and those of one another. */
export function meet(analysis: Analysis, values: readonly Operand[], because: string): Operand {
  const typed = values.flatMap(({ kind }) => (kind === "literal" || kind === "null" ? [] : [kind]));
  if (typed.length === 0) return values.find(({ kind }) => kind === "literal") ?? valueOf("plain");
  const widest = typed.find((kind) => kind === "unknown") ?? typed.toSorted(byWidth)[0]!;
  for (const kind of typed) analysis.note(convertingSettings(kind, widest), because);
  for (const value of values)
    if (value.kind === "literal") analysis.note(readingSettings(widest, value.text), shown(value));
  return { kind: widest, made: values.find(({ made }) => made !== undefined)?.made };
}

const widths: readonly ValueKind[] = ["timestamptz", "timestamp", "date", "timetz", "time", "interval"];

/** The type that the others become, first: a date beside a timestamptz becomes one. */
function byWidth(one: ValueKind, other: ValueKind): number {
  return width(one) - width(other);
}

function width(kind: ValueKind): number {
  const index = widths.indexOf(kind);
  return index < 0 ? widths.length : index;
}

/** Comparisons and all other operators that give no value of their operands' types. */
const comparing: ReadonlySet<string> = new Set(
  "= <> != < <= > >= ~~ !~~ ~~* !~~* ~ ~* !~ !~* ^@ @> <@ && -|- &< &> << >> <<= >>= ? ?| ?& @? @@ -> ->> #> #>> BETWEEN".split(
    " ",
  ),
);

/** An operator with the values on its sides. `qualified`: by pg_catalog. @returns what it gives */
export function operatorSettings(
  analysis: Analysis,
  name: string,
  qualified: boolean,
  values: readonly Operand[],
): Operand {
  if (name === "||") return concatenation(analysis, qualified, values);
  if ("+-*/%^|/&#~@".includes(name) && !comparing.has(name))
    return arithmetic(analysis, name, qualified, values);
  compare(analysis, name, qualified, values);
  return valueOf("plain");
}

/** Operands of a comparison meet; an operator of somebody else's, or an unknown one, may do anything. */
export function compare(
  analysis: Analysis,
  name: string,
  qualified: boolean,
  values: readonly Operand[],
): void {
  foreignOperator(analysis, name, qualified, values);
  if (!comparing.has(name) && !name.startsWith("BETWEEN") && !name.startsWith("NOT BETWEEN"))
    analysis.note(everything, `the operator ${name}`);
  meet(analysis, values, `the operator ${name}`);
}

const numbers = "smallint integer bigint numeric real double precision";
const comparable =
  `${numbers} text character boolean uuid date time without time zone timestamp without time zone ` +
  "timestamp with time zone interval bytea oid inet jsonb";

/** Types of which pg_catalog has the operator on both sides. */
const exact: ReadonlyMap<string, string> = new Map([
  ...["=", "<>", "!=", "<", "<=", ">", ">=", "BETWEEN"].map((name) => [name, comparable] as const),
  ...["+", "-", "*", "/"].map((name) => [name, numbers] as const),
  ...["~~", "!~~", "~~*", "!~~*", "~", "~*", "!~", "!~*", "||"].map((name) => [name, "text"] as const),
]);

/** The server takes an operator for just these types first, and the first of those along the path (oper, parse_oper.c). */
function isExact(name: string, values: readonly Operand[]): boolean {
  const typed = values.filter(({ kind }) => kind !== "literal" && kind !== "null");
  const [first] = typed;
  const types = exact.get(name.endsWith("BETWEEN") ? "BETWEEN" : name) ?? "";
  if (first?.type === undefined) return false;
  return ` ${types} `.includes(` ${first.type} `) && typed.every(({ type }) => type === first.type);
}

/**
 * An operator that also stands outside pg_catalog is chosen along the search_path, unless the operands' types have one of
 * the server's own: citext's `=` ignores case, and without its schema in the path that of text stands in its place.
 */
function foreignOperator(
  analysis: Analysis,
  name: string,
  qualified: boolean,
  values: readonly Operand[],
): void {
  const others = qualified ? undefined : analysis.names.operator(name.endsWith("BETWEEN") ? ">=" : name);
  if (others === undefined || isExact(name, values)) return;
  const made = values.flatMap((value) => value.made ?? []);
  const chosen =
    made.length === 0
      ? others.takesBuiltin(values.filter(({ kind }) => kind === "literal" || kind === "null").length)
      : made.some((type) => type === "?" || others.chosenBy(type));
  if (chosen) analysis.note(["search_path", "*"], `the operator ${name}`);
}

function concatenation(analysis: Analysis, qualified: boolean, values: readonly Operand[]): Operand {
  foreignOperator(analysis, "||", qualified, values);
  for (const { kind } of values)
    if (kind !== "literal" && kind !== "null" && kind !== "bytea")
      analysis.note(printingSettings(kind), "the operator ||");
  if (values.some(({ kind }) => kind === "bytea")) return valueOf("bytea");
  return valueOf(values.every(({ kind }) => printsPlainly(kind)) ? "plain" : "unknown");
}

function printsPlainly(kind: Operand["kind"]): boolean {
  return kind === "plain" || kind === "literal" || kind === "null";
}

/** `+`, `-`, `*` and the like: among numbers no setting has a part, among dates and intervals some have. */
function arithmetic(
  analysis: Analysis,
  name: string,
  qualified: boolean,
  values: readonly Operand[],
): Operand {
  foreignOperator(analysis, name, qualified, values);
  const because = `the operator ${name}`;
  const kinds = values.map(({ kind }) => (kind === "null" ? "plain" : kind));
  if (values.length === 1) return values[0]!;
  if (kinds.every((kind) => printsPlainly(kind) || kind === "float"))
    return valueOf(kinds.includes("float") ? "float" : "plain");
  const [left, right] = kinds as [Operand["kind"], Operand["kind"]];
  if (left === "literal" || right === "literal") {
    const typed = (left === "literal" ? right : left) as ValueKind;
    return literalSum(
      analysis,
      name,
      typed,
      values.find(({ kind }) => kind === "literal")!,
      because,
    );
  }
  const result = sum(name, left as ValueKind, right as ValueKind);
  analysis.note(result.settings, because);
  return valueOf(result.kind);
}

/** A literal beside a date or a time: an interval behind `+`; behind `-` it may be another date too. */
function literalSum(
  analysis: Analysis,
  name: string,
  typed: ValueKind,
  literal: Operand,
  because: string,
): Operand {
  analysis.note(readingSettings("interval", literal.text), shown(literal));
  const point = typed === "timestamptz" || typed === "timestamp";
  if (name !== "+" || !point) analysis.note(readingSettings(typed, literal.text), shown(literal));
  if (typed === "timestamptz" && kindOfInterval(literal.text) !== "clock")
    analysis.note(["timezone"], because);
  return name === "+" && point ? valueOf(typed) : unknown;
}

function span(kind: ValueKind): boolean {
  return kind === "interval" || kind === "clock";
}

function number(kind: ValueKind): boolean {
  return kind === "plain" || kind === "float";
}

function sum(
  name: string,
  left: ValueKind,
  right: ValueKind,
): { readonly kind: ValueKind; readonly settings: readonly string[] } {
  const none: readonly string[] = [];
  if (left === "unknown" || right === "unknown") return { kind: "unknown", settings: everything };
  if (span(left) && span(right))
    return { kind: left === "clock" && right === "clock" ? "clock" : "interval", settings: none };
  if (span(left) && number(right)) return { kind: left, settings: none };
  if (number(left) && span(right)) return { kind: right, settings: none };
  if (span(right) || span(left)) {
    const [point, length] = span(right) ? [left, right] : [right, left];
    switch (point) {
      case "date":
      case "timestamp":
        return { kind: "timestamp", settings: none };
      case "time":
      case "timetz":
        return { kind: point, settings: none };
      case "timestamptz":
        // A day of an interval has 23, 24 or 25 hours, as the session's zone has it.
        return { kind: point, settings: length === "clock" ? none : ["timezone"] };
      default:
        return { kind: "unknown", settings: everything };
    }
  }
  if (left === "date" && right === "plain") return { kind: "date", settings: none };
  if (left === "plain" && right === "date" && name === "+") return { kind: "date", settings: none };
  if (left === "date" && right === "date") return { kind: "plain", settings: none };
  if (name === "-" && widths.includes(left) && widths.includes(right))
    return { kind: "interval", settings: convertingSettings(left, right) };
  return { kind: "unknown", settings: everything };
}
