import type { A_Expr, Node } from "@pgsql/types";
import type { Judgement } from "../judgement.ts";
import { lastName } from "../text/dotted-name.ts";
import type { ColumnFacts } from "./column-facts.ts";
import { meansOwnOperators } from "./safe-operators.ts";

/** OIDs of the collations under which LIKE cannot raise: the database's own, "C" and "POSIX" (pg_collation.dat). Others may be nondeterministic. */
const deterministic: ReadonlySet<number> = new Set([100, 950, 951]);

/** The matching calls itself for every `%` (like_match.c), so a longer pattern could exhaust the stack on some values only. */
const longestPattern = 500;

/** A backslash at the end raises when a value matches up to there. */
const wholeEscapes = /^(?:[^\\]|\\[^])*$/;

/**
 * True if `column LIKE 'pattern'` or NOT LIKE neither raises nor can be observed: textlike is not marked as
 * leakproof, but with a pattern that is whole it only compares (like.c).
 */
export function isSafeMatch(
  judgement: Judgement,
  facts: ColumnFacts,
  { kind, name, lexpr, rexpr }: A_Expr,
): boolean {
  // ILIKE makes a copy in lower case, of up to four times the length, and that may be more than can be had.
  if (kind !== "AEXPR_LIKE") return false;
  if (lexpr === undefined || rexpr === undefined || !("ColumnRef" in lexpr)) return false;
  const { fields } = lexpr.ColumnRef;
  const column = lastName(fields) ?? "";
  if (
    facts.family(column, lastName(fields?.slice(0, -1))) !== "text" ||
    !deterministic.has(facts.collation(column) ?? 0)
  )
    return false;
  return isWholePattern(rexpr) && meansOwnOperators(judgement, [lastName(name) ?? ""], "text", [rexpr]);
}

function isWholePattern(node: Node): boolean {
  const constant = "A_Const" in node && "sval" in node.A_Const ? (node.A_Const.sval?.sval ?? "") : undefined;
  return constant !== undefined && constant.length <= longestPattern && wholeEscapes.test(constant);
}
