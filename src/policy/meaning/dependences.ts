import { callSettings, foreignCall } from "./functions.ts";
import {
  everything,
  nameList,
  shown,
  unknown,
  valueOf,
  type Analysis,
  type Dependence,
  type Operand,
  type RuleNames,
} from "./operand.ts";
import { compare, meet, operatorSettings } from "./operators.ts";
import {
  convertingSettings,
  kindOfInterval,
  kindOfServerType,
  readingSettings,
  type ValueKind,
} from "./value-kinds.ts";

type Tree = Readonly<Record<string, unknown>>;

/**
 * The settings on which the meaning of a rule depends: by which it reads its literals, turns values into others, or
 * finds what a name stands for. What is not known is taken to depend on all of them.
 * @param tree the rule's expression as the grammar reads it.
 */
export function settingDependences(tree: unknown, names: RuleNames): readonly Dependence[] {
  const found = new Map<string, Dependence>();
  const note = (settings: readonly string[], because: string): void => {
    for (const setting of settings) if (!found.has(setting)) found.set(setting, { setting, because });
  };
  operand({ names, note }, tree);
  return [...found.values()];
}

/** What the expression gives. */
function operand(analysis: Analysis, tree: unknown): Operand {
  const [kind, fields] = Object.entries(tree as Tree)[0] as [string, Tree];
  const all = (list: unknown): Operand[] =>
    ((list ?? []) as unknown[]).map((item) => operand(analysis, item));
  switch (kind) {
    case "A_Const":
      return constant(fields);
    case "ColumnRef": {
      const parts = nameList(fields["fields"]);
      return parts.length === 1 ? analysis.names.column(parts[0]!) : { kind: "literal", text: undefined };
    }
    case "TypeCast":
      return cast(analysis, operand(analysis, fields["arg"]), fields["typeName"] as Tree);
    case "A_Expr":
      return operation(analysis, fields);
    case "BoolExpr":
      all(fields["args"]);
      return valueOf("plain");
    case "NullTest":
    case "BooleanTest":
      operand(analysis, fields["arg"]);
      return valueOf("plain");
    case "CaseExpr":
      return caseOf(analysis, fields);
    case "CoalesceExpr":
    case "MinMaxExpr":
      return meet(analysis, all(fields["args"]), "values of different types");
    case "A_ArrayExpr":
      return meet(analysis, all(fields["elements"]), "values of different types");
    case "CollateClause":
      collation(analysis, nameList(fields["collname"]));
      return operand(analysis, fields["arg"]);
    case "SQLValueFunction":
      return systemValue(analysis, fields["op"] as string);
    case "FuncCall":
      return call(analysis, fields, all(fields["args"]));
    default:
      analysis.note(everything, kind);
      return unknown;
  }
}

function constant(fields: Tree): Operand {
  if (fields["isnull"] === true) return { kind: "null" };
  const { sval } = fields as { sval?: { sval?: string } };
  return sval === undefined ? valueOf("plain") : { kind: "literal", text: sval.sval ?? "" };
}

/** Names of types in casts that the catalog prints otherwise. */
const printed: ReadonlyMap<string, string> = new Map([
  ["int2", "smallint"],
  ["int4", "integer"],
  ["int8", "bigint"],
  ["float4", "real"],
  ["float8", "double precision"],
  ["bool", "boolean"],
  ["bpchar", "character"],
  ["varchar", "character varying"],
  ["time", "time without time zone"],
  ["timestamp", "timestamp without time zone"],
  ["timestamptz", "timestamp with time zone"],
]);

function cast(analysis: Analysis, from: Operand, typeName: Tree): Operand {
  const parts = nameList(typeName["names"]);
  const name = parts.at(-1)!;
  const schema = parts.length > 1 ? parts.at(-2) : undefined;
  const own = schema === undefined || schema === "pg_catalog" ? kindOfServerType(name) : undefined;
  let kind: ValueKind;
  let made: string | undefined;
  if (own !== undefined)
    kind = own === "interval" && from.kind === "literal" ? kindOfInterval(from.text) : own;
  else {
    const known = analysis.names.type(schema, name);
    if (schema === undefined && known.schemas > 1) analysis.note(["search_path"], `the type ${name}`);
    kind = known.gives.kind as ValueKind;
    made = known.gives.made;
  }
  if (from.kind === "literal") analysis.note(readingSettings(kind, from.text), shown(from));
  else if (from.kind !== "null") analysis.note(convertingSettings(from.kind, kind), `the cast to ${name}`);
  return { kind, made, type: own === undefined ? undefined : (printed.get(name) ?? name) };
}

function caseOf(analysis: Analysis, fields: Tree): Operand {
  const whens = ((fields["args"] ?? []) as { CaseWhen: Tree }[]).map(({ CaseWhen }) => CaseWhen);
  const conditions = whens.map((when) => operand(analysis, when["expr"]));
  if (fields["arg"] !== undefined) {
    const compared = operand(analysis, fields["arg"]);
    for (const condition of conditions) compare(analysis, "=", false, [compared, condition]);
  }
  const results = whens.map((when) => operand(analysis, when["result"]));
  if (fields["defresult"] !== undefined) results.push(operand(analysis, fields["defresult"]));
  return meet(analysis, results, "values of different types");
}

function operation(analysis: Analysis, fields: Tree): Operand {
  const parts = nameList(fields["name"]);
  const name = parts.at(-1)!;
  const sides = [fields["lexpr"], fields["rexpr"]].filter((side) => side !== undefined);
  const values = sides.flatMap((side) => {
    const list = (side as { List?: { items?: unknown[] } }).List;
    return list === undefined
      ? [operand(analysis, side)]
      : (list.items ?? []).map((item) => operand(analysis, item));
  });
  const qualified = parts.length > 1;
  if (qualified && parts[0] !== "pg_catalog") {
    analysis.note(everything, `the operator ${parts.join(".")}`);
    return unknown;
  }
  switch (fields["kind"]) {
    case "AEXPR_OP":
      return operatorSettings(analysis, name, qualified, values);
    case "AEXPR_NULLIF":
      compare(analysis, "=", false, values);
      return values[0]!;
  }
  compare(analysis, name, qualified, values);
  return valueOf("plain");
}

/** Collations of the server that have the same name everywhere; others are found along the search_path. */
const ownCollations: ReadonlySet<string> = new Set(
  "C POSIX default ucs_basic unicode und-x-icu pg_c_utf8 pg_unicode_fast".split(" "),
);

function collation(analysis: Analysis, parts: readonly string[]): void {
  if (parts.length === 1 && !ownCollations.has(parts[0]!))
    analysis.note(["search_path"], `the collation ${parts[0]}`);
}

function systemValue(analysis: Analysis, op: string): Operand {
  const because = op.replace("SVFOP_", "").toLowerCase();
  switch (op) {
    case "SVFOP_CURRENT_DATE":
      analysis.note(["timezone"], because);
      return valueOf("date");
    case "SVFOP_CURRENT_TIME":
    case "SVFOP_CURRENT_TIME_N":
      analysis.note(["timezone"], because);
      return valueOf("timetz");
    case "SVFOP_LOCALTIME":
    case "SVFOP_LOCALTIME_N":
      analysis.note(["timezone"], because);
      return valueOf("time");
    case "SVFOP_LOCALTIMESTAMP":
    case "SVFOP_LOCALTIMESTAMP_N":
      analysis.note(["timezone"], because);
      return valueOf("timestamp");
    case "SVFOP_CURRENT_TIMESTAMP":
    case "SVFOP_CURRENT_TIMESTAMP_N":
      return valueOf("timestamptz");
    case "SVFOP_CURRENT_SCHEMA":
      analysis.note(["search_path"], because);
      return valueOf("plain");
    default:
      return valueOf("plain");
  }
}

function call(analysis: Analysis, fields: Tree, values: readonly Operand[]): Operand {
  const parts = nameList(fields["funcname"]);
  const [name, schema] = parts.toReversed() as [string, string | undefined];
  if (schema === undefined || schema === "pg_catalog") return callSettings(analysis, name, values);
  return foreignCall(analysis, schema, name, values);
}
