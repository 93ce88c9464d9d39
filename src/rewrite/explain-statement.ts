import type { DefElem, ExplainStmt, Node } from "@pgsql/types";
import { refuse } from "../errors.ts";
import { edit, unsupported, type Judgement } from "./judgement.ts";
import { closingIndex, indexFrom, keywordAt, symbolAt } from "./source.ts";

/**
 * EXPLAIN of a statement on which a row rule lies. Costs and row estimates come from statistics over
 * hidden rows, and ANALYZE counts the rows that the rule removed, so the first are turned off and the second is refused.
 * @param start byte offset of the EXPLAIN statement.
 * @param ruled some row of the statement's relations may be hidden.
 */
export function rewriteExplain(
  judgement: Judgement,
  explain: ExplainStmt,
  start: number,
  ruled: boolean,
): void {
  const query = explain.query;
  if (query === undefined || "ExecuteStmt" in query)
    unsupported("EXPLAIN EXECUTE", "Explain the statement itself.");
  if (!ruled) return;
  const options = (explain.options ?? []).map((node) =>
    "DefElem" in node ? node.DefElem : unsupported("this EXPLAIN option"),
  );
  for (const option of options)
    if (["analyze", "buffers", "wal", "serialize"].includes(option.defname ?? "") && isOn(option))
      refuse(
        "statement_not_allowed",
        `EXPLAIN ${option.defname?.toUpperCase()} is not allowed under a row rule`,
        {
          detail: `Its counts would include rows that the role must not see (${rowRule(judgement)}).`,
          hint: "Use EXPLAIN without it.",
        },
      );
  const { source } = judgement;
  const first = indexFrom(source, start);
  const costs: Node = {
    DefElem: { defname: "costs", arg: { String: { sval: "off" } }, defaction: "DEFELEM_UNSPEC" },
  };
  if (symbolAt(source, first + 1, "(") && options.length > 0 && isOptionList(judgement, explain, first + 1)) {
    const close = source.tokens[closingIndex(source, first + 1)]!;
    edit(judgement, close.start, close.start, ", COSTS off");
    explain.options = [...(explain.options ?? []), costs];
    return;
  }
  // The old form, EXPLAIN VERBOSE, takes no list of options beside it.
  const verbose = keywordAt(source, first + 1, "verbose");
  const last = source.tokens[verbose ? first + 1 : first]!;
  edit(judgement, source.tokens[first]!.end, last.end, verbose ? " (VERBOSE, COSTS off)" : " (COSTS off)");
  explain.options = [...(explain.options ?? []), costs];
}

/** The first of the rules that hide rows. */
function rowRule({ rules }: Judgement): string {
  const sorted = [...rules].toSorted();
  return sorted.find((rule) => rule.endsWith(".rows")) ?? sorted[0] ?? "the role's rules";
}

/** `EXPLAIN (SELECT …)` has a parenthesis too. */
function isOptionList(judgement: Judgement, explain: ExplainStmt, open: number): boolean {
  const first = explain.options?.[0];
  const at = first !== undefined && "DefElem" in first ? (first.DefElem.location ?? 0) : -1;
  return judgement.source.tokens[open + 1]?.start === at;
}

/** An option without a value is on (documentation, EXPLAIN). */
function isOn(option: DefElem): boolean {
  const { arg } = option;
  if (arg === undefined) return true;
  if ("String" in arg)
    return !["off", "false", "no", "none", "0"].includes((arg.String.sval ?? "").toLowerCase());
  if ("Integer" in arg) return (arg.Integer.ival ?? 0) !== 0;
  return true;
}
