import type { A_Expr, Node, ParamRef, SelectStmt, SubLink, TypeCast } from "@pgsql/types";
import { lastName, nameParts } from "../text/dotted-name.ts";
import type { Judgement } from "../judgement.ts";
import { parameterCounts } from "../text/source.ts";
import type { ColumnFacts } from "./column-facts.ts";
import { isBoundedTime } from "./bounded-times.ts";
import { isSafeMatch } from "./safe-matches.ts";
import { meansOwnOperators } from "./safe-operators.ts";

const comparisons: ReadonlySet<string> = new Set(["=", "<>", "!=", "<", "<=", ">", ">="]);

/** Types that a constant may be cast to: the cast is done once, when the statement is planned, whatever the rows. */
const constantCasts: ReadonlySet<string> = new Set(
  "bool int2 int4 int8 float4 float8 numeric text varchar bpchar uuid date time timestamp timestamptz interval".split(
    " ",
  ),
);

const clocks: ReadonlySet<string> = new Set(
  ["CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"].flatMap((name) => [
    `SVFOP_${name}`,
    `SVFOP_${name}_N`,
  ]),
);

const aggregates: ReadonlySet<string> = new Set([
  "avg",
  "count",
  "max",
  "min",
  "sum",
  "bool_and",
  "bool_or",
  "every",
]);

/** True if the condition may run on a row that the role must not see: it cannot raise and nothing can watch it run. */
export function isSafe(judgement: Judgement, facts: ColumnFacts, node: Node, having = false): boolean {
  if ("BoolExpr" in node)
    return node.BoolExpr.args?.every((part) => isSafe(judgement, facts, part, having)) ?? false;
  if ("NullTest" in node)
    return node.NullTest.arg !== undefined && columnFamily(facts, node.NullTest.arg) !== undefined;
  if ("BooleanTest" in node)
    return node.BooleanTest.arg !== undefined && columnFamily(facts, node.BooleanTest.arg) === "boolean";
  if ("ColumnRef" in node) return columnFamily(facts, node) === "boolean";
  if ("A_Const" in node) return true;
  if ("SubLink" in node) return isSafeSubLink(judgement, facts, node.SubLink);
  if ("A_Expr" in node)
    return (
      isSafeComparison(judgement, facts, node.A_Expr, having) || isSafeMatch(judgement, facts, node.A_Expr)
    );
  return false;
}

function isSafeComparison(
  judgement: Judgement,
  facts: ColumnFacts,
  expression: A_Expr,
  having: boolean,
): boolean {
  const { kind, name, lexpr, rexpr } = expression;
  if (lexpr === undefined || rexpr === undefined) return false;
  const operator = operatorName(name);
  // `BETWEEN` carries its own word as its operator; what it means is >= and <=.
  const between = kind === "AEXPR_BETWEEN" || kind === "AEXPR_NOT_BETWEEN";
  const known =
    between ||
    ["AEXPR_OP", "AEXPR_IN", "AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT", "AEXPR_OP_ANY"].includes(kind ?? "");
  if (!known || (!between && !comparisons.has(operator))) return false;
  const meant = between ? [">=", "<="] : [operator];
  if (having && (isAggregate(judgement, lexpr) || isAggregate(judgement, rexpr)))
    return [lexpr, rexpr].every((side) => isAggregate(judgement, side) || isConstant(judgement, side));
  const left = columnFamily(facts, lexpr);
  const right = columnFamily(facts, rexpr);
  if (left !== undefined && right !== undefined)
    return (
      left === right &&
      collateAlike(facts, lexpr, rexpr) &&
      orderSafe(left, operator, between) &&
      meansOwnOperators(judgement, meant, left, [])
    );
  if (left === undefined && right === undefined)
    return (
      meansOwnOperators(judgement, meant, undefined, [lexpr, rexpr]) &&
      isConstant(judgement, lexpr) &&
      isConstant(judgement, rexpr)
    );
  const family = (left ?? right)!;
  const other = left === undefined ? lexpr : rexpr;
  const constants = "List" in other ? (other.List.items ?? []) : [other];
  return (
    orderSafe(family, operator, between) &&
    meansOwnOperators(judgement, meant, family, constants) &&
    constants.every((constant) => isConstantFor(judgement, family, constant))
  );
}

function collateAlike(facts: ColumnFacts, left: Node, right: Node): boolean {
  const [one, other] = [left, right].map((node) =>
    "ColumnRef" in node ? facts.collation(lastName(node.ColumnRef.fields) ?? "") : undefined,
  );
  return one !== undefined && one === other;
}

/** Ordering enums may look at the catalog; equality compares two numbers. */
function orderSafe(family: string, operator: string, between: boolean): boolean {
  return !family.startsWith("enum ") || (!between && ["=", "<>", "!="].includes(operator));
}

/** A numeric column beside a float would be converted to float, which can raise; so only plain constants beside numeric. */
function isConstantFor(judgement: Judgement, family: string, node: Node): boolean {
  return family === "numeric" ? "A_Const" in node : isConstant(judgement, node);
}

/** `x IN (SELECT y …)` compares like a join; `EXISTS` looks at no value. Their own conditions are judged beside these. */
function isSafeSubLink(judgement: Judgement, facts: ColumnFacts, link: SubLink): boolean {
  const select =
    link.subselect !== undefined && "SelectStmt" in link.subselect ? link.subselect.SelectStmt : undefined;
  if (select === undefined || !onlyFilters(facts, select)) return false;
  const values = (select.targetList ?? []).map((target) =>
    "ResTarget" in target ? target.ResTarget.val : undefined,
  );
  if (link.subLinkType === "EXISTS_SUBLINK")
    return values.every((value) => value !== undefined && ("A_Const" in value || isColumn(facts, value)));
  if (link.subLinkType !== "ANY_SUBLINK" || (link.operName?.length ?? 0) > 0 || link.testexpr === undefined)
    return false;
  const left = columnFamily(facts, link.testexpr);
  return (
    left !== undefined &&
    values.length === 1 &&
    values[0] !== undefined &&
    left === columnFamily(facts, values[0]) &&
    collateAlike(facts, link.testexpr, values[0]) &&
    meansOwnOperators(judgement, ["="], left, [])
  );
}

/** A column, or a star; no call in attribute notation, which may give rows of its own. */
function isColumn(facts: ColumnFacts, node: Node): boolean {
  if (!("ColumnRef" in node)) return false;
  const name = lastName(node.ColumnRef.fields);
  const qualifier = lastName(node.ColumnRef.fields?.slice(0, -1));
  return name === undefined || qualifier === undefined || !facts.mayCall(qualifier, name);
}

/** Clauses of a sub-select that do no more than choose rows; each of the others could run an expression of its own. */
const filtering: ReadonlySet<string> = new Set([
  "targetList",
  "fromClause",
  "whereClause",
  "limitOption",
  "op",
]);

/** What it reads are stored rows: the other items of FROM are expressions too, and one of WITH may hold any. */
function onlyFilters(facts: ColumnFacts, select: SelectStmt): boolean {
  return (
    select.op === "SETOP_NONE" &&
    Object.keys(select).every((clause) => filtering.has(clause)) &&
    (select.fromClause ?? []).every((item) => readsStored(facts, item))
  );
}

function readsStored(facts: ColumnFacts, item: Node | undefined): boolean {
  if (item === undefined) return false;
  if ("RangeVar" in item) return facts.isStored(item.RangeVar);
  return (
    "JoinExpr" in item && readsStored(facts, item.JoinExpr.larg) && readsStored(facts, item.JoinExpr.rarg)
  );
}

function columnFamily(facts: ColumnFacts, node: Node): string | undefined {
  if (!("ColumnRef" in node)) return undefined;
  const { fields } = node.ColumnRef;
  const name = lastName(fields);
  return name === undefined ? undefined : facts.family(name, lastName(fields?.slice(0, -1)));
}

function operatorName(name: readonly Node[] | undefined): string {
  return name?.length === 1 ? (lastName(name) ?? "") : "";
}

/** A value that is the same for every row. */
function isConstant(judgement: Judgement, node: Node): boolean {
  // current_user and its like are names, of a collation of their own: beside a column of another the server raises.
  if ("A_Const" in node) return true;
  if ("SQLValueFunction" in node) return clocks.has(node.SQLValueFunction.op ?? "");
  if ("ParamRef" in node) return isTrusted(judgement, node.ParamRef);
  if ("TypeCast" in node && isConstantCast(judgement, node.TypeCast)) return true;
  return isBoundedTime(judgement, node);
}

/**
 * A parameter without a type of its own takes that of the column; what it takes for it is the session's to see. One that
 * stands in another place too may have its type from there, and the column would be converted to that.
 */
function isTrusted(judgement: Judgement, { number }: ParamRef): boolean {
  if (judgement.parameters === "distrusted" || !standsOnce(judgement, number)) return false;
  judgement.parameters = "trusted";
  return true;
}

function standsOnce({ source }: Judgement, number = 0): boolean {
  return parameterCounts(source).get(`$${number}`) === 1;
}

/**
 * `$1::type` gives the parameter that very type, if nothing else gives it one. Otherwise it is converted whenever a row
 * is looked at, behind other conditions, and tells by an error that they held.
 */
function isConstantCast(judgement: Judgement, { arg, typeName }: TypeCast): boolean {
  const names = nameParts(typeName?.names);
  const name = names.at(-1);
  if (name === undefined || !constantCasts.has(name) || arg === undefined) return false;
  if (names.length > 1 && names[0] !== "pg_catalog") return false;
  if (!("ParamRef" in arg)) return "A_Const" in arg;
  const { number = 0 } = arg.ParamRef;
  const declared = judgement.declaredTypes.length > 0 || judgement.context.typedParameters === true;
  if (declared || typeName?.typmods !== undefined || !standsOnce(judgement, number)) return false;
  judgement.castParameters.add(number);
  return true;
}

/** An aggregate runs after WHERE; a condition on it cannot be moved before. */
function isAggregate({ context }: Judgement, node: Node): boolean {
  if (!("FuncCall" in node)) return false;
  const { funcname, over, args, agg_filter: filter } = node.FuncCall;
  const name = lastName(funcname) ?? "";
  const [schema] = nameParts(funcname?.slice(0, -1));
  return (
    aggregates.has(name) &&
    (schema === undefined || schema === "pg_catalog") &&
    // Somebody's function of the name may be meant, and be none.
    context.catalog.functions.get(name)?.every(({ own }) => own) === true &&
    over === undefined &&
    filter === undefined &&
    (args ?? []).every((arg) => "ColumnRef" in arg)
  );
}
