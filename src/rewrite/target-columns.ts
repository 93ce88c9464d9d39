import type { ColumnRef, Node } from "@pgsql/types";
import { refuse } from "../errors.ts";
import type { Relation } from "../catalog/catalog.ts";
import type { BoundExpression, TableGrant } from "../policy/grants.ts";
import { endOfRelationName } from "../sql/lexer.ts";
import { childNodes } from "./child-nodes.ts";
import { become, expressionTree } from "./fragment.ts";
import { edit, type Judgement } from "./judgement.ts";
import { seesColumns, visibleColumns } from "./virtual-table.ts";

/**
 * The relation that a statement writes to stays a real relation in the text that is sent, so its columns are judged
 * one by one: visible ones pass, masked ones become their mask, all others do not exist.
 */
export type Target = {
  readonly relation: Relation;
  readonly grant: TableGrant;
  /** Names by which the statement can refer to its row: alias or name, `old` and `new` in RETURNING. */
  readonly names: ReadonlySet<string>;
  /** Undefined: every column as it is. */
  readonly visible: ReadonlyMap<string, BoundExpression | undefined> | undefined;
  /** Columns of the row that ON CONFLICT proposes, `excluded`, that the client itself gave. */
  readonly given: ReadonlySet<string>;
};

/** What becomes of a masked column: its mask, or a refusal where the masked value would be written back. */
export type Masked = "show" | "refuse";

export function writeTarget(relation: Relation, grant: TableGrant, names: readonly string[]): Target {
  const visible =
    grant.select !== undefined && seesColumns(grant.select)
      ? undefined
      : new Map(
          grant.select === undefined
            ? []
            : visibleColumns(relation, grant.select).map((column) => [column.name, column.mask] as const),
        );
  return { relation, grant, names: new Set(names), visible, given: new Set() };
}

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
  if (target.visible === undefined) return;
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
  if (last === undefined) return meant ? wholeRow(target) : undefined;
  if (meant) return judgeColumn(judgement, node, reference, place, last, qualifier);
  return names.length === 1 ? judgeBare(judgement, node, reference, place, last) : undefined;
}

function judgeBare(judgement: Judgement, node: Node, reference: ColumnRef, place: Place, name: string): void {
  const { target } = place;
  const isColumn = target.relation.columns.some((column) => column.name === name);
  if (!isColumn && !systemColumns.has(name)) return target.names.has(name) ? wholeRow(target) : undefined;
  if (target.visible?.has(name) === true && target.visible.get(name) === undefined) return undefined;
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

/** System columns (documentation, 5.6) belong to every table; `tableoid` and `ctid` tell of hidden rows too. */
const systemColumns: ReadonlySet<string> = new Set(["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"]);

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
  if (target.visible?.has(name) !== true) unknownColumn(target, name);
  const mask = target.visible.get(name);
  if (mask === undefined) return;
  if (masked !== "show")
    refuse("column_not_allowed", `column "${name}" is masked and cannot be used to compute what is written`, {
      detail: `The masked value would be stored in place of the real one (${mask.rule}).`,
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

/** The name by which the statement's own row is known. */
export function rowName(target: Target): string {
  return [...target.names][0]!;
}

/** The server's own words for a column that is not there, whether or not the real table has it. */
function unknownColumn(target: Target, name: string): never {
  const { relation, grant, visible } = target;
  refuse("column_unknown", `column "${name}" does not exist`, {
    detail: `The role sees no such column of ${relation.schema}.${relation.name} (${grant.rule}).`,
    hint:
      visible !== undefined && visible.size > 0
        ? `It sees: ${[...visible.keys()].join(", ")}.`
        : "The role may not read this relation.",
  });
}
