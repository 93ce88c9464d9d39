import type { Node } from "@pgsql/types";
import { formatType } from "../calls/builtin-values.ts";
import { lastName } from "../text/dotted-name.ts";
import type { Judgement } from "../judgement.ts";
import { distrust } from "../calls/operators.ts";
import { familyOfType } from "./type-families.ts";

/**
 * True if a comparison of columns of a family, with constants or with each other, can only mean operators of the
 * server itself, on the columns as they are. Others, extensions' included, may raise or be watched, and a cast that
 * somebody made may turn a column into what they take.
 * @param family undefined: constants among themselves.
 * @param values what the columns are compared with; a parameter takes any type that it is declared to be of.
 */
export function meansOwnOperators(
  judgement: Judgement,
  symbols: readonly string[],
  family: string | undefined,
  values: readonly Node[],
): boolean {
  const { catalog } = judgement.context;
  const type = family?.startsWith("enum ") === true ? family.slice("enum ".length) : undefined;
  const declarable = values.some((value) => "ParamRef" in value);
  for (const symbol of symbols)
    for (const operator of catalog.operators.get(symbol) ?? []) {
      if (type !== undefined && operator.takes.includes(type)) return false;
      if (!operator.besideBuiltin) continue;
      if (operator.common) return false;
      if (declarable) distrust(judgement, operator.operands);
    }
  for (const { source, target, context } of catalog.casts) {
    const applies = type === undefined ? familyOfType(source.type) === family : source.type === type;
    if (context !== "i" || family === undefined || !applies) continue;
    if (!target.made || type !== undefined) return false;
    const taken = symbols.some((symbol) =>
      catalog.operators.get(symbol)?.some(({ takes }) => takes.includes(target.type)),
    );
    if (taken && !values.every((value) => isOfFamily(value, family))) return false;
    if (declarable) distrust(judgement, [target.type]);
  }
  return true;
}

/** With a constant of a column's own family, or one that takes the column's type, one of the server's operators fits exactly. */
function isOfFamily(value: Node, family: string): boolean {
  if ("ParamRef" in value) return true;
  if ("TypeCast" in value)
    return familyOfType(formatType(lastName(value.TypeCast.typeName?.names) ?? "")) === family;
  if (!("A_Const" in value)) return false;
  return "sval" in value.A_Const || ["integer", "float", "numeric"].includes(family);
}
