import type { Problem } from "../errors.ts";
import type { JudgedStatement } from "../rewrite/verdict.ts";
import { wireNameOf } from "../wire/text.ts";
import { preparedBySql, type Runnable } from "./judged.ts";
import { changePath, setPath } from "./followed-path.ts";
import { followDefinition, forgetTemporary } from "./local-objects.ts";
import { prepareRole } from "./role-change.ts";
import { currentScope, renewScope, type SessionState } from "./state.ts";
import { stillHolds } from "./still-holds.ts";

/**
 * Looks at what statements that are about to run do to the session. All earlier groups are settled by now.
 * @returns why they must not run; "waiting" if something has to be made ready first; undefined if they may
 */
export function prepareEffects(
  session: SessionState,
  runs: readonly Runnable[],
): Problem | "waiting" | undefined {
  const alone = session.executed === 0 && session.transaction === "I" && runs.length === 1;
  for (const [index, { statement }] of runs.entries()) {
    if (statement === undefined) continue;
    const outcome = prepareEffect(session, statement, { alone, last: index === runs.length - 1 });
    if (outcome !== undefined) return outcome;
  }
  return undefined;
}

/** Where a statement stands: outside a transaction by itself; as the last one of its text. */
type Place = { readonly alone: boolean; readonly last: boolean };

function prepareEffect(
  session: SessionState,
  { effect, statementKind, sets }: JudgedStatement,
  { alone, last }: Place,
): Problem | "waiting" | undefined {
  for (const setting of sets) session.touched.add(setting);
  switch (effect.kind) {
    case "set-role":
      return prepareRole(session, effect.role ?? session.firstRole, alone);
    case "discard-all":
      if (session.role.name === session.firstRole) return undefined;
      return prepareRole(session, session.firstRole, alone, true);
    case "search-path":
    case "reset-all":
      return last ? undefined : pathHere("as the last statement of its text");
    case "row-security":
      // Neither the end of a transaction nor an error behind it can then bring the old value back.
      if (!alone) return rowSecurityHere;
      session.closed = "row_security";
      return undefined;
    case "none":
    case "savepoint":
      if (!session.pathInTransaction || !endings.has(statementKind)) return undefined;
      session.closed = "search_path";
      return last ? undefined : pathHere("in a transaction that ends in a text of its own");
    case "execute":
    case "explain-execute":
      return prepareExecute(session, wireNameOf(effect.name));
    case "prepare":
    case "declare":
    case "deallocate":
    case "define":
    case "discard-temporary":
      break;
  }
  return undefined;
}

/** The server reads the text of what was prepared anew where its names may mean something else by now. */
function prepareExecute(session: SessionState, name: string): Problem | "waiting" | undefined {
  const prepared = session.statements.get(name);
  if (prepared === undefined || currentScope(session).hasJudged(prepared.judged)) return undefined;
  const again = stillHolds(session, prepared);
  if (again === undefined) return "waiting";
  if ("code" in again) return again;
  session.statements.renew(name, again);
  return undefined;
}

/** Statements that can bring back the search_path from before a transaction or savepoint. */
const endings: ReadonlySet<string> = new Set(["COMMIT", "ROLLBACK", "ROLLBACK TO", "PREPARE TRANSACTION"]);

const rowSecurityHere: Problem = {
  code: "setting_not_allowed",
  message: 'permission denied to set parameter "row_security" here',
  detail: "It can be changed outside a transaction, by a statement that is sent on its own.",
  hint: "Commit first.",
};

function pathHere(where: string): Problem {
  return {
    code: "statement_not_supported",
    message: `search_path can be changed here only ${where}`,
    detail: "rolegate must know the path under which each statement is read.",
    hint: "Send the statement on its own, or name the schema in the statements.",
  };
}

/** The server says that the statement is done: the session's state follows. */
export function applyEffect(session: SessionState, run: Runnable, statement: JudgedStatement): void {
  const { effect } = statement;
  switch (effect.kind) {
    case "none":
    case "execute":
    case "explain-execute":
    case "savepoint":
      return undefined;
    case "define":
      return followDefinition(session, effect);
    case "discard-temporary":
      return forgetTemporary(session);
    case "set-role":
      return confirmRole(session);
    case "discard-all":
      session.statements.clear();
      session.portals.clear();
      forgetTemporary(session);
      setPath(session, undefined);
      setRowSecurity(session, "on");
      return confirmRole(session);
    case "search-path":
      return setPathHere(session, effect.path, effect.local);
    case "reset-all":
      // In a transaction it could be undone, so the client has to say it once more.
      if (session.transaction === "I" && run.judged.runs.length === 1) setRowSecurity(session, "on");
      return setPathHere(session, undefined, false);
    case "row-security":
      return setRowSecurity(session, effect.value);
    case "prepare":
      session.statements.set(wireNameOf(effect.name), preparedBySql(run, effect.statement), session.settled);
      return undefined;
    case "declare":
      session.portals.set(
        wireNameOf(effect.name),
        preparedBySql(run, effect.statement),
        session.settled,
        effect.held,
      );
      return undefined;
    case "deallocate":
      if (effect.name === undefined) session.statements.clear();
      else session.statements.close(wireNameOf(effect.name), session.settled);
      return undefined;
  }
}

function setPathHere(session: SessionState, path: readonly string[] | undefined, local: boolean): void {
  session.pathInTransaction = true;
  session.pathBefore ??= session.searchPath;
  changePath(session, path, local);
}

function confirmRole({ change }: SessionState): void {
  if (change !== undefined) change.confirmed = true;
}

/** The group failed, and what it set with it. */
export function takeBackEffects(session: SessionState): void {
  session.locals.failed = true;
  session.followed.failed = true;
  if (session.pathBefore !== undefined) setPath(session, session.pathBefore);
  if (session.change !== undefined) session.change.confirmed = false;
}

function setRowSecurity(session: SessionState, value: "on" | "off"): void {
  const next = value === "off" ? value : undefined;
  if (next === session.rowSecurity) return;
  session.rowSecurity = next;
  renewScope(session);
}
