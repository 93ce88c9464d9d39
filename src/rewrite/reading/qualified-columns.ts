import type { ColumnRef } from "@pgsql/types";
import { catalogTable } from "../catalogs/blanked-catalogs.ts";
import { edit, unsupported, type Judgement } from "../judgement.ts";
import { indexOf, startOf, symbolAt } from "../text/source.ts";
import type { Read, Survey } from "../findings.ts";
import { nameOf } from "./safe-copies.ts";
import { seesAll } from "./virtual-table.ts";

/**
 * `schema.table.column` cannot name a column of the sub-select that stands for the table, so the schema is left out
 * there. Where two relations of the statement share the table's name, that could mean another one, and is refused.
 */
export function shortenQualifiedColumns(judgement: Judgement, survey: Survey): void {
  if (survey.qualified.length === 0) return;
  const byName = Map.groupBy(survey.reads, ({ rangeVar }) => nameOf(rangeVar));
  for (const reference of survey.qualified) {
    const fields = reference.fields ?? [];
    const names = fields.map((field) => ("String" in field ? (field.String.sval ?? "") : "*"));
    const schema = names.at(-3);
    const table = names.at(-2) ?? "";
    const named = byName.get(table) ?? [];
    const replaced = named.filter(
      (read) =>
        read.rangeVar.alias === undefined &&
        read.relation.schema === schema &&
        isReplaced(judgement, read, survey),
    );
    if (replaced.length === 0) continue;
    const written = survey.writes.some(({ relation }) => relation.name === table);
    if (
      names.length > 3 ||
      // Something besides those tables has the name: a sub-select, a join, a CTE.
      (survey.aliases.get(table) ?? 0) > named.length ||
      new Set(named.map(({ relation }) => relation.oid)).size > 1 ||
      written
    )
      unsupported(`the column reference ${names.join(".")}`, "Give the table an alias and use that.");
    shorten(judgement, reference);
  }
}

function isReplaced(judgement: Judgement, read: Read, survey: Survey): boolean {
  return read.grant?.select === undefined
    ? catalogTable(judgement, read, survey) !== undefined
    : !seesAll(read.grant.select);
}

function shorten(judgement: Judgement, reference: ColumnRef): void {
  const { source } = judgement;
  const start = reference.location ?? 0;
  // A schema written as U&"…" UESCAPE '…' is more than one token.
  let index = indexOf(source, start);
  while (!symbolAt(source, index, ".")) index += 1;
  edit(judgement, start, startOf(source, index + 1), "");
  reference.fields = (reference.fields ?? []).slice(1);
}
