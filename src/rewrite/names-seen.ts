import type { A_Expr, ColumnRef, JoinExpr, Node, SelectStmt, Alias } from "@pgsql/types";
import type { Catalog } from "../catalog/catalog.ts";
import type { Judgement } from "./judgement.ts";
import { lastName, nameParts } from "./text/dotted-name.ts";
import type { Condition, Output, Place, Survey } from "./findings.ts";
import { outputNames } from "./from-names.ts";
import { givesPlainColumns, hasColumnNames } from "./reading/plain-columns.ts";

export function noteCondition(survey: Survey, node: Node | undefined, where: Where): void {
  if (node !== undefined) survey.conditions.push({ node, ...where });
}

type Where = Condition extends infer Each ? (Each extends Condition ? Omit<Each, "node"> : never) : never;

export function noteReference(survey: Survey, reference: ColumnRef): void {
  const names = (reference.fields ?? []).map((field) => ("String" in field ? field.String.sval : undefined));
  const name = names.at(-1);
  for (const part of names) if (part !== undefined) survey.named.add(part);
  if (name === undefined) survey.stars = true;
  else if (names.length === 1) survey.rows.add(name);
  if (names.length > 2) survey.qualified.push(reference);
  if (names.length > 1 && name !== undefined) survey.references.push({ qualifier: names.at(-2), name });
}

export function noteIndirection(survey: Survey, indirection: readonly Node[] | undefined): void {
  for (const part of indirection ?? [])
    if ("String" in part) survey.references.push({ qualifier: undefined, name: part.String.sval ?? "" });
}

/** What a join compares and calls itself. */
export function noteJoin(survey: Survey, join: JoinExpr, place: Place | undefined): void {
  const { quals, usingClause, isNatural, alias } = join;
  noteCondition(survey, quals, { clause: "on", join, place });
  if (isNatural === true) survey.natural = true;
  for (const name of nameParts(usingClause)) {
    survey.using.push(name);
    survey.named.add(name);
  }
  if (hasColumnNames(alias)) noteRenamed(survey);
  if (alias !== undefined) survey.joinAliases.add(alias.aliasname ?? "");
  noteAlias(survey, join.join_using_alias?.aliasname);
}

/** Columns that go under other names than their own. */
export function noteRenamed(survey: Survey): void {
  survey.computed = true;
  survey.vague = true;
  survey.renamed = true;
}

/** The columns that a sub-select or a query of WITH gives, under the names that it or its alias gives them. */
export function noteOutputs(
  { context }: Judgement,
  survey: Survey,
  query: Node | undefined,
  renamedTo: readonly Node[] = [],
): void {
  const plain = query !== undefined && givesPlainColumns(query) && renamedTo.length === 0;
  survey.computed ||= !plain;
  const select = query !== undefined && "SelectStmt" in query ? query.SelectStmt : undefined;
  const outputs = select === undefined ? undefined : outputsOf(context.catalog, select);
  if (outputs === undefined) {
    survey.vague ||= !plain;
    // Beside a star.
    for (const target of plain ? (select?.targetList ?? []) : [])
      noteOutput(survey, undefined, sourceOf(context.catalog, target));
    return;
  }
  const others = nameParts(renamedTo);
  for (const [index, { name, source }] of outputs.entries())
    noteOutput(survey, others[index] ?? name, source);
}

/** A column under its own bare name needs no note: that name alone says what it is. */
function noteOutput(survey: Survey, given: string | undefined, source: Output): void {
  const name = given ?? (source?.kind === "column" ? source.name : "");
  if (source?.kind === "column" && source.name === name && source.qualifier === undefined) return;
  survey.outputs.set(name, [...(survey.outputs.get(name) ?? []), source]);
}

/** What a select gives, column by column; undefined where that cannot be said. */
function outputsOf(catalog: Catalog, select: SelectStmt): { name: string; source: Output }[] | undefined {
  const { names, unknown } = outputNames(select);
  if (unknown) return undefined;
  // A column of a set operation stands for one of each branch.
  const targets = select.larg === undefined ? (select.targetList ?? []) : [];
  return names.map((name, index) => ({ name, source: sourceOf(catalog, targets[index]) }));
}

function sourceOf(catalog: Catalog, target: Node | undefined): Output {
  const value = target !== undefined && "ResTarget" in target ? target.ResTarget.val : undefined;
  if (value === undefined) return undefined;
  if ("ColumnRef" in value) return columnSource(value.ColumnRef);
  if (!("FuncCall" in value)) return undefined;
  const { funcname, args = [], over, agg_filter: filter } = value.FuncCall;
  const [arg] = args;
  const called = lastName(funcname) ?? "";
  if (over !== undefined || filter !== undefined || args.length > 1) return undefined;
  // Somebody's function of the name may be meant.
  if (catalog.functions.get(called)?.every(({ own }) => own) !== true) return undefined;
  if (called === "count") return { kind: "count" };
  if ((called !== "min" && called !== "max") || arg === undefined || !("ColumnRef" in arg)) return undefined;
  return columnSource(arg.ColumnRef);
}

function columnSource({ fields }: ColumnRef): Output {
  return { kind: "column", name: lastName(fields) ?? "", qualifier: lastName(fields?.slice(0, -1)) };
}

/** Operators by which no index gives its rows in an order; all others may be a distance (pg_amop.amoppurpose). */
const noDistances: ReadonlySet<string> = new Set(
  "+ - * / % ^ || = <> != < > <= >= -> ->> #> #>> @> <@ && ~ ~* !~ !~* ~~ ~~* !~~ !~~* @@ ? ?| ?&".split(" "),
);

/** To sort by a distance, an index scan computes it before it looks at other conditions (nodeIndexscan.c). */
export function noteOperator(survey: Survey, { kind, name }: A_Expr): void {
  if (kind === "AEXPR_OP" && !noDistances.has(lastName(name) ?? "")) survey.distances = true;
}

export function aliasOf(node: Node): string | undefined {
  return (Object.values(node)[0] as { alias?: Alias }).alias?.aliasname;
}

export function noteAlias(survey: Survey, name: string | undefined): void {
  if (name === undefined) return;
  survey.aliases.set(name, (survey.aliases.get(name) ?? 0) + 1);
}

/** True if more than one FROM item or CTE of the statement has the name. */
export function isShared(survey: Survey, name: string | undefined): boolean {
  return name !== undefined && (survey.aliases.get(name) ?? 0) > 1;
}
