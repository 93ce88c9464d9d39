import type { Alias, ColumnRef, JoinExpr, Node } from "@pgsql/types";
import { nameParts } from "./text/dotted-name.ts";
import type { Survey } from "./findings.ts";
import { hasColumnNames } from "./reading/plain-columns.ts";

export function noteCondition(survey: Survey, node: Node | undefined, having: boolean): void {
  if (node !== undefined) survey.conditions.push({ node, having });
}

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
export function noteJoin(survey: Survey, join: JoinExpr): void {
  const { quals, usingClause, isNatural, alias } = join;
  noteCondition(survey, quals, false);
  if (isNatural === true) survey.natural = true;
  for (const name of nameParts(usingClause)) {
    survey.using.push(name);
    survey.named.add(name);
  }
  if (hasColumnNames(alias)) {
    survey.computed = true;
    survey.renamed = true;
  }
  if (alias !== undefined) survey.joinAliases.add(alias.aliasname ?? "");
  noteAlias(survey, join.join_using_alias?.aliasname);
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
