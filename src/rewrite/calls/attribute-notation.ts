import { refuse } from "../../errors.ts";
import { couldCallDenied } from "./function-rulings.ts";
import type { Judgement } from "../judgement.ts";
import { isShared } from "../names-seen.ts";
import { nameOf } from "../reading/safe-copies.ts";
import type { Survey } from "../findings.ts";
import { visibleColumns } from "../reading/virtual-table.ts";

/** `a.f` is a call of f(a) where a has no column f; also where a is a value, a function's result or a field. */
export function judgeAttributeNotation(judgement: Judgement, survey: Survey): void {
  const { catalog, grants } = judgement.context;
  for (const { qualifier, name } of survey.references) {
    if (!couldCallDenied(catalog, grants, name) || isColumn(survey, qualifier, name)) continue;
    refuse("function_not_allowed", `permission denied for function ${name}`, {
      detail: "Written after a dot, a function that the role may not call could be meant.",
      hint: "Give the column another name, or call the function by name if the role file allows it.",
    });
  }
}

/** True if the qualifier can only be a relation of the statement that has a column of this name for the role. */
function isColumn(survey: Survey, qualifier: string | undefined, name: string): boolean {
  if (qualifier === undefined || isShared(survey, qualifier) || survey.writes.length > 0) return false;
  const meant = survey.reads.filter(({ rangeVar }) => nameOf(rangeVar) === qualifier);
  return (
    meant.length === 1 &&
    meant.every(({ relation, grant }) => {
      const columns = grant?.select === undefined ? relation.columns : visibleColumns(relation, grant.select);
      return columns.some((column) => column.name === name);
    })
  );
}
