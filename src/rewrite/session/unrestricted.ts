import type { Node, VariableSetStmt } from "@pgsql/types";
import { RolegateError } from "../../errors.ts";
import { statementKind } from "../../sql/statement-kinds.ts";
import { walk } from "../../sql/walk.ts";
import { changesDatabase } from "../defining/define-effect.ts";
import type { Judgement } from "../judgement.ts";
import { nothingQuotable } from "../quotable.ts";
import { isHeld, type Effect, type JudgedStatement } from "../verdict.ts";
import { changeRole, settingText } from "./session-statements.ts";
import { settingProblem } from "./settings.ts";

const none: Effect = { kind: "none" };

/**
 * A statement of a role that has no rules: it runs as it is, whatever its kind, and the database says what the role may do.
 * What is kept from it is only what would make the record say something else than what ran, and SET ROLE to another role
 * of rolegate's is that role's login and rules.
 * @param start byte offset of the statement.
 */
export function judgeUnrestricted(judgement: Judgement, node: Node, start: number): JudgedStatement {
  const { name } = statementKind(node);
  const effect =
    "VariableSetStmt" in node
      ? setEffect(judgement, node, node.VariableSetStmt, start)
      : effectOf(judgement, node);
  return judged(judgement, node, name, effect);
}

/** Nothing is hidden from the role. */
const untouched = {
  discardRows: false,
  hides: false,
  quotable: nothingQuotable,
  hints: new Map<string, string>(),
  trustsParameters: false,
  castParameters: new Set<number>(),
  distrustedTypes: new Set<number>(),
  sets: [],
} as const;

function judged({ context }: Judgement, node: Node, kind: string, effect: Effect): JudgedStatement {
  return {
    ...untouched,
    statementKind: kind,
    relations: relationsNamed(node),
    rules: [context.grants.unrestricted!],
    effect,
  };
}

/**
 * A role of the identity's own is a change of rules, so of logins. Any other name is the database's to give or refuse, as it
 * would be in the body of a DO.
 */
function setEffect(judgement: Judgement, node: Node, set: VariableSetStmt, start: number): Effect {
  const { grants, roles } = judgement.context;
  const setting = (set.name ?? "").toLowerCase();
  const reset = set.kind === "VAR_RESET" || set.kind === "VAR_SET_DEFAULT";
  if (setting === "role" && set.is_local !== true) {
    // The server goes back to the role of its startup packet, and the session to the one that it began with.
    if (reset) return { kind: "set-role", role: undefined };
    const role = set.args?.length === 1 ? settingText(set.args[0]!) : undefined;
    const known = role !== undefined && role !== grants.role && roles.has(role);
    return known ? changeRole(judgement, node, set, start, "SET").effect : none;
  }
  if (set.kind !== "VAR_SET_VALUE" && set.kind !== "VAR_RESET" && set.kind !== "VAR_SET_DEFAULT") return none;
  const value = set.kind === "VAR_SET_VALUE" ? (set.args ?? []).map(valueOf).join(", ") : undefined;
  const problem = settingProblem(set.name ?? "", value, grants);
  if (problem !== undefined) throw new RolegateError(problem);
  return none;
}

/** Only that of a setting of which not every value may be set is looked at, and none of those takes anything but constants. */
function valueOf(node: Node): string {
  return "A_Const" in node ? settingText(node) : "";
}

/** Statements that change nothing of what a catalog shows. */
const changesNothing: ReadonlySet<string> = new Set([
  "SelectStmt",
  "InsertStmt",
  "UpdateStmt",
  "DeleteStmt",
  "MergeStmt",
  "CopyStmt",
  "ExplainStmt",
  "FetchStmt",
  "ClosePortalStmt",
  "TransactionStmt",
  "ConstraintsSetStmt",
  "VariableShowStmt",
  "DiscardStmt",
  "ListenStmt",
  "NotifyStmt",
  "UnlistenStmt",
  "LockStmt",
  "VacuumStmt",
  "CheckPointStmt",
]);

export const functionCallKind = "FUNCTION CALL";

/** A call by the protocol's FunctionCall message. @param rule the place that allows it */
export function calledFunction(rule: string): JudgedStatement {
  return { ...untouched, statementKind: functionCallKind, relations: [], rules: [rule], effect: none };
}

/** What the session has to follow: names that the protocol uses too, and that other sessions' catalog is out of date. */
function effectOf(judgement: Judgement, node: Node): Effect {
  if ("PrepareStmt" in node)
    return {
      kind: "prepare",
      name: node.PrepareStmt.name ?? "",
      statement: inner(judgement, node.PrepareStmt.query),
    };
  if ("DeclareCursorStmt" in node)
    return {
      kind: "declare",
      name: node.DeclareCursorStmt.portalname ?? "",
      statement: inner(judgement, node.DeclareCursorStmt.query),
      held: isHeld(node.DeclareCursorStmt.options),
    };
  if ("ExecuteStmt" in node) return { kind: "execute", name: node.ExecuteStmt.name ?? "" };
  if ("DeallocateStmt" in node) return { kind: "deallocate", name: node.DeallocateStmt.name };
  if ("DiscardStmt" in node && node.DiscardStmt.target === "DISCARD_ALL") return { kind: "discard-all" };
  if ("TransactionStmt" in node)
    return node.TransactionStmt.kind === "TRANS_STMT_COMMIT_PREPARED" ? changesDatabase() : none;
  if ("SelectStmt" in node && node.SelectStmt.intoClause !== undefined) return changesDatabase();
  return changesNothing.has(Object.keys(node)[0]!) ? none : changesDatabase();
}

/** What PREPARE and DECLARE leave behind. */
function inner(judgement: Judgement, query: Node | undefined): JudgedStatement {
  const node = query ?? { SelectStmt: {} };
  return judged(judgement, node, statementKind(node).name, none);
}

/** For the record: names as the statement has them, since what they mean is known to the server alone. */
function relationsNamed(statement: Node): readonly string[] {
  const found = new Set<string>();
  const ctes = new Set<unknown>();
  walk(statement, (kind, fields) => {
    if (kind === "CommonTableExpr") ctes.add(fields["ctename"]);
    if (kind !== "RangeVar") return;
    const parts = [fields["schemaname"], fields["relname"]].filter((part) => typeof part === "string");
    found.add(parts.join("."));
  });
  return [...found].filter((name) => !ctes.has(name)).toSorted();
}
