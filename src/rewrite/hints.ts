import type { Survey } from "./findings.ts";
import { seesAll, seesColumns, visibleColumns } from "./reading/virtual-table.ts";

/**
 * The server says of a hidden column what it says of one that is nowhere. What the role does see is no secret, and
 * tells a user why.
 */
export function addHints(hints: Map<string, string>, survey: Survey): void {
  const partly = survey.reads.flatMap(({ relation, grant }) =>
    grant?.select === undefined || seesAll(grant.select)
      ? []
      : [{ relation, select: grant.select, rule: grant.rule }],
  );
  const columns = partly
    .filter(({ select }) => !seesColumns(select))
    .map(({ relation, select, rule }) => {
      const names = visibleColumns(relation, select).map(({ name }) => name);
      return `Of ${relation.schema}.${relation.name} the role sees: ${names.join(", ")} (${rule}).`;
    });
  if (columns.length > 0) hints.set("42703", [...new Set(columns)].slice(0, 3).join(" "));
  if (partly.length > 0 && survey.grouped.length > 0)
    hints.set(
      "42803",
      "Of a relation with a row or column rule a primary key is known only if it is visible, and stands in GROUP BY with all its columns: name the other columns too.",
    );
}
