import type { A_Expr, Node, ParamRef, SelectStmt, SubLink, TypeCast } from "@pgsql/types";
import type { Column } from "../../catalog/catalog.ts";
import type { TableGrant } from "../../policy/grants.ts";
import { lastName, nameParts } from "../text/dotted-name.ts";
import type { Judgement } from "../judgement.ts";
import type { Read, Survey } from "../findings.ts";
import { parameterCounts } from "../text/source.ts";
import { isBoundedTime } from "./bounded-times.ts";
import { isSafeMatch } from "./safe-matches.ts";
import { meansOwnOperators } from "./safe-operators.ts";
import { familyOfType } from "./type-families.ts";

const comparisons: ReadonlySet<string> = new Set(["=", "<>", "!=", "<", "<=", ">", ">="]);

/** Types that a constant may be cast to: the cast is done once, when the statement is planned, whatever the rows. */
const constantCasts: ReadonlySet<string> = new Set(
  "bool int2 int4 int8 float4 float8 numeric text varchar bpchar uuid date time timestamp timestamptz interval".split(
    " ",
  ),
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

/** What the columns of a statement are, by bare name: any relation that it reads may be meant. */
export type ColumnFacts = {
  /** The family of a column's type; undefined: not safe, or not known for sure. */
  family(name: string): string | undefined;
  /** OID of a column's collation: which of two that differ is meant, the server asks when it compares, and raises. */
  collation(name: string): number | undefined;
};

/**
 * Facts about columns by name alone: a name is safe if it is a plain column of a safe type in every relation of the
 * statement that has it. Scopes need not be told apart then, and a mistake can only be on the careful side.
 */
export function columnFacts(
  uses: readonly Pick<Read, "relation" | "grant">[],
  { aliases, outputs }: Pick<Survey, "aliases" | "outputs">,
): ColumnFacts {
  const known = new Map<string, StoredType | undefined>();
  for (const { relation, grant } of uses) {
    const stored =
      relation.kind === "table" ||
      relation.kind === "partitioned table" ||
      relation.kind === "materialized view";
    for (const column of relation.columns) {
      const family = stored && isPlain(column.name, grant) ? familyOf(column) : undefined;
      const { name, collation } = column;
      const before = known.get(name);
      const same = !known.has(name) || (before?.family === family && before?.collation === collation);
      known.set(name, same && family !== undefined ? { family, collation } : undefined);
    }
  }
  const typed = (name: string, within: readonly string[]): StoredType | undefined => {
    const made = outputs.get(name);
    // Where one name stands for several, they must be alike.
    if (made === undefined || within.includes(name)) return known.get(name);
    const types = made.map((output) => {
      if (output === undefined) return undefined;
      return output.kind === "count" ? counted : typed(output.name, [...within, name]);
    });
    if (known.has(name)) types.push(known.get(name));
    const [first] = types;
    return first !== undefined &&
      types.every((type) => type?.family === first.family && type.collation === first.collation)
      ? first
      : undefined;
  };
  // A bare name may mean a whole row where a FROM item has it.
  return {
    family: (name) => (aliases.has(name) ? undefined : typed(name, [])?.family),
    collation: (name) => typed(name, [])?.collation,
  };
}

type StoredType = Pick<Column, "collation"> & { readonly family: string };

/** count() gives a bigint. */
const counted: StoredType = { family: "integer", collation: 0 };

/** A column that the role sees as it is stored. */
function isPlain(name: string, grant: TableGrant | undefined): boolean {
  if (grant === undefined) return true;
  const { select } = grant;
  return (
    select !== undefined && (select.columns === "all" || select.columns.has(name)) && !select.mask.has(name)
  );
}

function familyOf(column: Column): string | undefined {
  if (column.virtual) return undefined;
  if (column.typeKind === "e") return `enum ${column.type}`;
  return column.typeKind === "b" ? familyOfType(column.type) : undefined;
}

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
  if (having && (isAggregate(lexpr) || isAggregate(rexpr)))
    return [lexpr, rexpr].every((side) => isAggregate(side) || isConstant(judgement, side));
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
  if (select === undefined || !onlyFilters(select)) return false;
  const values = (select.targetList ?? []).map((target) =>
    "ResTarget" in target ? target.ResTarget.val : undefined,
  );
  if (link.subLinkType === "EXISTS_SUBLINK")
    return values.every((value) => value !== undefined && ("ColumnRef" in value || "A_Const" in value));
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

/** Clauses of a sub-select that do no more than choose rows; each of the others could run an expression of its own. */
const filtering: ReadonlySet<string> = new Set([
  "targetList",
  "fromClause",
  "whereClause",
  "limitOption",
  "op",
]);

function onlyFilters(select: SelectStmt): boolean {
  return select.op === "SETOP_NONE" && Object.keys(select).every((clause) => filtering.has(clause));
}

function columnFamily(facts: ColumnFacts, node: Node): string | undefined {
  if (!("ColumnRef" in node)) return undefined;
  const name = lastName(node.ColumnRef.fields);
  return name === undefined ? undefined : facts.family(name);
}

function operatorName(name: readonly Node[] | undefined): string {
  return name?.length === 1 ? (lastName(name) ?? "") : "";
}

/** A value that is the same for every row. */
function isConstant(judgement: Judgement, node: Node): boolean {
  if ("A_Const" in node || "SQLValueFunction" in node) return true;
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
function isAggregate(node: Node): boolean {
  if (!("FuncCall" in node)) return false;
  const { funcname, over, args, agg_filter: filter } = node.FuncCall;
  return (
    aggregates.has(lastName(funcname) ?? "") &&
    over === undefined &&
    filter === undefined &&
    (args ?? []).every((arg) => "ColumnRef" in arg)
  );
}
