import type { DiscardStmt, Node, TransactionStmt, VariableSetStmt } from "@pgsql/types";
import { refuse, RolegateError } from "../../errors.ts";
import { quoteLiteral, truncateName } from "../../sql/names.ts";
import { statementKind } from "../../sql/statement-kinds.ts";
import { changesDatabase } from "../defining/define-effect.ts";
import { become } from "../text/fragment.ts";
import { edit, unsupported, type Judgement } from "../judgement.ts";
import { searchPathProblem } from "./known-schemas.ts";
import { pinOf, pinProblem, saysTheSame } from "./pinned-setting.ts";
import { judgeListen, judgeNotify, judgeShow, judgeTwoPhase } from "./session-resources.ts";
import { movesRules, settingProblem } from "./settings.ts";
import { endBefore, endIndex, indexFrom, startOf } from "../text/source.ts";
import type { Effect } from "../verdict.ts";

/** What SET, RESET and DISCARD do to the session. */
type SessionChange = { readonly statementKind: string; readonly effect: Effect };

const none: Effect = { kind: "none" };

/**
 * Judges statements about the session: settings, roles, channels, transactions.
 * @param start byte offset of the statement.
 * @returns what is known of it beyond its kind.
 * @throws RolegateError setting_not_allowed, role_not_allowed, statement_not_allowed
 */
export function judgeSession(judgement: Judgement, node: Node, start: number): Partial<SessionChange> {
  if ("VariableSetStmt" in node) return judgeSet(judgement, node, node.VariableSetStmt, start);
  if ("DiscardStmt" in node) return judgeDiscard(node.DiscardStmt);
  if ("VariableShowStmt" in node) judgeShow(judgement, node, start);
  if ("ListenStmt" in node) judgeListen(judgement, node.ListenStmt);
  if ("NotifyStmt" in node) judgeNotify(judgement, node.NotifyStmt);
  if (!("TransactionStmt" in node)) return {};
  const { name } = statementKind(node);
  if (node.TransactionStmt.gid !== undefined) judgeTwoPhase(judgement, node.TransactionStmt, name, start);
  return { effect: savepointEffect(node.TransactionStmt) };
}

/**
 * Judges SET and RESET.
 * @param start byte offset of the statement.
 * @throws RolegateError setting_not_allowed, role_not_allowed
 */
function judgeSet(judgement: Judgement, node: Node, set: VariableSetStmt, start: number): SessionChange {
  const name = set.name ?? "";
  const setting = name.toLowerCase();
  const verb = set.kind === "VAR_RESET" ? "RESET" : "SET";
  const reset = set.kind === "VAR_RESET" || set.kind === "VAR_SET_DEFAULT";
  switch (set.kind) {
    case "VAR_RESET_ALL":
      return { statementKind: "RESET", effect: { kind: "reset-all" } };
    case "VAR_SET_MULTI":
      if (name === "TRANSACTION SNAPSHOT") foreignSnapshot();
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
  if (name === "role") return changeRole(judgement, node, set, start, verb);
  // The session's user is rolegate's own login throughout; going back to it changes nothing.
  if (name === "session_authorization" && reset)
    return { statementKind: "SET SESSION AUTHORIZATION", effect: none };
  const values = reset ? undefined : (set.args ?? []).map(settingText);
  if (setting === "row_security") return setRowSecurity(judgement, node, set, start, values?.join());
  const { context } = judgement;
  const problem = settingProblem(name, values?.join(", "), context.grants);
  if (problem !== undefined) throw new RolegateError(problem);
  const pin = values === undefined ? undefined : pinOf(context, setting);
  if (pin !== undefined) {
    const inForce = context.pinned?.get(setting);
    const given = setting === "search_path" ? values!.map(quoteSchema).join(", ") : values!.join(", ");
    if (inForce === undefined || !saysTheSame(setting, given, inForce, context.grants.role))
      throw new RolegateError(pinProblem(name, pin, inForce));
    // The default is the value in force: whatever was taken for the same, the session keeps what the rules stand on.
    replace(judgement, node, start, `SET ${set.is_local === true ? "LOCAL " : ""}${setting} TO DEFAULT`);
  }
  // One that is pinned has not moved by now.
  if (values !== undefined && pin === undefined && movesRules(setting)) judgement.sets.add(setting);
  if (setting !== "search_path") return { statementKind: verb, effect: none };
  const path = values?.map((schema) => (schema === "$user" ? context.grants.role : truncateName(schema)));
  const unknown = path && searchPathProblem(path, context);
  if (unknown !== undefined) throw new RolegateError(unknown);
  return { statementKind: verb, effect: { kind: "search-path", path, local: set.is_local === true } };
}

function quoteSchema(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Puts a statement of ours in the place of the one at hand. */
function replace(judgement: Judgement, node: Node, start: number, text: string): void {
  const { source } = judgement;
  const first = indexFrom(source, start);
  edit(judgement, startOf(source, first), endBefore(source, endIndex(source, first)), text);
  const parsed = judgement.context.parser.parse(text);
  if (parsed.kind !== "parsed") refuse("internal", "a rewritten SET does not parse");
  become(node, parsed.statements[0]!.stmt!);
}

/** Whoever guesses the name of a snapshot sees the database as of another session's transaction, rows since removed included. */
function foreignSnapshot(): never {
  refuse("statement_not_supported", "SET TRANSACTION SNAPSHOT is not supported here", {
    detail: "Snapshots are known by names that can be guessed, and belong to sessions of any identity.",
    hint: "Read in one transaction: REPEATABLE READ keeps what it sees (pg_dump without --jobs).",
  });
}

/**
 * `SET row_security = off` asks for an error in place of rows that a policy leaves out; pg_dump does so, to never write half a
 * table for a whole one. Row rules are such policies, so rolegate follows the setting itself: the server is never told.
 */
function setRowSecurity(
  judgement: Judgement,
  node: Node,
  set: VariableSetStmt,
  start: number,
  value: string | undefined,
): SessionChange {
  const on = value === undefined || ["on", "true", "yes", "1"].includes(value.toLowerCase());
  const off = value !== undefined && ["off", "false", "no", "0"].includes(value.toLowerCase());
  if (!on && !off)
    refuse("setting_invalid", 'parameter "row_security" requires a Boolean value', {
      detail: `found: ${value}`,
      hint: "Use on or off.",
    });
  if (set.is_local === true && (off || judgement.context.rowSecurity === "off"))
    refuse("setting_not_allowed", 'permission denied to set parameter "row_security" for a transaction', {
      detail: "It decides how statements are judged, for the session as a whole.",
      hint: "Use SET row_security, outside a transaction.",
    });
  const verb = set.kind === "VAR_RESET" ? "RESET" : "SET";
  // It only brings the command tag that the client waits for.
  const text =
    verb === "RESET" ? "RESET rolegate.role" : `SET rolegate.row_security = '${on ? "on" : "off"}'`;
  replace(judgement, node, start, text);
  return { statementKind: verb, effect: { kind: "row-security", value: on ? "on" : "off" } };
}

/**
 * `SET ROLE` moves to another database login, which the session does; what is sent in its place only brings the
 * command tag that the client waits for.
 */
export function changeRole(
  judgement: Judgement,
  node: Node,
  set: VariableSetStmt,
  start: number,
  verb: "SET" | "RESET",
): SessionChange {
  const { grants, roles, askable } = judgement.context;
  const role = set.kind === "VAR_SET_VALUE" && set.args?.length === 1 ? settingText(set.args[0]!) : undefined;
  if (set.is_local === true)
    refuse("role_not_allowed", "SET LOCAL ROLE is not allowed", {
      detail: "A role comes with rules and a login of its own, and lasts until it is changed again.",
      hint: "Use SET ROLE, outside a transaction.",
    });
  if (role !== undefined && !roles.has(role))
    refuse("role_not_allowed", `permission denied to set role "${role}"`, {
      detail: "No access entry lets this identity take the role.",
      hint: askable?.get(role) ?? `It may take: ${[...roles].toSorted().join(", ")}.`,
    });
  const text =
    verb === "RESET" ? "RESET rolegate.role" : `SET rolegate.role = ${quoteLiteral(role ?? grants.role)}`;
  replace(judgement, node, start, text);
  return { statementKind: `${verb} ROLE`, effect: { kind: "set-role", role } };
}

/** A value of SET as text, the way the server reads it. */
export function settingText(node: Node): string {
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

const discards: Readonly<Record<string, Effect>> = {
  DISCARD_ALL: { kind: "discard-all" },
  DISCARD_TEMP: { kind: "discard-temporary" },
};

const savepoints: Readonly<Record<string, "set" | "release" | "return">> = {
  TRANS_STMT_SAVEPOINT: "set",
  TRANS_STMT_RELEASE: "release",
  TRANS_STMT_ROLLBACK_TO: "return",
};

/** Temporary relations follow savepoints. */
function savepointEffect({ kind, savepoint_name: name = "" }: TransactionStmt): Effect {
  // What was defined in it is there from now on.
  if (kind === "TRANS_STMT_COMMIT_PREPARED") return changesDatabase();
  const does = savepoints[kind ?? ""];
  return does === undefined ? none : { kind: "savepoint", does, name };
}

function judgeDiscard(discard: DiscardStmt): SessionChange {
  return {
    statementKind: "DISCARD",
    effect: discards[discard.target ?? ""] ?? none,
  };
}
