import type { Column, Relation } from "../../catalog/catalog.ts";
import { quoteIdentifier } from "../../sql/names.ts";
import { blankedColumns, catalogEntry, nullOf } from "./catalog-relations.ts";
import type { CatalogEntry } from "./catalog-table.ts";
import type { Read, Survey } from "../findings.ts";
import type { Judgement } from "../judgement.ts";
import { nameOf } from "../reading/safe-copies.ts";
import { qualifiedName } from "../reading/virtual-table.ts";

/** Columns of every stored table that no star stands for (documentation, 5.6). */
const systemColumns = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/**
 * The sub-select that stands for a catalog in a statement; undefined where it is read as it is. A catalog with
 * blanked columns is replaced only if the statement could show one: nearly all statements of tools do not, and keep
 * what a sub-select would take from them, such as GROUP BY the primary key.
 */
export function catalogTable(judgement: Judgement, read: Read, survey: Survey): string | undefined {
  const { relation } = read;
  const { rows, blanked, instead } = showing(judgement, relation);
  if (rows === undefined && (blanked.length === 0 || !couldShow(judgement, read, blanked, survey)))
    return undefined;
  // Tools ask for tableoid and xmin by name. Beside a star they come once more, at its end.
  const stored = relation.kind === "table" && !survey.natural;
  const system = stored ? systemColumns.filter((column) => survey.named.has(column)) : [];
  return subSelect(relation, blanked, system, { rows, instead });
}

/** The sub-select that stands for a catalog read as a whole; undefined for one that is shown as it is. */
export function wholeCatalogTable(judgement: Judgement, relation: Relation): string | undefined {
  const { rows, blanked, instead } = showing(judgement, relation);
  return rows === undefined && blanked.length === 0
    ? undefined
    : subSelect(relation, blanked, [], { rows, instead });
}

/** Which rows are shown, and what some columns show. */
type Rows = { readonly rows: CatalogEntry["rows"]; readonly instead: CatalogEntry["instead"] };

function showing({ context }: Judgement, relation: Relation): Rows & { readonly blanked: readonly Column[] } {
  const entry = catalogEntry(relation.schema, relation.name) ?? {};
  return {
    rows: entry.rows,
    instead: entry.instead,
    blanked: blankedColumns(relation, entry, context.grants.catalogs),
  };
}

function subSelect(
  relation: Relation,
  blanked: readonly Column[],
  system: readonly string[],
  { rows, instead }: Rows,
): string {
  const columns = relation.columns.map((column) => {
    const name = quoteIdentifier(column.name);
    const shown = instead?.[column.name];
    if (shown !== undefined) return `${shown} AS ${name}`;
    return blanked.includes(column) ? `${nullOf(column)} AS ${name}` : name;
  });
  // OFFSET 0 keeps the client's conditions away from the rows that are not shown.
  const where = rows === undefined ? "" : ` WHERE ${rows} OFFSET 0`;
  return `(SELECT ${[...columns, ...system].join(", ")} FROM ${qualifiedName(relation)}${where})`;
}

/** True if some way of looking of the statement's could reach one of the columns. */
function couldShow(
  { context }: Judgement,
  { relation, rangeVar }: Read,
  blanked: readonly Column[],
  survey: Survey,
): boolean {
  if (survey.stars || survey.natural || survey.renamed) return true;
  if (blanked.some((column) => survey.named.has(column.name))) return true;
  const name = nameOf(rangeVar) ?? "";
  const aliases = [name, ...survey.joinAliases];
  if (aliases.some((alias) => survey.rows.has(alias))) return true;
  // `c.row_to_json` is a call on the whole row where c has no such column. Other relations may be called c as well.
  const namesakes = survey.reads.filter((read) => nameOf(read.rangeVar) === name);
  return survey.references.some(
    ({ qualifier, name: column }) =>
      qualifier !== undefined &&
      aliases.includes(qualifier) &&
      !hasColumn(relation, column) &&
      (context.catalog.functions.has(column) ||
        !namesakes.some((namesake) => hasColumn(namesake.relation, column))),
  );
}

function hasColumn(relation: Relation, name: string): boolean {
  return systemColumns.includes(name) || relation.columns.some((column) => column.name === name);
}
