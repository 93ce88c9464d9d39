import type { DefElem, ExplainStmt, Node } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import type { Grants } from "../../policy/grants.ts";
import { judgeDefinition } from "../defining/definitions.ts";
import { edit, unsupported, type Judgement } from "../judgement.ts";
import { unknownQuotable } from "../quotable.ts";
import { closingIndex, indexFrom, keywordAt, startOf, symbolAt } from "../text/source.ts";
import type { JudgedStatement } from "../verdict.ts";
import { restricts } from "../reading/virtual-table.ts";

/** Options that show how many rows there were, and how many pages they took. */
const counting: ReadonlySet<string> = new Set(["analyze", "buffers", "wal", "serialize"]);

/** All options of PostgreSQL 15 to 18: what a later version shows nobody has looked at. */
const known: ReadonlySet<string> = new Set(
  [...counting].concat(
    "costs",
    "format",
    "generic_plan",
    "memory",
    "settings",
    "summary",
    "timing",
    "verbose",
  ),
);

function optionsOf({ options }: ExplainStmt): DefElem[] {
  return (options ?? []).map((node) =>
    "DefElem" in node ? node.DefElem : unsupported("this EXPLAIN option"),
  );
}

/** What is judged of the statement inside. */
type Inside = {
  /** Judges a query, and tells whether rows may be hidden from it; undefined: it is none. */
  readonly rewriteQuery: (query: Node) => { readonly ruled: boolean } | undefined;
  readonly judgeParameter: (parameter: Node) => void;
};

/**
 * EXPLAIN of every kind of statement that it takes.
 * @param start byte offset of the statement.
 * @returns what is known of it beyond its kind.
 */
export function judgeExplain(
  judgement: Judgement,
  explain: ExplainStmt,
  start: number,
  { rewriteQuery, judgeParameter }: Inside,
): Partial<JudgedStatement> {
  const { grants } = judgement.context;
  // A plan shows the conditions of views, policies and indexes, and the bodies of functions that are inlined.
  if (grants.catalogs.definitions === "hidden")
    refuse("statement_not_allowed", "EXPLAIN is not allowed to a role that may not see definitions", {
      detail: "A plan shows what views, policies and functions are made of.",
      hint: `catalogs.definitions in ${grants.file} hides it.`,
    });
  const query = explain.query ?? unsupported("EXPLAIN of nothing");
  if ("ExecuteStmt" in query) {
    for (const parameter of query.ExecuteStmt.params ?? []) judgeParameter(parameter);
    // Which rules lie on the prepared statement is not known here, so all of the role's do.
    rewriteExplain(judgement, explain, start, hasRowRules(grants));
    const effect = { kind: "explain-execute", name: query.ExecuteStmt.name ?? "" } as const;
    return { hides: restricts(grants), quotable: unknownQuotable, effect };
  }
  const plain = rewriteQuery(queryOf(query));
  if (plain !== undefined) {
    rewriteExplain(judgement, explain, start, plain.ruled);
    return {};
  }
  let ruled = false;
  const effect = judgeDefinition(judgement, query, explainedStart(judgement, explain, start), (inside) => {
    const judged = rewriteQuery(inside) ?? unsupported("a definition by this statement");
    ruled = judged.ruled;
  });
  if (effect === undefined) unsupported("EXPLAIN of this statement");
  rewriteExplain(judgement, explain, start, ruled);
  return runs(explain) ? { effect } : {};
}

/** EXPLAIN also takes DECLARE; what is explained is its query. */
function queryOf(node: Node): Node {
  return "DeclareCursorStmt" in node ? (node.DeclareCursorStmt.query ?? node) : node;
}

/** True if some rule of the role hides rows. */
function hasRowRules({ tables, schemas }: Grants): boolean {
  return [...tables.values(), ...schemas.values()].some(
    ({ select, update, delete: remove }) => (select?.rows ?? update?.rows ?? remove?.rows) !== undefined,
  );
}

/** True if EXPLAIN runs the statement: the last of equal options counts. */
function runs(explain: ExplainStmt): boolean {
  const last = optionsOf(explain).findLast(({ defname }) => defname === "analyze");
  return last !== undefined && isOn(last);
}

/** The byte offset of the statement that is explained. @param start that of EXPLAIN. */
function explainedStart(judgement: Judgement, explain: ExplainStmt, start: number): number {
  const { source } = judgement;
  let index = indexFrom(source, start) + 1;
  if (symbolAt(source, index, "(") && isOptionList(judgement, explain, index))
    index = closingIndex(source, index) + 1;
  while (["analyze", "analyse", "verbose"].some((word) => keywordAt(source, index, word))) index += 1;
  return startOf(source, index);
}

/**
 * EXPLAIN of a statement on which a row rule lies. Costs and row estimates come from statistics over
 * hidden rows, and ANALYZE counts the rows that the rule removed, so the first are turned off and the second is refused.
 * @param start byte offset of the EXPLAIN statement.
 * @param ruled some row of the statement's relations may be hidden.
 */
function rewriteExplain(judgement: Judgement, explain: ExplainStmt, start: number, ruled: boolean): void {
  const options = optionsOf(explain);
  for (const { defname = "" } of options)
    if (!known.has(defname)) unsupported(`EXPLAIN (${defname.toUpperCase()})`);
  if (!ruled) return;
  for (const option of options)
    if (counting.has(option.defname ?? "") && isOn(option))
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
