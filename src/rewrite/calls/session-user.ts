import type { Node, ResTarget } from "@pgsql/types";
import { lastName } from "../text/dotted-name.ts";
import { become, expressionTree } from "../text/fragment.ts";
import { edit, type Judgement } from "../judgement.ts";
import { indexOf } from "../text/source.ts";

/**
 * `session_user`, and `system_user` from 16 on, tell the name of rolegate's own login; towards a client the session's user is
 * its role, as ParameterStatus says too.
 * @returns true if the node was one, and is replaced.
 */
export function hideLogin(judgement: Judgement, node: Node): boolean {
  const word = loginWord(node);
  if (word === undefined) return false;
  const { source, context } = judgement;
  const { location = 0 } = Object.values(node)[0] as { location?: number };
  const token = source.tokens[indexOf(source, location)]!;
  const text = word === "session_user" ? "current_user" : "current_user::pg_catalog.text";
  edit(judgement, token.start, token.end, text);
  become(node, expressionTree(context.parser, text));
  return true;
}

/** A column that is one of them keeps its name. */
export function nameHiddenLogin(judgement: Judgement, target: ResTarget): void {
  const word = target.val === undefined || target.name !== undefined ? undefined : loginWord(target.val);
  if (word === undefined) return;
  const { location = 0 } = Object.values(target.val!)[0] as { location?: number };
  const { source } = judgement;
  const { end } = source.tokens[indexOf(source, location)]!;
  hideLogin(judgement, target.val!);
  edit(judgement, end, end, ` AS ${word}`);
  target.name = word;
}

/** As the grammar reads the words; a call in parentheses is judged as one. */
function loginWord(node: Node): "session_user" | "system_user" | undefined {
  if ("SQLValueFunction" in node)
    return node.SQLValueFunction.op === "SVFOP_SESSION_USER" ? "session_user" : undefined;
  if (!("FuncCall" in node) || node.FuncCall.funcformat !== "COERCE_SQL_SYNTAX") return undefined;
  return lastName(node.FuncCall.funcname) === "system_user" ? "system_user" : undefined;
}
