import { refuse } from "../../errors.ts";
import { judgeType } from "./casts.ts";
import { couldCallDenied } from "./function-rulings.ts";
import type { Judgement } from "../judgement.ts";
import { castTypes, typesOfNotation } from "./value-origins.ts";
import { nameOf } from "../reading/safe-copies.ts";
import type { Survey } from "../findings.ts";
import { visibleColumns } from "../reading/virtual-table.ts";

/**
 * `a.f` is a call of f(a) where a has no column f; also where a is a value, a function's result or a field. And where
 * f is the name of a type, it may be a cast: `('a').order_status`.
 */
export function judgeAttributeNotation(judgement: Judgement, survey: Survey): void {
  const { catalog, grants } = judgement.context;
  for (const { qualifier, name } of survey.references) {
    const denied = couldCallDenied(catalog, grants, name);
    const given = typesOfNotation(catalog, name);
    if ((!denied && given.length === 0) || isColumn(survey, qualifier, name)) continue;
    for (const type of given) judgement.about.types.add(type);
    if (castTypes(catalog, [name]).length > 0) judgeType(judgement, { names: [{ String: { sval: name } }] });
    if (!denied) continue;
    refuse("function_not_allowed", `permission denied for function ${name}`, {
      detail: "Written after a dot, a function that the role may not call could be meant.",
      hint: "Give the column another name, or call the function by name if the role file allows it.",
    });
  }
}

/** True if the qualifier can only be a relation of the statement that has a column of this name for the role. */
export function isColumn(survey: Survey, qualifier: string | undefined, name: string): boolean {
  if (qualifier === undefined) return false;
  const reads = survey.reads.filter(({ rangeVar }) => nameOf(rangeVar) === qualifier);
  // Something else goes by this name too: a sub-select, a CTE, a function.
  if (reads.length !== (survey.aliases.get(qualifier) ?? 0)) return false;
  const written = survey.writes.filter(
    ({ statement: { relation } }) =>
      (relation !== undefined && nameOf(relation) === qualifier) || versions.has(qualifier),
  );
  const columns = [
    ...reads.map(({ relation, grant }) =>
      grant?.select === undefined ? relation.columns : visibleColumns(relation, grant.select),
    ),
    ...written.map(({ relation }) => relation.columns),
  ];
  return columns.length > 0 && columns.every((known) => known.some((column) => column.name === name));
}

/** Rows of what a statement writes to, under names of the server's. */
const versions: ReadonlySet<string> = new Set(["excluded", "old", "new"]);
