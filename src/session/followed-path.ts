import { refuse } from "../errors.ts";
import type { Effect, JudgedStatement } from "../rewrite/verdict.ts";
import { headerBytes } from "../wire/frame-table.ts";
import type { FrameReader } from "../wire/frames.ts";
import { mostNames } from "./names.ts";
import { renewScope, type SessionState } from "./state.ts";

/**
 * The search_path of a session on a server that does not report it (below 18), through transactions and savepoints as
 * AtEOXact_GUC of guc.c does it: a commit leaves what SET without LOCAL left, a rollback what was there before.
 */
export type FollowedPath = {
  /** The path with which the open transaction began; undefined: it was not changed in it. */
  before: readonly string[] | undefined;
  /** What a commit leaves. */
  lasting: readonly string[];
  savepoints: {
    readonly name: string;
    readonly path: readonly string[];
    readonly lasting: readonly string[];
  }[];
  /** What the group at hand did was taken back. */
  failed: boolean;
};

export function followPath(path: readonly string[]): FollowedPath {
  return { before: undefined, lasting: path, savepoints: [], failed: false };
}

/** SET search_path is done. */
export function changePath(session: SessionState, path: readonly string[] | undefined, local: boolean): void {
  const { followed } = session;
  const next = path ?? session.role.searchPath;
  if (followed.before === undefined) {
    followed.before = session.searchPath;
    followed.lasting = session.searchPath;
  }
  if (!local) followed.lasting = next;
  setPath(session, next);
}

const R = 0x52;
const ends: ReadonlySet<string> = new Set(["COMMIT", "ROLLBACK", "PREPARE TRANSACTION"]);

/**
 * A statement is done: one about a part of a transaction, or its end, behind which another may have begun (AND CHAIN).
 * @param reader stands at its CommandComplete: of a failed transaction it says ROLLBACK whatever was asked for.
 */
export function followStatement(
  session: SessionState,
  { statementKind, effect }: JudgedStatement,
  reader: FrameReader,
): void {
  if (effect.kind === "savepoint") followSavepoint(session, effect);
  else if (session.pathInTransaction && ends.has(statementKind))
    settle(session, reader.buffer[reader.start + headerBytes] === R);
}

function followSavepoint(
  session: SessionState,
  { does, name }: Extract<Effect, { kind: "savepoint" }>,
): void {
  const { followed, searchPath } = session;
  if (does === "set") {
    const lasting = followed.before === undefined ? searchPath : followed.lasting;
    followed.savepoints.push({ name, path: searchPath, lasting });
    if (followed.savepoints.length > mostNames)
      refuse("statement_too_complex", `more than ${mostNames} savepoints in one transaction`);
    return;
  }
  const index = followed.savepoints.findLastIndex((savepoint) => savepoint.name === name);
  const savepoint = followed.savepoints[index];
  if (savepoint === undefined) return;
  followed.savepoints.length = does === "release" ? index : index + 1;
  if (does === "release" || followed.before === undefined) return;
  followed.lasting = savepoint.lasting;
  setPath(session, savepoint.path);
}

/** ReadyForQuery: outside a transaction there is nothing left to take back. */
export function settlePath(session: SessionState): void {
  const { followed, transaction } = session;
  const changed = followed.before !== undefined || followed.savepoints.length > 0;
  if (changed && transaction === "I") settle(session, followed.failed);
  followed.failed = false;
}

function settle(session: SessionState, takenBack: boolean): void {
  const { followed } = session;
  const { before, lasting } = followed;
  followed.before = undefined;
  followed.savepoints = [];
  if (before !== undefined) setPath(session, takenBack ? before : lasting);
}

/** Undefined: the path that the session began with. */
export function setPath(session: SessionState, path: readonly string[] | undefined): void {
  const next = path ?? session.role.searchPath;
  if (samePath(next, session.searchPath)) return;
  session.searchPath = next;
  renewScope(session);
}

function samePath(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((schema, index) => schema === other[index]);
}
