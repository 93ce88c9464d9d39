import type { DiscardStmt, Node, VariableSetStmt } from "@pgsql/types";
import { refuse, RolegateError } from "../errors.ts";
import { quoteLiteral } from "../sql/names.ts";
import { become } from "./fragment.ts";
import { edit, unsupported, type Judgement } from "./judgement.ts";
import { settingProblem } from "./settings.ts";
import { endBefore, endIndex, indexFrom, startOf } from "./source.ts";
import type { Effect } from "./verdict.ts";

/** What SET, RESET and DISCARD do to the session. */
export type SessionChange = { readonly statementKind: string; readonly effect: Effect };

const none: Effect = { kind: "none" };

/**
 * Judges SET and RESET.
 * @param start byte offset of the statement.
 * @throws RolegateError setting_not_allowed, role_not_allowed
 */
export function judgeSet(
  judgement: Judgement,
  node: Node,
  set: VariableSetStmt,
  start: number,
): SessionChange {
  const name = set.name ?? "";
  const reset = set.kind === "VAR_RESET" || set.kind === "VAR_SET_DEFAULT";
  switch (set.kind) {
    case "VAR_RESET_ALL":
      return { statementKind: "RESET", effect: { kind: "search-path", path: undefined, local: false } };
    case "VAR_SET_MULTI":
      if (name === "TRANSACTION SNAPSHOT") unsupported("SET TRANSACTION SNAPSHOT");
      return { statementKind: "SET", effect: none };
    case "VAR_SET_CURRENT":
      return unsupported("SET … FROM CURRENT");
    case "VAR_SET_VALUE":
    case "VAR_SET_DEFAULT":
    case "VAR_RESET":
      break;
    default:
      return unsupported("this form of SET");
  }
  if (name === "role")
    return changeRole(judgement, node, set, start, set.kind === "VAR_RESET" ? "RESET" : "SET");
  // The session's user is rolegate's own login throughout; going back to it changes nothing.
  if (name === "session_authorization" && reset)
    return { statementKind: "SET SESSION AUTHORIZATION", effect: none };
  const values = reset ? undefined : (set.args ?? []).map(settingText);
  const problem = settingProblem(name, values?.join(", "), judgement.context.grants);
  if (problem !== undefined) throw new RolegateError(problem);
  const statementKind = set.kind === "VAR_RESET" ? "RESET" : "SET";
  if (name.toLowerCase() !== "search_path") return { statementKind, effect: none };
  const path = values?.map((schema) => (schema === "$user" ? judgement.context.grants.role : schema));
  return { statementKind, effect: { kind: "search-path", path, local: set.is_local === true } };
}

/**
 * `SET ROLE` moves to another database login, which the session does; what is sent in its place only brings the
 * command tag that the client waits for.
 */
function changeRole(
  judgement: Judgement,
  node: Node,
  set: VariableSetStmt,
  start: number,
  verb: "SET" | "RESET",
): SessionChange {
  const { grants, roles, parser } = judgement.context;
  const role = set.kind === "VAR_SET_VALUE" && set.args?.length === 1 ? settingText(set.args[0]!) : undefined;
  if (set.is_local === true)
    refuse("role_not_allowed", "SET LOCAL ROLE is not allowed", {
      detail: "A role comes with rules and a login of its own, and lasts until it is changed again.",
      hint: "Use SET ROLE, outside a transaction.",
    });
  if (role !== undefined && !roles.has(role))
    refuse("role_not_allowed", `permission denied to set role "${role}"`, {
      detail: "No access entry lets this identity take the role.",
      hint: `It may take: ${[...roles].toSorted().join(", ")}.`,
    });
  const { source } = judgement;
  const first = indexFrom(source, start);
  const text =
    verb === "RESET" ? "RESET rolegate.role" : `SET rolegate.role = ${quoteLiteral(role ?? grants.role)}`;
  edit(judgement, startOf(source, first), endBefore(source, endIndex(source, first)), text);
  const parsed = parser.parse(text);
  if (parsed.kind !== "parsed") refuse("internal", "a rewritten SET ROLE does not parse");
  become(node, parsed.statements[0]!.stmt!);
  return { statementKind: `${verb} ROLE`, effect: { kind: "set-role", role } };
}

/** A value of SET as text, the way the server reads it. */
function settingText(node: Node): string {
  if ("TypeCast" in node && node.TypeCast.arg !== undefined) return settingText(node.TypeCast.arg);
  if (!("A_Const" in node)) return unsupported("this value of SET");
  const { sval, ival, fval, boolval } = node.A_Const as {
    sval?: { sval?: string };
    ival?: { ival?: number };
    fval?: { fval?: string };
    boolval?: { boolval?: boolean };
  };
  if (sval !== undefined) return sval.sval ?? "";
  if (ival !== undefined) return String(ival.ival ?? 0);
  if (fval !== undefined) return fval.fval ?? "";
  return boolval?.boolval === true ? "true" : "false";
}

export function judgeDiscard(discard: DiscardStmt): SessionChange {
  return {
    statementKind: "DISCARD",
    effect: discard.target === "DISCARD_ALL" ? { kind: "discard-all" } : none,
  };
}
