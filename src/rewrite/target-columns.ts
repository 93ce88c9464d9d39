import type { ColumnRef, Node, RangeVar, SelectStmt } from "@pgsql/types";
import { refuse } from "../errors.ts";
import { relationKey } from "../catalog/catalog.ts";
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
  return { relation, grant, names: new Set(names), visible };
}

/** An item of a FROM list: its alias, and its columns where they are known. */
type Item = { readonly name: string | undefined; readonly columns: ReadonlySet<string> | undefined };

/**
 * Judges every reference to the target's columns below the nodes, sub-selects included.
 * @param beside the FROM or USING items that stand beside the target.
 * @throws RolegateError column_unknown, column_not_allowed
 */
export function judgeTargetColumns(
  judgement: Judgement,
  target: Target,
  nodes: readonly (Node | undefined)[],
  beside: readonly Node[],
  masked: Masked,
): void {
  if (target.visible === undefined) return;
  const frame = { items: itemsOf(judgement, beside), target, masked };
  for (const node of nodes) if (node !== undefined) visit(judgement, node, [frame]);
}

/** One level of names; the innermost stands first in a list of frames. */
type Frame = { readonly items: readonly Item[]; readonly target?: Target; readonly masked?: Masked };

function visit(judgement: Judgement, node: Node, frames: readonly Frame[]): void {
  if ("ColumnRef" in node) return judgeReference(judgement, node, node.ColumnRef, frames);
  const select: SelectStmt | undefined = "SelectStmt" in node ? node.SelectStmt : undefined;
  const inner =
    select === undefined ? frames : [{ items: itemsOf(judgement, select.fromClause ?? []) }, ...frames];
  for (const child of childNodes(node)) visit(judgement, child, inner);
  return undefined;
}

function itemsOf(judgement: Judgement, from: readonly Node[]): Item[] {
  return from.flatMap((node): Item[] => {
    if ("RangeVar" in node) return [relationItem(judgement, node.RangeVar)];
    if ("JoinExpr" in node) {
      const { larg, rarg, alias } = node.JoinExpr;
      const sides = itemsOf(
        judgement,
        [larg, rarg].filter((side) => side !== undefined),
      );
      return alias === undefined ? sides : [...sides, { name: alias.aliasname, columns: undefined }];
    }
    const alias = (Object.values(node)[0] as { alias?: { aliasname?: string } }).alias;
    return [{ name: alias?.aliasname, columns: undefined }];
  });
}

function relationItem(judgement: Judgement, rangeVar: RangeVar): Item {
  const name = rangeVar.alias?.aliasname ?? rangeVar.relname;
  const { catalog, searchPath } = judgement.context;
  const schemas = rangeVar.schemaname === undefined ? searchPath : [rangeVar.schemaname];
  const found = schemas
    .map((schema) => catalog.relations.get(relationKey(schema, rangeVar.relname ?? "")))
    .find((relation) => relation !== undefined);
  // A bare name may be a CTE's, with columns of its own; only a qualified one is certain.
  const certain = rangeVar.schemaname !== undefined && (rangeVar.alias?.colnames?.length ?? 0) === 0;
  return {
    name,
    columns: certain && found !== undefined ? new Set(found.columns.map((column) => column.name)) : undefined,
  };
}

function judgeReference(
  judgement: Judgement,
  node: Node,
  reference: ColumnRef,
  frames: readonly Frame[],
): void {
  const names = (reference.fields ?? []).map((field) => ("String" in field ? field.String.sval : undefined));
  const last = names.at(-1);
  if (last === undefined) return judgeStar(names, frames);
  if (names.length === 1) return judgeBare(judgement, node, reference, last, frames);
  const qualifier = names.at(-2)!;
  for (const { items, target, masked } of frames) {
    if (target?.names.has(qualifier) === true)
      return judgeColumn(judgement, node, reference, target, last, qualifier, masked);
    if (items.some((item) => item.name === qualifier)) return undefined;
  }
  return undefined;
}

function judgeBare(
  judgement: Judgement,
  node: Node,
  reference: ColumnRef,
  name: string,
  frames: readonly Frame[],
): void {
  let elsewhere = false;
  for (const { items, target, masked } of frames) {
    const known = items.some((item) => item.columns?.has(name) === true);
    const unknown = items.some((item) => item.columns === undefined);
    if (target !== undefined && couldMean(target, name)) {
      if (target.visible?.has(name) === true && target.visible.get(name) === undefined) return undefined;
      if (elsewhere || known || unknown) {
        refuse(
          "column_not_allowed",
          `column reference "${name}" could mean a column that the role may not read here`,
          {
            hint: "Qualify the column with its table's name or alias.",
          },
        );
      }
      if (target.names.has(name) && !target.relation.columns.some((column) => column.name === name))
        wholeRow(target);
      return judgeColumn(judgement, node, reference, target, name, undefined, masked);
    }
    if (known || items.some((item) => item.name === name)) return undefined;
    elsewhere ||= unknown;
  }
  return undefined;
}

/** System columns (documentation, 5.6) belong to every table; `tableoid` and `ctid` tell of hidden rows too. */
const systemColumns: ReadonlySet<string> = new Set(["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"]);

function couldMean(target: Target, name: string): boolean {
  return (
    target.names.has(name) ||
    systemColumns.has(name) ||
    target.relation.columns.some((column) => column.name === name)
  );
}

function judgeStar(names: readonly (string | undefined)[], frames: readonly Frame[]): void {
  const qualifier = names.length > 1 ? names.at(-2) : undefined;
  for (const { items, target } of frames) {
    if (qualifier === undefined || items.some((item) => item.name === qualifier)) return;
    if (target?.names.has(qualifier) === true) wholeRow(target);
  }
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
  target: Target,
  name: string,
  qualifier: string | undefined,
  masked: Masked | undefined,
): void {
  // The proposed row of ON CONFLICT holds what the client itself gave for the columns that it may insert.
  const insertable = target.grant.insert?.columns;
  if (qualifier === "excluded" && (insertable === "all" || insertable?.has(name) === true)) return;
  if (target.visible?.has(name) !== true) unknownColumn(target, name);
  const mask = target.visible.get(name);
  if (mask === undefined) return;
  if (masked !== "show")
    refuse("column_not_allowed", `column "${name}" is masked and cannot be used to compute what is written`, {
      detail: `The masked value would be stored in place of the real one (${mask.rule}).`,
    });
  judgement.rules.add(mask.rule);
  const start = reference.location ?? 0;
  const alias = qualifier ?? [...target.names][0];
  const text = `(${mask.render(alias)})`;
  edit(judgement, start, endOfRelationName(judgement.source.bytes, start), text);
  become(node, expressionTree(judgement.context.parser, text));
}

/** The server's own words for a column that is not there, whether or not the real table has it. */
export function unknownColumn(target: Target, name: string): never {
  const { relation, grant, visible } = target;
  refuse("column_unknown", `column "${name}" does not exist`, {
    detail: `The role sees no such column of ${relation.schema}.${relation.name} (${grant.rule}).`,
    hint:
      visible !== undefined && visible.size > 0
        ? `It sees: ${[...visible.keys()].join(", ")}.`
        : "The role may not read this relation.",
  });
}
