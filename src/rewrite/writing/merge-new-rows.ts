import type { MergeWhenClause, Node } from "@pgsql/types";
import type { Column } from "../../catalog/catalog.ts";
import { refuse } from "../../errors.ts";
import type { BoundExpression } from "../../policy/grants.ts";
import { quoteIdentifier } from "../../sql/names.ts";
import { childNodes } from "../text/child-nodes.ts";
import { raisingCondition } from "./checks.ts";
import { lastName } from "../text/dotted-name.ts";
import type { Write } from "../findings.ts";
import type { Extent } from "../text/guard.ts";
import { unsupported, type Judgement } from "../judgement.ts";
import type { ClauseText } from "./merge-text.ts";
import { mayChange } from "./row-rules.ts";
import {
  closingIndex,
  commaIndex,
  endBefore,
  indexOf,
  isCut,
  keywordAt,
  startOf,
  symbolAt,
} from "../text/source.ts";
import { rowName, type Target } from "./write-target.ts";

/** Stands for the row that an action is about to store; no client's name begins with it by chance. */
const newRow = "rolegate_new_row";

/** One column's value in the client's text; no value: DEFAULT. */
type Given = { readonly extent: Extent; readonly value: Node };

/**
 * A condition that raises for a row that an action of MERGE would store and that does not satisfy the rules. It is
 * made of the client's own expressions, cast to the columns' types, so it stands for the row as it will be stored only
 * where the server adds nothing of its own and the expressions give the same once more. All else is refused.
 */
export function newRowCondition(
  judgement: Judgement,
  { relation }: Write,
  target: Target,
  clause: MergeWhenClause,
  text: ClauseText,
  rules: readonly BoundExpression[],
): string {
  const insert = clause.commandType === "CMD_INSERT";
  const event = insert ? "insert" : "update";
  const cannot = (why: string): never =>
    refuse(
      "statement_not_supported",
      `this MERGE cannot be checked on PostgreSQL ${judgement.context.parser.major}`,
      {
        detail: `${why} (${rules.map(({ rule }) => rule).join(", ")}).`,
        hint: "From PostgreSQL 17 on it can. Use INSERT … ON CONFLICT, or UPDATE and INSERT.",
      },
    );
  if (mayChange(relation, event)) cannot("A trigger may change the row before it is stored");
  for (const rule of rules) judgement.rules.add(rule.rule);
  const given = insert
    ? insertedValues(judgement, clause, text, relation.columns)
    : assignedValues(judgement, clause, text);
  const value = (column: Column): string => {
    const name = quoteIdentifier(column.name);
    const found = given.get(column.name);
    if (column.generated) return cannot(`The column ${name} is computed by the server`);
    if (found !== undefined && !("SetToDefault" in found.value))
      return `CAST((${copied(judgement, found, cannot)}) AS ${column.declared})`;
    if (found === undefined && !insert) return `${quoteIdentifier(rowName(target))}.${name}`;
    return column.filled ? cannot(`The column ${name} gets its default`) : `CAST(NULL AS ${column.declared})`;
  };
  const names = new Set(rules.flatMap((rule) => rule.columns));
  const columns = relation.columns
    .filter(({ name }) => names.has(name))
    .map((column) => `${value(column)} AS ${quoteIdentifier(column.name)}`);
  // OFFSET keeps a value that is a constant from being judged when the statement is planned, row or no row.
  if (columns.length === 0) cannot("The rule reads no column");
  return `(SELECT ${raisingCondition(relation, rules, newRow)} FROM (SELECT ${columns.join(", ")} OFFSET 0) AS ${newRow})`;
}

/** `INSERT (a, b) VALUES (…, …)`. */
function insertedValues(
  { source }: Judgement,
  { targetList, values }: MergeWhenClause,
  { thenAt, end }: ClauseText,
  columns: readonly Column[],
): ReadonlyMap<string, Given> {
  const names =
    targetList?.map((node) => ("ResTarget" in node ? (node.ResTarget.name ?? "") : "")) ??
    columns.map(({ name }) => name);
  let open = end - 1;
  if (values === undefined || values.length === 0) return new Map();
  for (open = thenAt; !keywordAt(source, open, "values"); open += 1)
    if (open >= end) unsupported("this INSERT");
  open += 1;
  const close = closingIndex(source, open);
  let from = open + 1;
  return new Map(
    values.map((value, index) => {
      const to = commaIndex(source, from, close);
      const extent = { from, to };
      from = to + 1;
      return [names[index] ?? "", { extent, value }];
    }),
  );
}

/** `SET a = …, b = …`. A column that is set in part, or together with others, has no value that could be copied. */
function assignedValues(
  { source }: Judgement,
  { targetList }: MergeWhenClause,
  { end }: ClauseText,
): ReadonlyMap<string, Given> {
  return new Map(
    (targetList ?? []).map((node) => {
      const { name = "", val, indirection, location = 0 } = "ResTarget" in node ? node.ResTarget : {};
      let equals = indexOf(source, location);
      while (!symbolAt(source, equals, "=")) equals += 1;
      const extent = { from: equals + 1, to: commaIndex(source, equals + 1, end) };
      const value = indirection === undefined ? val : undefined;
      return [name, { extent, value: value ?? { MultiAssignRef: {} } }];
    }),
  );
}

/** The client's expression once more; it must give the same a second time. */
function copied(judgement: Judgement, { extent, value }: Given, cannot: (why: string) => never): string {
  const { source, edits, context } = judgement;
  const start = startOf(source, extent.from);
  const end = endBefore(source, extent.to);
  const changed = [...edits.keys()].some((at) => at >= start && at < end);
  const volatile = (node: Node): boolean =>
    "SubLink" in node ||
    "MultiAssignRef" in node ||
    ("FuncCall" in node &&
      (context.catalog.functions.get(lastName(node.FuncCall.funcname) ?? "") ?? []).some(
        (found) => found.volatility === "v",
      )) ||
    childNodes(node).some(volatile);
  if (changed || isCut(source, start, end) || volatile(value))
    cannot("A value of it is more than an expression over the two rows");
  return source.bytes.toString("utf8", start, end);
}
