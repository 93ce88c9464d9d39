import type { Node } from "@pgsql/types";
import type { Relation } from "../../catalog/catalog.ts";
import { refuse } from "../../errors.ts";
import type { TableGrant } from "../../policy/grants.ts";
import type { Judgement } from "../judgement.ts";

/** A relation that values are put into, and what the role may do with it. */
type Written = { readonly relation: Relation; readonly grant: TableGrant };

const verbs = { insert: "insert into", update: "update" } as const;

/**
 * A statement may give values to the columns of its rule only.
 * @param names the columns that it names.
 */
export function judgeWrittenColumns(
  judgement: Judgement,
  { relation, grant }: Written,
  use: "insert" | "update",
  names: readonly string[],
): void {
  const permitted = grant[use]?.columns ?? new Set();
  if (permitted === "all") return;
  for (const name of names)
    if (!permitted.has(name))
      refuse(
        "column_not_allowed",
        `permission denied to ${verbs[use]} column "${name}" of ${relation.schema}.${relation.name}`,
        {
          detail: `Role "${judgement.context.grants.role}" has no ${use} rule for this column (${grant.rule}).`,
          hint:
            permitted.size === 0
              ? "It may write no column."
              : `It may ${verbs[use]}: ${[...permitted].join(", ")}.`,
        },
      );
}

/** Without a list of columns all are meant, those that are added later too. */
export function judgeMissingList(
  judgement: Judgement,
  { relation, grant }: Written,
  statement: "INSERT" | "COPY",
): void {
  const permitted = grant.insert?.columns ?? new Set();
  if (permitted === "all") return;
  refuse("column_not_allowed", `${statement} into ${relation.name} needs a column list`, {
    detail: `Role "${judgement.context.grants.role}" may not insert into every column of it (${grant.rule}).`,
    hint: `Name the columns: (${[...permitted].join(", ")}).`,
  });
}

/** The columns of an INSERT's list or of SET, in their order; one that is set in parts comes once for each. */
export function namesOf(list: readonly Node[] | undefined): string[] {
  return (list ?? []).flatMap((node) => ("ResTarget" in node ? [node.ResTarget.name ?? "?"] : []));
}
