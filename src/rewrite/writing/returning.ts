import type { Node, ReturningClause, ResTarget } from "@pgsql/types";
import { quoteIdentifier } from "../../sql/names.ts";
import type { RowCheck, RowNames } from "./checks.ts";
import type { Survey, Write } from "../findings.ts";
import { judgeAbsentRows } from "./absent-rows.ts";
import { expressionTree, hole, targetTrees } from "../text/fragment.ts";
import { edit, editAround, unsupported, type Judgement } from "../judgement.ts";
import { starOf, starTexts } from "./returning-star.ts";
import { judgeRedirected } from "./row-rules.ts";
import {
  closingIndex,
  commaIndex,
  endBefore,
  endIndex,
  keywordAt,
  keywordIndex,
  startOf,
  symbolAt,
} from "../text/source.ts";
import { judgeTargetColumns } from "./target-columns.ts";
import { rowName, type Target } from "./write-target.ts";

/** The parts of a statement that writes that this file needs; up to 17 the list stands in the statement itself. */
type Returning = { returningClause?: ReturningClause; returningList?: Node[] };

/** What stands around the list. */
type Surroundings = {
  /** The FROM items whose columns a star gives before and behind those of the target. */
  readonly before: readonly Node[];
  readonly behind: readonly Node[];
  readonly survey: Survey;
  /** What each row that is written has to satisfy. */
  readonly check: RowCheck | undefined;
};

/** One item of the RETURNING list: its node and the indexes of its first token and of the token behind it. */
type Item = { readonly node: Node; readonly target: ResTarget; readonly from: number; readonly to: number };

/** The items that the client wants to see of each row; none without RETURNING. */
export function returnedList(statement: Write["statement"]): Node[] {
  const { returningClause, returningList } = statement as Returning;
  return returningClause?.exprs ?? returningList ?? [];
}

/**
 * RETURNING shows the virtual table: stars are written out, masked columns become their masks. The check of the row
 * is hung on its first item that can carry it, which then raises for a row that fails it.
 * @param from index of a token of the statement, in front of RETURNING and at its depth.
 * @returns true if the list was added for the check alone, so that nobody asked for its rows.
 */
export function rewriteReturning(
  judgement: Judgement,
  write: Write,
  target: Target,
  from: number,
  around: Surroundings,
): boolean {
  const { source } = judgement;
  const { check } = around;
  const returning = write.statement as Returning;
  if (check !== undefined) judgeRedirected(write);
  for (const rule of check?.rules ?? []) judgement.rules.add(rule.rule);
  const list = returnedList(write.statement);
  const names = rowNames(judgement, target, returning.returningClause, around.survey.aliases);
  if (list.length === 0) {
    if (check !== undefined) addReturning(judgement, returning, check.text(names), endIndex(source, from));
    return check !== undefined;
  }
  const absent = absentRows(judgement, write, target, returning.returningClause, around.survey.aliases);
  for (const item of list) judgeAbsentRows(item, absent);
  const named = withRowNames(target, returning.returningClause);
  const items = itemsOf(judgement, list, keywordIndex(source, from, "returning"));
  const carrier = items.findIndex(({ target: result }) => carriesCheck(named, result));
  if (check !== undefined && carrier < 0)
    unsupported("RETURNING of nothing but other tables' stars", "Name a column too.");
  const trees = items.flatMap((item, index) =>
    rewriteItem(judgement, named, item, names, { ...around, check: index === carrier ? check : undefined }),
  );
  list.length = 0;
  // Not as arguments: a star may stand for more columns than a call takes.
  for (const tree of trees) list.push(tree);
  return false;
}

/** True for an item of one column, and for a star that is written out. */
function carriesCheck(target: Target, { val }: ResTarget): boolean {
  if (val === undefined) return false;
  if ("A_Indirection" in val) return !("A_Star" in (val.A_Indirection.indirection?.at(-1) ?? {}));
  const star = starOf({ val });
  return star === undefined || star.qualifier === undefined || target.names.has(star.qualifier);
}

function addReturning(judgement: Judgement, statement: Returning, check: string, end: number): void {
  const text = `(SELECT true WHERE ${check})`;
  const at = endBefore(judgement.source, end);
  edit(judgement, at, at, ` RETURNING ${text}`);
  const trees = targetTrees(judgement.context.parser, text);
  if (judgement.context.parser.major >= 18) statement.returningClause = { exprs: [...trees] };
  else statement.returningList = [...trees];
}

/** The names that WITH (OLD AS o, NEW AS n) gives to the rows, by option. */
function optionsOf(clause: ReturningClause | undefined): ReadonlyMap<string, string> {
  return new Map(
    (clause?.options ?? []).flatMap((node) =>
      "ReturningOption" in node
        ? [[node.ReturningOption.option ?? "", node.ReturningOption.value ?? ""] as const]
        : [],
    ),
  );
}

/** From 18 on `old` and `new`, or what the options call them, name the row too. */
function withRowNames(target: Target, clause: ReturningClause | undefined): Target {
  if (clause === undefined) return target;
  const options = optionsOf(clause);
  const old = options.get("RETURNING_OPTION_OLD") ?? "old";
  const fresh = options.get("RETURNING_OPTION_NEW") ?? "new";
  return { ...target, names: new Set([...target.names, old, fresh]) };
}

/** Where the statement gives the name `old` to something else, the row that was replaced has none (parse_clause.c). */
function rowNames(
  { context }: Judgement,
  target: Target,
  clause: ReturningClause | undefined,
  aliases: ReadonlyMap<string, number>,
): RowNames {
  const row = rowName(target);
  if (context.parser.major < 18) return { row, old: undefined };
  const taken = aliases.has("old") || target.names.has("old");
  return { row, old: optionsOf(clause).get("RETURNING_OPTION_OLD") ?? (taken ? undefined : "old") };
}

/** What the statement calls rows that may not be there: no row was inserted before, and none is left of a deleted one. */
function absentRows(
  { context }: Judgement,
  { kind }: Write,
  target: Target,
  clause: ReturningClause | undefined,
  aliases: ReadonlyMap<string, number>,
): ReadonlySet<string> {
  if (context.parser.major < 18 || kind === "update") return new Set();
  const options = optionsOf(clause);
  const name = (option: string, usual: string): string[] => {
    const given = options.get(option);
    if (given !== undefined) return [given];
    return aliases.has(usual) || target.names.has(usual) ? [] : [usual];
  };
  const old = kind === "delete" ? [] : name("RETURNING_OPTION_OLD", "old");
  return new Set([...old, ...(kind === "insert" ? [] : name("RETURNING_OPTION_NEW", "new"))]);
}

function itemsOf(judgement: Judgement, list: readonly Node[], returning: number): Item[] {
  const { source } = judgement;
  let from = returning + 1;
  if (keywordAt(source, from, "with") && symbolAt(source, from + 1, "("))
    from = closingIndex(source, from + 1) + 1;
  const end = endIndex(source, from);
  return list.map((node) => {
    const to = commaIndex(source, from, end);
    const item = {
      node,
      target: "ResTarget" in node ? node.ResTarget : unsupported("this RETURNING list"),
      from,
      to,
    };
    from = to + 1;
    return item;
  });
}

function rewriteItem(
  judgement: Judgement,
  target: Target,
  item: Item,
  names: RowNames,
  { before, behind, survey, check }: Surroundings,
): readonly Node[] {
  const star = starOf(item.target);
  if (star !== undefined && (target.visible !== undefined || check !== undefined)) {
    const bare = star.qualifier === undefined;
    if (bare || target.names.has(star.qualifier ?? "")) {
      const row = star.qualifier ?? rowName(target);
      const beside = bare ? { before, behind } : { before: [], behind: [] };
      const text = starTexts(judgement, target, { row, names, check }, beside).join(", ");
      edit(judgement, startOf(judgement.source, item.from), endBefore(judgement.source, item.to), text);
      return targetTrees(judgement.context.parser, text);
    }
  }
  const { source } = judgement;
  const { target: result } = item;
  const plain =
    result.name === undefined && result.val !== undefined && "ColumnRef" in result.val
      ? result.val.ColumnRef.fields?.at(-1)
      : undefined;
  const beside = [...before, ...behind];
  judgeTargetColumns(judgement, survey, target, [result.val], { beside, masked: "show" });
  const masked = plain !== undefined && result.val !== undefined && !("ColumnRef" in result.val);
  if (check !== undefined && result.val !== undefined) wrap(judgement, item, check.text(names));
  if (masked && "String" in plain) {
    // The column's mask is an expression without a name; the client asked for the column's.
    const end = endBefore(source, item.to);
    edit(judgement, end, end, ` AS ${quoteIdentifier(plain.String.sval ?? "")}`);
    result.name = plain.String.sval ?? "";
  }
  return [item.node];
}

function wrap(judgement: Judgement, item: Item, check: string): void {
  const { source } = judgement;
  const { target: result, from, to } = item;
  const named = result.name !== undefined;
  const aliasAt = keywordAt(source, to - 2, "as") ? to - 2 : to - 1;
  const start = startOf(source, from);
  const end = endBefore(source, named ? aliasAt : to);
  const suffix = ` WHERE ${check})`;
  editAround(judgement, start, "(SELECT ");
  edit(judgement, end, end, suffix);
  if (result.val !== undefined)
    result.val = expressionTree(judgement.context.parser, `(SELECT ${hole}${suffix}`, result.val);
}
