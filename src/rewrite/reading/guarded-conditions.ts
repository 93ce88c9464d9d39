import type { JoinExpr, Node } from "@pgsql/types";
import { quoteIdentifier } from "../../sql/names.ts";
import { walk } from "../../sql/walk.ts";
import type { Condition, Place, Read, Survey } from "../findings.ts";
import type { Judgement } from "../judgement.ts";
import { partsInText, type Part } from "../text/condition-parts.ts";
import { lastName, nameParts } from "../text/dotted-name.ts";
import { surrounded } from "../text/guard.ts";
import type { Unsafe } from "./barrier.ts";
import { hasColumn } from "./column-facts.ts";
import { mostParts, nameOf } from "./safe-copies.ts";
import { marker, saidBy, visibleColumns } from "./virtual-table.ts";

/** A part of a condition, and the relations on whose hidden rows it must not run. */
export type Guarded = { readonly part: Part; readonly reads: readonly Read[] };

/** How the relations with a row rule are protected. */
export type Guards = {
  readonly guarded: readonly Guarded[];
  /** These need a barrier of their own: no guard can stand where a condition gets to their rows. */
  readonly closed: ReadonlySet<Read>;
  /** These say by a column of their own which of their rows are hidden. */
  readonly marked: ReadonlySet<Read>;
};

/**
 * Where a condition that must not run on hidden rows can stand as `CASE WHEN rule THEN condition ELSE false END`, its
 * relation needs no `OFFSET 0`: other conditions, joins and ORDER BY use their indexes then. CASE runs its branches in
 * order, whatever the planner thinks of their cost, and the planner does not try what stands inside on its statistics.
 *
 * The sub-select that stands for a relation is flattened into the select around it, and so are sub-selects in FROM. So
 * a condition may run in a scan of any relation that it names, by way of theirs, or that it is equal to by way of others
 * (equivclass.c: from `a.x = b.y` and `b.y = f(c.z)` follows `a.x = f(c.z)`). Of a CASE nothing follows, and of IS TRUE
 * nothing either where a rule comes to `true` for an identity and the CASE is gone.
 * @returns undefined: no condition can be guarded
 */
export function planGuards(
  judgement: Judgement,
  survey: Survey,
  unsafe: readonly Unsafe[],
): Guards | undefined {
  if (
    survey.writes.some(({ kind, statement }) => kind !== "insert" || statement.onConflictClause !== undefined)
  )
    return undefined;
  const ruled = survey.reads.filter(({ grant }) => grant?.select?.rows !== undefined);
  if (ruled.length === 0) return undefined;
  const guards = ruled.filter((read) => !needsMarker(read) || canBeMarked(judgement, survey, read));
  const closed = new Set<Read>(
    ruled.filter((read) => unsafe.some(({ condition }) => reaches(condition, read))),
  );
  const planned: { readonly part: Part; readonly condition: Condition; readonly named: readonly Read[] }[] =
    [];
  for (const { condition, parts } of unsafe) {
    const inText = partsOf(judgement, condition);
    if (inText === undefined || inText.length > mostParts) return undefined;
    const here = ruled.filter((read) => standsIn(condition, read));
    const beside = survey.reads.filter((read) => standsIn(condition, read));
    const plain = isPlain(survey, condition.place?.select.fromClause ?? []);
    for (const node of parts) {
      const part = inText.find((each) => each.node === node);
      if (part === undefined || isJoin(condition, node)) return undefined;
      const sure = plain
        ? namedBy(node, here, beside)
        : ruled.filter(({ place }) => place === condition.place);
      const named = sure.length > 0 ? sure : here;
      planned.push({ part, condition, named });
      for (const read of named) if (!canGuard(condition, read, guards)) closed.add(read);
    }
  }
  const found = planned.map(({ part, condition, named }) => {
    const open = (read: Read): boolean => canGuard(condition, read, guards) && !closed.has(read);
    const reads = named.filter(open);
    return {
      part,
      reads: reads.length > 0 ? reads : guards.filter((read) => standsIn(condition, read) && open(read)),
    };
  });
  // A condition in no CASE at all could get anywhere.
  if (found.some(({ reads }) => reads.length === 0)) return undefined;
  const marked = new Set(found.flatMap(({ reads }) => reads.filter(needsMarker)));
  return { guarded: found, closed, marked };
}

/** Puts the guards around their conditions: last of all, so that they stand around what was changed inside. */
export function placeGuards(judgement: Judgement, all: readonly Guarded[]): void {
  // The conditions of a sub-select come after those around it.
  for (const { part, reads } of all.toReversed()) {
    const rule = reads.map((read) => `(${ruleText(read)})`).join(" AND ");
    const guard = { prefix: `CASE WHEN ${rule} THEN (`, suffix: ") ELSE false END IS TRUE" };
    part.put(surrounded(judgement, part.extent, guard, part.node));
  }
}

/** The rule, or the column that says what comes of it. */
function ruleText(read: Read): string {
  const name = nameOf(read.rangeVar) ?? "";
  return needsMarker(read)
    ? `${quoteIdentifier(name)}.${quoteIdentifier(marker)}`
    : read.grant!.select!.rows!.render(name);
}

function needsMarker({ grant, relation }: Read): boolean {
  return saidBy(relation, grant!.select!) === "marker";
}

/** A star, and every way to take a row as a value, would show the column too. */
function canBeMarked({ context }: Judgement, survey: Survey, { relation, rangeVar }: Read): boolean {
  const { stars, rows, named, natural, joinAliases, aliases, references } = survey;
  if (stars || natural || joinAliases.size > 0 || named.has(marker)) return false;
  if ([...rows].some((name) => aliases.has(name))) return false;
  // `t.f` is a call of f(t) where t has no column f.
  const called = references.some(
    ({ qualifier, name }) =>
      context.catalog.functions.has(name) &&
      (qualifier === undefined || (qualifier === nameOf(rangeVar) && !hasColumn(relation, name))),
  );
  return !called && !hasColumn(relation, marker);
}

/** True if a condition could name the relation where it stands, as one whose rows are sure to be there. */
function canGuard(condition: Condition, read: Read, guards: readonly Read[]): boolean {
  if (!guards.includes(read)) return false;
  if (condition.clause === "on" && read.missingIn === condition.join) return true;
  if (condition.clause === "on" && !isUnder(condition.join, read)) return false;
  return condition.clause !== "having" && read.level === condition.place?.select;
}

/** True if the relation is one of those that the condition chooses rows of. */
function standsIn(condition: Condition, read: Read): boolean {
  if (read.place !== condition.place) return false;
  return condition.clause !== "on" || isUnder(condition.join, read);
}

function isUnder({ larg, rarg }: JoinExpr, { node }: Read): boolean {
  return [larg, rarg].some((side) => {
    if (side === node) return true;
    if (side === undefined) return false;
    if ("JoinExpr" in side) return isUnder(side.JoinExpr, { node } as Read);
    return "RangeTableSample" in side && side.RangeTableSample.relation === node;
  });
}

/**
 * False for a relation beside the condition, and for one in a sub-select of an expression there or deeper: nothing of it
 * can be named from here. It may run on the rows of all others, by way of the items of FROM around it and in it.
 */
function reaches({ place }: Condition, read: Read): boolean {
  if (place === undefined || read.place === undefined) return true;
  let apart = false;
  let at: Place | undefined = read.place;
  for (; at !== undefined && at !== place; at = at.outer) {
    if (at.reach === "with") return true;
    apart ||= at.reach === "apart";
  }
  return at !== place || (read.place !== place && !apart);
}

/**
 * The relations that a condition may name, in a sub-select too; too many do no harm. What a name means is told for sure
 * only where FROM holds nothing but relations and joins without names of their own: any other item may stand for columns of
 * those beside it.
 */
function namedBy(node: Node, here: readonly Read[], beside: readonly Read[]): readonly Read[] {
  const columns = new Set<string>();
  const items = new Set<string>();
  let any = false;
  walk(node, (kind, fields) => {
    if (kind !== "ColumnRef") return;
    const all = fields["fields"] as Node[];
    const names = nameParts(all.filter((part) => "String" in part));
    if (all.length > 2) any = true;
    else if (all.length === 2) items.add(names[0] ?? "");
    else for (const name of names) columns.add(name);
  });
  any ||= [...items].some((item) => beside.every(({ rangeVar }) => nameOf(rangeVar) !== item));
  any ||= [...columns].some((name) => beside.every((read) => !shows(read, name)));
  return here.filter((read) => {
    const own = nameOf(read.rangeVar) ?? "";
    return any || items.has(own) || columns.has(own) || [...columns].some((name) => shows(read, name));
  });
}

/** True if the role sees a column of that name. */
function shows({ relation, grant }: Read, name: string): boolean {
  const columns = grant?.select === undefined ? relation.columns : visibleColumns(relation, grant.select);
  return columns.some((column) => column.name === name);
}

/** True if a FROM list holds relations and joins of relations alone, and no join goes by a name. */
function isPlain(survey: Survey, items: readonly (Node | undefined)[]): boolean {
  return items.every((item) => {
    if (item === undefined) return false;
    if ("JoinExpr" in item) {
      const { alias, join_using_alias: using, larg, rarg } = item.JoinExpr;
      return alias === undefined && using === undefined && isPlain(survey, [larg, rarg]);
    }
    if ("RangeTableSample" in item) return isPlain(survey, [item.RangeTableSample.relation]);
    return "RangeVar" in item && survey.reads.some(({ rangeVar }) => rangeVar === item.RangeVar);
  });
}

/** No join could hash or merge by what stands in a CASE: each row would be held against each. */
function isJoin({ clause, place }: Condition, node: Node): boolean {
  const [only, ...others] = place?.select.fromClause ?? [];
  if (clause === "where" && others.length === 0 && only !== undefined && "RangeVar" in only) return false;
  if (!("A_Expr" in node) || node.A_Expr.kind !== "AEXPR_OP" || lastName(node.A_Expr.name) !== "=")
    return false;
  const { lexpr, rexpr } = node.A_Expr;
  const left = tablesIn(lexpr, "left");
  const right = tablesIn(rexpr, "right");
  return left.size > 0 && right.size > 0 && new Set([...left, ...right]).size > 1;
}

/** Names of tables in an expression. A bare column could be any table's, and that of the other side another one's. */
function tablesIn(node: Node | undefined, side: string): Set<string> {
  const found = new Set<string>();
  if (node === undefined) return found;
  walk(node, (kind, fields) => {
    if (kind !== "ColumnRef") return;
    const parts = fields["fields"] as Node[];
    found.add(parts.length > 1 ? (lastName(parts.slice(0, -1)) ?? "") : ` ${side}`);
  });
  return found;
}

function partsOf({ source }: Judgement, condition: Condition): readonly Part[] | undefined {
  switch (condition.clause) {
    case "where":
      return partsInText(source, condition.node, "where", (other) => {
        condition.place.select.whereClause = other;
      });
    case "on":
      return partsInText(source, condition.node, "on", (other) => {
        condition.join.quals = other;
      });
    case "having":
    case "write":
      return undefined;
    default:
      return condition satisfies never;
  }
}
