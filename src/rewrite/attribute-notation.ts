import { refuse } from "../errors.ts";
import { couldCallFunction } from "./functions.ts";
import type { Judgement } from "./judgement.ts";
import type { Survey } from "./survey.ts";

/** `a.f` is a call of f(a) where a has no column f. */
export function judgeAttributeNotation(judgement: Judgement, survey: Survey): void {
  const { catalog, grants } = judgement.context;
  for (const { qualifier, name } of survey.references) {
    if (!couldCallFunction(catalog, grants, name)) continue;
    const meant = survey.reads.filter(
      ({ rangeVar }) => (rangeVar.alias?.aliasname ?? rangeVar.relname) === qualifier,
    );
    const columns = [...meant, ...survey.writes].map((use) => use.relation);
    if (
      qualifier !== undefined &&
      meant.length > 0 &&
      columns.every((relation) => relation.columns.some((column) => column.name === name))
    )
      continue;
    refuse("function_not_allowed", `permission denied for function ${name}`, {
      detail: "Written after a dot, a function outside the server's own could be meant.",
    });
  }
}
