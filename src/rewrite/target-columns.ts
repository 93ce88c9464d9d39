import type { ColumnRef, Node } from "@pgsql/types";
import { refuse } from "../errors.ts";
import { endOfRelationName } from "../sql/lexer.ts";
import { childNodes } from "./child-nodes.ts";
import { become, expressionTree } from "./fragment.ts";
import { edit, type Judgement } from "./judgement.ts";
import { rowName, type Target } from "./write-target.ts";

/** What becomes of a masked column: its mask, or a refusal where the masked value would be written back. */
export type Masked = "show" | "refuse";

/** Where a reference stands: at the statement's own level, or in a sub-select of it. */
type Place = {
  readonly target: Target;
  readonly masked: Masked;
  /** Nothing but the target can give a bare name its meaning. */
  readonly alone: boolean;
  readonly aliases: ReadonlyMap<string, number>;
};

/**
 * Judges every reference to the target's columns below the nodes, sub-selects included.
 *
 * Which FROM item a name means depends on where exactly it stands (LATERAL, join aliases, ON, CTEs), so nothing is
 * concluded from what stands beside it: a name that could mean a hidden column of the target is refused, even where
 * another table would be meant. Such a statement only has to use another alias.
 * @param beside the FROM or USING items that stand beside the target.
 * @param aliases every name that a FROM item of the whole statement has.
 * @throws RolegateError column_unknown, column_not_allowed
 */
export function judgeTargetColumns(
  judgement: Judgement,
  target: Target,
  nodes: readonly (Node | undefined)[],
  {
    beside,
    aliases,
    masked,
  }: { beside: readonly Node[]; aliases: ReadonlyMap<string, number>; masked: Masked },
): void {
  if (!target.virtual) return;
  const place = { target, masked, alone: beside.length === 0, aliases };
  for (const node of nodes) if (node !== undefined) visit(judgement, node, place);
}

function visit(judgement: Judgement, node: Node, place: Place): void {
  if ("ColumnRef" in node) return judgeReference(judgement, node, node.ColumnRef, place);
  const inner = "SelectStmt" in node ? { ...place, alone: false } : place;
  for (const child of childNodes(node)) visit(judgement, child, inner);
  return undefined;
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
  const { target } = place;
  const isColumn = target.relation.columns.some((column) => column.name === name);
  if (!isColumn && !systemColumns.has(name))
    return target.names.has(name) && target.visible !== undefined ? wholeRow(target) : undefined;
  if (isPlain(target, name)) return undefined;
  if (place.alone) return judgeColumn(judgement, node, reference, place, name, undefined);
  refuse(
    "column_not_allowed",
    `column reference "${name}" could mean a column that the role may not read here`,
    {
      detail: `It could be one of ${target.relation.schema}.${target.relation.name} (${target.grant.rule}).`,
      hint: "Qualify the column with the alias of the table that is meant.",
    },
  );
}

/** True for a column that the role sees as it is stored; where all are, what is left is the system columns. */
function isPlain({ visible }: Target, name: string): boolean {
  if (visible === undefined) return !systemColumns.has(name);
  return visible.has(name) && visible.get(name) === undefined;
}

/** System columns (documentation, 5.6) belong to every table; `tableoid` and `ctid` tell of hidden rows too. */
export const systemColumns: ReadonlySet<string> = new Set([
  "tableoid",
  "xmin",
  "cmin",
  "xmax",
  "cmax",
  "ctid",
]);

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
  if (mask === undefined) unknownColumn(target, name);
  if (masked !== "show")
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
  const text = `(${mask.render(row)})`;
  edit(judgement, start, endOfRelationName(judgement.source.bytes, start), text);
  become(node, expressionTree(judgement.context.parser, text));
}

/** The server's own words for a column that is not there, whether or not the real table has it. */
function unknownColumn(target: Target, name: string): never {
  const { relation, grant, visible } = target;
  const seen = visible === undefined ? relation.columns.map((column) => column.name) : [...visible.keys()];
  refuse("column_unknown", `column "${name}" does not exist`, {
    detail: `The role sees no such column of ${relation.schema}.${relation.name} (${grant.rule}).`,
    hint: seen.length > 0 ? `It sees: ${seen.join(", ")}.` : "The role may not read this relation.",
  });
}
