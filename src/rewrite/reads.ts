import type { Node, RangeVar } from "@pgsql/types";
import type { TableGrant } from "../policy/grants.ts";
import { quoteIdentifier } from "../sql/names.ts";
import { become, fromItemTree } from "./fragment.ts";
import { edit, type Judgement } from "./judgement.ts";
import { columnFacts, isSafe } from "./safe-conditions.ts";
import { closingIndex, indexAfterName, indexOf, keywordAt, startOf, symbolAt } from "./source.ts";
import type { Read, Survey } from "./survey.ts";
import { rulesOf, seesAll, virtualTable } from "./virtual-table.ts";

/** True if every condition of the statement may run on rows that the role must not see. */
export function allSafe(judgement: Judgement, survey: Survey): boolean {
  if (survey.computed || survey.natural) return false;
  const targets = survey.writes.map(({ relation, grant }): Pick<Read, "relation" | "grant"> => ({
    relation,
    grant,
  }));
  const facts = columnFacts([...survey.reads, ...targets]);
  if (survey.using.some((name) => facts.family(name) === undefined)) return false;
  return survey.conditions.every(({ node, having }) => isSafe(judgement, facts, node, having));
}

/** Puts the virtual table in the place of a relation that is read, or qualifies the name where the role sees all of it. */
export function rewriteRead(judgement: Judgement, read: Read, safe: boolean): void {
  const { node, rangeVar, relation, grant } = read;
  if (grant?.select === undefined) return qualifyCatalog(judgement, rangeVar, relation.schema);
  for (const rule of rulesOf(grant, grant.select)) judgement.rules.add(rule);
  if (seesAll(grant.select)) return qualify(judgement, rangeVar, relation.schema);
  return replace(judgement, node, rangeVar, read, grant.select, !safe);
}

/** pg_catalog comes first wherever a search path does not name it, and then a bare name cannot mean anything else. */
function qualifyCatalog(judgement: Judgement, rangeVar: RangeVar, schema: string): void {
  if (schema === "pg_catalog" && !judgement.context.searchPath.includes("pg_catalog")) return;
  qualify(judgement, rangeVar, schema);
}

export function qualify(judgement: Judgement, rangeVar: RangeVar, schema: string): void {
  if (rangeVar.schemaname !== undefined) return;
  const at = rangeVar.location ?? 0;
  edit(judgement, at, at, `${quoteIdentifier(schema)}.`);
  rangeVar.schemaname = schema;
}

function replace(
  judgement: Judgement,
  node: Node,
  rangeVar: RangeVar,
  { relation }: Read,
  select: NonNullable<TableGrant["select"]>,
  careful: boolean,
): void {
  const only = rangeVar.inh !== true;
  const range = extent(judgement, rangeVar, only);
  const barrier = careful && select.rows !== undefined;
  const text = virtualTable(relation, select, { barrier, only, conditions: [] });
  const name = rangeVar.alias === undefined ? ` AS ${quoteIdentifier(rangeVar.relname ?? "")}` : "";
  edit(
    judgement,
    range.start,
    range.end,
    range.tableCommand ? `SELECT * FROM ${text}${name}` : `${text}${name}`,
  );
  const tree = fromItemTree(judgement.context.parser, `${text} AS x`);
  if ("RangeSubselect" in tree)
    tree.RangeSubselect.alias = rangeVar.alias ?? { aliasname: rangeVar.relname ?? "" };
  become(node, tree);
}

/** The bytes of a relation in FROM without its alias: `ONLY (s.t)`, `s.t *`, and the word TABLE of `TABLE t`. */
function extent(
  judgement: Judgement,
  rangeVar: RangeVar,
  only: boolean,
): { start: number; end: number; tableCommand: boolean } {
  const { source } = judgement;
  const at = rangeVar.location ?? 0;
  let first = indexOf(source, at);
  let last = indexAfterName(source, at) - 1;
  if (symbolAt(source, last + 1, "*")) last += 1;
  if (only && symbolAt(source, first - 1, "(") && keywordAt(source, first - 2, "only")) {
    last = closingIndex(source, first - 1);
    first -= 2;
  } else if (only && keywordAt(source, first - 1, "only")) {
    first -= 1;
  }
  const tableCommand = keywordAt(source, first - 1, "table");
  if (tableCommand) first -= 1;
  return { start: startOf(source, first), end: source.tokens[last]!.end, tableCommand };
}
