import type { ColumnRef, Node, SelectStmt } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import { endOfRelationName } from "../../sql/lexer.ts";
import { quoteIdentifier } from "../../sql/names.ts";
import { childNodes } from "../text/child-nodes.ts";
import { lastName } from "../text/dotted-name.ts";
import type { Read, Survey } from "../findings.ts";
import { become, expressionTree } from "../text/fragment.ts";
import { namesIn, outputNames } from "../from-names.ts";
import { edit, type Judgement } from "../judgement.ts";
import { columnMeaning, isShadowed, itemMeaning, type Level } from "../name-levels.ts";
import { indexAfterName, symbolAt } from "../text/source.ts";
import { systemColumns } from "../reading/system-columns.ts";
import { fieldOfRow, wholeRow } from "./target-rows.ts";
import { isPlain, rowName, type Target } from "./write-target.ts";

/** What becomes of a masked column: its mask, a refusal where the masked value would be written back, or nothing. */
type Masked = "show" | "refuse" | "leave";

/** Where a reference stands. */
type Place = {
  readonly target: Target;
  readonly masked: Masked;
  /** A whole row can be made of what the role sees of it, by a sub-select. */
  readonly rows: boolean;
  readonly reads: ReadonlyMap<object, Read>;
  readonly aliases: ReadonlyMap<string, number>;
  /** The FROM lists whose names it can see: the statement's own, then those of the sub-selects that it stands in. */
  readonly levels: readonly Level[];
};

/**
 * Judges every reference to the target's columns below the nodes, sub-selects included. A hidden column of the target
 * does not exist: a bare name that another table gives means that one's, and one that nothing gives is refused in the
 * same words whether the target has it or not. Where it cannot be told, it is refused too.
 * @param beside the FROM or USING items that stand beside the target; their own references are judged by judgeBeside.
 * @throws RolegateError column_unknown, column_not_allowed
 */
export function judgeTargetColumns(
  judgement: Judgement,
  { reads, aliases }: Survey,
  target: Target,
  nodes: readonly (Node | undefined)[],
  { beside, masked, rows = true }: { beside: readonly Node[]; masked: "show" | "refuse"; rows?: boolean },
): void {
  if (!target.virtual) return;
  const byRangeVar = new Map(reads.map((read) => [read.rangeVar as object, read]));
  const level = { ...namesIn(beside, byRangeVar), inFrom: false };
  const place = { target, masked, rows, reads: byRangeVar, aliases, levels: [level] };
  for (const node of nodes) if (node !== undefined) visit(judgement, node, place);
}

/**
 * The same for what stands in the FROM or USING items themselves. The server lets nothing there refer to the target
 * (analyze.c, transformUpdateStmt), but says so in other words where the column exists.
 */
export function judgeBeside(
  judgement: Judgement,
  survey: Survey,
  target: Target,
  beside: readonly Node[],
): void {
  if (!target.virtual) return;
  const reads = new Map(survey.reads.map((read) => [read.rangeVar as object, read]));
  const level = { ...namesIn(beside, reads), inFrom: true };
  const place = {
    target,
    masked: "leave",
    rows: false,
    reads,
    aliases: survey.aliases,
    levels: [level],
  } as const;
  for (const node of beside) visit(judgement, node, place);
}

/** @param within the node right above. */
function visit(judgement: Judgement, node: Node, place: Place, within?: Node): void {
  if ("ColumnRef" in node) return judgeReference(judgement, node, node.ColumnRef, place, within);
  if ("SelectStmt" in node) return visitSelect(judgement, node, place);
  const row = "A_Indirection" in node ? fieldOfRow(node.A_Indirection) : undefined;
  if (row !== undefined && isRow(place, row.name)) {
    // `(t).column`: one column of the row, and no more.
    judgeField(judgement, place, row);
    for (const part of row.rest) visit(judgement, part, place);
    return undefined;
  }
  for (const child of childNodes(node)) visit(judgement, child, place, node);
  return undefined;
}

function visitSelect(judgement: Judgement, node: { SelectStmt: SelectStmt }, place: Place): void {
  const { fromClause = [], sortClause = [], groupClause = [], distinctClause = [] } = node.SelectStmt;
  const names = namesIn(fromClause, place.reads);
  const at = (inFrom: boolean): Place => ({ ...place, levels: [...place.levels, { ...names, inFrom }] });
  const from = new Set(fromClause);
  // Here a bare name is one that the select gives, before it is anything further out (parse_clause.c, findTargetlistEntrySQL92).
  const byOutput = new Set([...sortClause, ...groupClause, ...distinctClause]);
  const outputs = new Set(outputNames(node.SelectStmt).names);
  for (const child of childNodes(node)) {
    if (byOutput.has(child) && outputs.has(bareName(child) ?? "")) continue;
    visit(judgement, child, at(from.has(child) || "WithClause" in child));
  }
}

function bareName(node: Node): string | undefined {
  if ("SortBy" in node) return node.SortBy.node === undefined ? undefined : bareName(node.SortBy.node);
  return "ColumnRef" in node && node.ColumnRef.fields?.length === 1
    ? lastName(node.ColumnRef.fields)
    : undefined;
}

function judgeReference(
  judgement: Judgement,
  node: Node,
  reference: ColumnRef,
  place: Place,
  within: Node | undefined,
): void {
  const names = (reference.fields ?? []).map((field) => ("String" in field ? field.String.sval : undefined));
  const last = names.at(-1);
  const qualifier = names.at(-2);
  const { target, levels } = place;
  if (qualifier === undefined)
    return last === undefined ? undefined : judgeBare(judgement, node, reference, place, last);
  // `schema.table.column` passes every alias of the table's name.
  const schema = names.length > 2 && qualifier === target.relation.name;
  if (!target.names.has(qualifier) && !schema) return undefined;
  if (!schema && itemMeaning(levels, qualifier) === "inner") return undefined;
  if (last !== undefined) return judgeColumn(judgement, node, reference, place, last, qualifier);
  return target.visible === undefined
    ? undefined
    : judgeRow(judgement, node, reference, place, qualifier, within);
}

function judgeBare(judgement: Judgement, node: Node, reference: ColumnRef, place: Place, name: string): void {
  const { target, aliases, levels } = place;
  if (isPlain(target, name)) return undefined;
  const isColumn = target.relation.columns.some((column) => column.name === name);
  const meaning = columnMeaning(levels, name);
  if (!isColumn && !systemColumns.has(name)) {
    if (target.visible === undefined) return undefined;
    // Its row, whatever else has the name: where a FROM list does not see its own item, the target is meant.
    if (target.names.has(name))
      return meaning.kind === "inner" || itemMeaning(levels, name) === "inner"
        ? undefined
        : judgeRow(judgement, node, reference, place, name, undefined);
    if (aliases.has(name)) return undefined;
  }
  switch (meaning.kind) {
    case "inner":
      return undefined;
    case "target":
      return judgeColumn(judgement, node, reference, place, name, undefined);
    case "beside":
      // The server would call it ambiguous: it knows the target's column too.
      edit(judgement, reference.location ?? 0, reference.location ?? 0, `${quoteIdentifier(meaning.item)}.`);
      reference.fields = [{ String: { sval: meaning.item } }, ...(reference.fields ?? [])];
      return undefined;
    case "unclear":
      if (!isColumn && !systemColumns.has(name)) return undefined;
      return refuse(
        "column_not_allowed",
        `column reference "${name}" could mean a column that the role may not read here`,
        {
          detail: `It could be one of ${target.relation.schema}.${target.relation.name} (${target.grant.rule}).`,
          hint: "Qualify the column with the alias of the table that is meant.",
        },
      );
    default:
      return meaning satisfies never;
  }
}

/** True if a bare name can only be the target's row: a column of that name would come first, wherever it is. */
function isRow({ target, levels }: Pick<Place, "target" | "levels">, name: string): boolean {
  return (
    target.visible !== undefined &&
    target.names.has(name) &&
    !target.relation.columns.some((column) => column.name === name) &&
    columnMeaning(levels, name).kind === "target" &&
    itemMeaning(levels, name) === "target"
  );
}

/** The whole row: of what the role sees, or refused where that cannot be said. */
function judgeRow(
  judgement: Judgement,
  node: Node,
  reference: ColumnRef,
  { target, masked, rows, levels }: Place,
  name: string,
  within: Node | undefined,
): void {
  if (masked === "leave") return;
  const { source, context } = judgement;
  const start = reference.location ?? 0;
  const star = lastName(reference.fields) === undefined;
  const sure =
    rows &&
    (reference.fields?.length ?? 0) === (star ? 2 : 1) &&
    (star ? itemMeaning(levels, name) === "target" : isRow({ target, levels }, name));
  const text = sure ? wholeRow(target, name, { masked, star: star ? within : undefined }) : undefined;
  if (text === undefined)
    refuse(
      "column_not_allowed",
      `the whole row of ${target.relation.schema}.${target.relation.name} cannot be used here`,
      {
        detail: `The role does not see every column of it (${target.grant.rule}).`,
        hint: "Name the columns.",
      },
    );
  for (const mask of target.visible?.values() ?? []) if (mask !== undefined) judgement.rules.add(mask.rule);
  const behind = indexAfterName(source, start);
  const end =
    star && symbolAt(source, behind, ".")
      ? source.tokens[behind + 1]!.end
      : endOfRelationName(source.bytes, start);
  edit(judgement, start, end, text);
  become(node, expressionTree(context.parser, text));
}

function judgeColumn(
  judgement: Judgement,
  node: Node,
  reference: ColumnRef,
  { target, masked, levels }: Place,
  name: string,
  qualifier: string | undefined,
): void {
  // The proposed row of ON CONFLICT holds what the client itself gave, and defaults that are not its own.
  if (qualifier === "excluded" && target.given.has(name)) return;
  if (isPlain(target, name)) return;
  const mask = target.visible?.get(name);
  if (mask === undefined) unknownColumn(judgement, target, name);
  if (masked === "leave") return;
  if (masked === "refuse")
    refuse("column_not_allowed", `column "${name}" is masked and cannot be used to compute what is written`, {
      detail: `The masked value would be stored in place of the real one (${mask.rule}).`,
      hint: "Write a value that stands in the statement, or leave the column out.",
    });
  const row = qualifier ?? rowName(target);
  if (isShadowed(levels, row))
    refuse(
      "column_not_allowed",
      `column reference "${name}" could mean a masked column of more than one table`,
      {
        detail: `Another of the statement's tables goes by the name ${quoteIdentifier(row)} too, and the mask would read its columns (${mask.rule}).`,
        hint: "Give each table of the statement a name of its own.",
      },
    );
  judgement.rules.add(mask.rule);
  const start = reference.location ?? 0;
  const shown = expressionTree(judgement.context.parser, `(${mask.render(row)})`);
  // A bare constant would be a position in ORDER BY and GROUP BY, and take its type from what stands beside it.
  const constant = "A_Const" in shown;
  const text = `(${constant ? "SELECT " : ""}${mask.render(row)})`;
  edit(judgement, start, endOfRelationName(judgement.source.bytes, start), text);
  become(node, constant ? expressionTree(judgement.context.parser, text) : shown);
}

function judgeField(
  judgement: Judgement,
  { target }: Place,
  { name, field }: { name: string; field: string },
): void {
  if (isPlain(target, field)) return;
  const mask = target.visible?.get(field);
  if (mask === undefined) unknownColumn(judgement, target, field);
  refuse("column_not_allowed", `column "${field}" is masked and cannot be taken out of the row`, {
    detail: `Its mask stands in its place (${mask.rule}).`,
    hint: `Write ${quoteIdentifier(name)}.${quoteIdentifier(field)}.`,
  });
}

/** The server's own words for a column that is not there, whether or not the real table has it. */
function unknownColumn(judgement: Judgement, target: Target, name: string): never {
  // A fresher catalog may know it.
  judgement.unresolved = true;
  const { relation, grant, visible } = target;
  const seen = visible === undefined ? relation.columns.map((column) => column.name) : [...visible.keys()];
  refuse("column_unknown", `column "${name}" does not exist`, {
    detail: `The role sees no such column of ${relation.schema}.${relation.name} (${grant.rule}).`,
    hint: seen.length > 0 ? `It sees: ${seen.join(", ")}.` : "The role may not read this relation.",
  });
}
