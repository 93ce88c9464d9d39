import type { ColumnRef, Node, SelectStmt } from "@pgsql/types";
import { refuse } from "../errors.ts";
import { endOfRelationName } from "../sql/lexer.ts";
import { quoteIdentifier } from "../sql/names.ts";
import { childNodes } from "./child-nodes.ts";
import { lastName } from "./dotted-name.ts";
import type { Read, Survey } from "./findings.ts";
import { become, expressionTree } from "./fragment.ts";
import { namesIn, outputNames, type FromNames } from "./from-names.ts";
import { edit, type Judgement } from "./judgement.ts";
import { systemColumns } from "./system-columns.ts";
import { rowName, type Target } from "./write-target.ts";

/** What becomes of a masked column: its mask, a refusal where the masked value would be written back, or nothing. */
type Masked = "show" | "refuse" | "leave";

/** Names of a FROM list; `inFrom`: the reference stands in the list itself, and does not see all of it. */
type Level = FromNames & { readonly inFrom: boolean };

/** Where a reference stands. */
type Place = {
  readonly target: Target;
  readonly masked: Masked;
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
  { beside, masked }: { beside: readonly Node[]; masked: "show" | "refuse" },
): void {
  if (!target.virtual) return;
  const byRangeVar = new Map(reads.map((read) => [read.rangeVar as object, read]));
  const level = { ...namesIn(beside, byRangeVar), inFrom: false };
  const place = { target, masked, reads: byRangeVar, aliases, levels: [level] };
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
  const place = { target, masked: "leave", reads, aliases: survey.aliases, levels: [level] } as const;
  for (const node of beside) visit(judgement, node, place);
}

function visit(judgement: Judgement, node: Node, place: Place): void {
  if ("ColumnRef" in node) return judgeReference(judgement, node, node.ColumnRef, place);
  if ("SelectStmt" in node) return visitSelect(judgement, node, place);
  for (const child of childNodes(node)) visit(judgement, child, place);
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

function judgeReference(judgement: Judgement, node: Node, reference: ColumnRef, place: Place): void {
  const names = (reference.fields ?? []).map((field) => ("String" in field ? field.String.sval : undefined));
  const last = names.at(-1);
  const qualifier = names.at(-2);
  const { target } = place;
  // `schema.table.column` passes every alias of the table's name.
  const meant =
    qualifier !== undefined &&
    (target.names.has(qualifier) || (names.length > 2 && qualifier === target.relation.name));
  if (last === undefined) return meant && target.visible !== undefined ? wholeRow(target) : undefined;
  if (meant) return judgeColumn(judgement, node, reference, place, last, qualifier);
  return names.length === 1 ? judgeBare(judgement, node, reference, place, last) : undefined;
}

function judgeBare(judgement: Judgement, node: Node, reference: ColumnRef, place: Place, name: string): void {
  const { target, aliases } = place;
  if (isPlain(target, name)) return undefined;
  const isColumn = target.relation.columns.some((column) => column.name === name);
  if (!isColumn && !systemColumns.has(name)) {
    if (target.visible === undefined) return undefined;
    // Its row, whatever else has the name: where a FROM list does not see its own item, the target is meant.
    if (target.names.has(name)) return wholeRow(target);
    if (aliases.has(name)) return undefined;
  }
  const meaning = meaningOf(place, name);
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

type Meaning =
  | { readonly kind: "target" | "inner" | "unclear" }
  | { readonly kind: "beside"; readonly item: string };

/** What a bare name means, from the innermost FROM list outwards, as the server looks for it. */
function meaningOf({ levels, aliases, masked }: Place, name: string): Meaning {
  for (const [depth, { known, unknown, inFrom }] of [...levels.entries()].toReversed()) {
    const owners = known.get(name) ?? [];
    if (owners.length > 0 && depth > 0) return { kind: inFrom ? "unclear" : "inner" };
    if (owners.length > 0) {
      const [item] = owners;
      if (masked === "leave") return { kind: "unclear" };
      // Two tables that have it make it ambiguous, as without the target.
      if (owners.length > 1) return { kind: "inner" };
      return item === undefined || (aliases.get(item) ?? 0) > 1
        ? { kind: "unclear" }
        : { kind: "beside", item };
    }
    if (unknown) return { kind: "unclear" };
  }
  return { kind: "target" };
}

/** True for a column that the role sees as it is stored; where all are, what is left is the system columns. */
function isPlain({ visible }: Target, name: string): boolean {
  if (visible === undefined) return !systemColumns.has(name);
  return visible.has(name) && visible.get(name) === undefined;
}

function wholeRow(target: Target): never {
  refuse(
    "column_not_allowed",
    `the whole row of ${target.relation.schema}.${target.relation.name} cannot be used in a statement that writes to it`,
    {
      detail: `The role does not see every column of it (${target.grant.rule}).`,
      hint: "Name the columns.",
    },
  );
}

function judgeColumn(
  judgement: Judgement,
  node: Node,
  reference: ColumnRef,
  { target, masked, aliases }: Place,
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
  if (aliases.has(row))
    refuse(
      "column_not_allowed",
      `column reference "${name}" could mean a masked column of more than one table`,
      {
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
