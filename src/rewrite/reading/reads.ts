import type { RangeVar } from "@pgsql/types";
import type { Relation } from "../../catalog/catalog.ts";
import { refuse } from "../../errors.ts";
import { quoteIdentifier } from "../../sql/names.ts";
import { catalogTable } from "../catalogs/blanked-catalogs.ts";
import { become, fromItemTree } from "../text/fragment.ts";
import { edit, unsupported, type Judgement } from "../judgement.ts";
import { barriersOf, type Barriers } from "./barrier.ts";
import { columnFacts, type ColumnFacts } from "./column-facts.ts";
import { isShared } from "../names-seen.ts";
import { nameOf, safeCopies } from "./safe-copies.ts";
import { takeSample } from "./samples.ts";
import {
  inOnlyBrackets,
  closingIndex,
  indexAfterName,
  indexOf,
  keywordAt,
  startOf,
  symbolAt,
} from "../text/source.ts";
import type { Read, Survey } from "../findings.ts";
import { rulesOf, seesAll, virtualTable } from "./virtual-table.ts";

/** What the rules must know of a statement's conditions. */
export type Conditions = Barriers & {
  readonly facts: ColumnFacts;
  /** The statement's relations under their names there. */
  readonly uses: readonly { readonly name: string | undefined; readonly relation: Relation }[];
};

export function conditionsOf(judgement: Judgement, survey: Survey): Conditions {
  const facts = columnFacts(judgement, survey);
  const uses = [
    ...survey.reads.map(({ rangeVar, relation }) => ({ name: nameOf(rangeVar), relation })),
    ...survey.writes.map(({ statement, relation }) => ({ name: nameOf(statement.relation), relation })),
  ];
  return { facts, uses, ...barriersOf(judgement, survey, facts) };
}

/** Puts the virtual table in the place of a relation that is read, or qualifies the name where the role sees all of it. */
export function rewriteRead(judgement: Judgement, read: Read, conditions: Conditions, survey: Survey): void {
  const { rangeVar, relation, grant } = read;
  if (grant?.select === undefined) {
    const table = catalogTable(judgement, read, survey);
    if (table === undefined) return qualifyCatalog(judgement, rangeVar, relation.schema);
    if (read.sample !== undefined) unsupported("TABLESAMPLE on a catalog that is not shown as it is");
    return replace(judgement, read, table);
  }
  for (const rule of rulesOf(grant, grant.select)) judgement.rules.add(rule);
  if (seesAll(grant.select)) return qualify(judgement, rangeVar, relation.schema);
  const barrier = grant.select.rows === undefined ? undefined : conditions.of(read);
  const copies = barrier?.kind === "closed" ? copiesFor(judgement, read, conditions, survey) : [];
  const only = rangeVar.inh !== true;
  const sample = read.sample === undefined ? undefined : takeSample(judgement, read.sample);
  return replace(
    judgement,
    read,
    virtualTable(relation, grant.select, { barrier, only, sample, conditions: copies }),
  );
}

/** Where columns come under other names than their own, nobody can say by name whose column a condition means. */
function copiesFor(judgement: Judgement, read: Read, { facts, uses }: Conditions, survey: Survey): string[] {
  const name = nameOf(read.rangeVar);
  if (survey.computed || read.level === undefined || name === undefined || isShared(survey, name)) return [];
  const own = { name, relation: read.relation };
  return safeCopies(judgement, facts, read.level.whereClause, uses, own, read.relation.name);
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

/** Puts a sub-select in the relation's place, under the name that the statement knows it by. */
function replace(judgement: Judgement, { node, rangeVar, sample }: Read, text: string): void {
  const range = extent(judgement, rangeVar, rangeVar.inh !== true);
  const name = rangeVar.alias === undefined ? ` AS ${quoteIdentifier(rangeVar.relname ?? "")}` : "";
  edit(
    judgement,
    range.start,
    range.end,
    range.tableCommand ? `SELECT * FROM ${text}${name}` : `${text}${name}`,
  );
  const tree = fromItemTree(judgement.context.parser, `${text} AS x`);
  if (!("RangeSubselect" in tree)) refuse("internal", "a virtual table does not parse");
  const alias = rangeVar.alias ?? { aliasname: rangeVar.relname ?? "" };
  become(sample ?? node, { RangeSubselect: { ...tree.RangeSubselect, alias } });
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
  if (only && inOnlyBrackets(source, first)) {
    last = closingIndex(source, first - 1);
    first -= 2;
  } else if (only && keywordAt(source, first - 1, "only")) {
    first -= 1;
  }
  const tableCommand = keywordAt(source, first - 1, "table");
  if (tableCommand) first -= 1;
  return { start: startOf(source, first), end: source.tokens[last]!.end, tableCommand };
}
