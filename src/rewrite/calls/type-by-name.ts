import type { FuncCall } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import { judgeType } from "./casts.ts";
import { constantString } from "../text/constant-string.ts";
import type { Judgement } from "../judgement.ts";

/**
 * `pg_input_is_valid('value', 'type')` makes a value of the type that its text names, so it is judged as the cast
 * that it stands for.
 * @throws RolegateError function_not_allowed
 */
export function judgeNamedType(judgement: Judgement, { args }: FuncCall): void {
  const text = constantString(args?.[1]);
  const parsed = text === undefined ? undefined : judgement.context.parser.parse(`SELECT NULL::${text}`);
  const select = parsed?.kind === "parsed" ? parsed.statements[0]?.stmt : undefined;
  const target = select !== undefined && "SelectStmt" in select ? select.SelectStmt.targetList : undefined;
  const value = target?.[0] !== undefined && "ResTarget" in target[0] ? target[0].ResTarget.val : undefined;
  if (parsed?.kind !== "parsed" || value === undefined || !("TypeCast" in value) || !value.TypeCast.typeName)
    refuse("function_not_allowed", "permission denied for a type that is named by a value", {
      detail: "The type has to be named in the text.",
    });
  judgeType(judgement, value.TypeCast.typeName);
}
