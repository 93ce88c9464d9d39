import type { RangeVar } from "@pgsql/types";
import type { Relation } from "../../catalog/catalog.ts";
import { refuse } from "../../errors.ts";
import type { BoundExpression, TableGrant } from "../../policy/grants.ts";
import { quoteIdentifier } from "../../sql/names.ts";
import type { Write } from "../findings.ts";
import { edit, type Judgement } from "../judgement.ts";
import { closingIndex, indexAfterName, indexOf, inOnlyBrackets, type Source } from "../text/source.ts";
import { systemColumns } from "../reading/system-columns.ts";
import { seesAll, seesColumns, visibleColumns } from "../reading/virtual-table.ts";

/**
 * The relation that a statement writes to stays a real relation in the text that is sent, so its columns are judged
 * one by one: visible ones pass, masked ones become their mask, all others do not exist.
 */
export type Target = {
  readonly relation: Relation;
  readonly grant: TableGrant;
  /** Names by which the statement can refer to its row: alias or name, `old` and `new` in RETURNING. */
  readonly names: ReadonlySet<string>;
  /** Undefined: every column as it is. */
  readonly visible: ReadonlyMap<string, BoundExpression | undefined> | undefined;
  /** A virtual table has no system columns, as a view has none: they tell of the rows between. */
  readonly virtual: boolean;
  /** Columns of the row that ON CONFLICT proposes, `excluded`, whose values the client itself gave. */
  readonly given: ReadonlySet<string>;
};

/** How the statement can name the row that it writes. */
export function writeTarget(relation: Relation, grant: TableGrant, names: readonly string[]): Target {
  const { select } = grant;
  const visible =
    select !== undefined && seesColumns(select)
      ? undefined
      : new Map(
          select === undefined
            ? []
            : visibleColumns(relation, select).map((column) => [column.name, column.mask] as const),
        );
  const virtual = select === undefined || !seesAll(select);
  return { relation, grant, names: new Set(names), visible, virtual, given: new Set() };
}

/** The name by which the statement's own row is known. */
export function rowName(target: Target): string {
  return [...target.names][0]!;
}

/** True for a column that the role sees as it is stored; where all are, what is left is the system columns. */
export function isPlain({ visible }: Target, name: string): boolean {
  if (visible === undefined) return !systemColumns.has(name);
  return visible.has(name) && visible.get(name) === undefined;
}

/**
 * Qualifies the relation that is written to.
 * @returns `from`: the index of the token behind it.
 */
export function aim(
  judgement: Judgement,
  { relation, grant }: Write,
  rangeVar: RangeVar | undefined,
): { target: Target; from: number } {
  if (rangeVar?.location === undefined) refuse("internal", "a write without a relation");
  const from = afterTarget(judgement.source, rangeVar.location);
  if (rangeVar.schemaname === undefined) {
    edit(judgement, rangeVar.location, rangeVar.location, `${quoteIdentifier(relation.schema)}.`);
    rangeVar.schemaname = relation.schema;
  }
  const name = rangeVar.alias?.aliasname ?? rangeVar.relname ?? "";
  return { target: writeTarget(relation, grant, [name]), from };
}

/** The index behind the relation, `ONLY (t)` included: what follows stands at the statement's own depth again. */
function afterTarget(source: Source, location: number): number {
  const after = indexAfterName(source, location);
  const first = indexOf(source, location);
  return inOnlyBrackets(source, first) ? closingIndex(source, first - 1) + 1 : after;
}
