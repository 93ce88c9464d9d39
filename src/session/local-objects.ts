import {
  changeLocal,
  hasLocal,
  nothingLocal,
  temporaryOnly,
  withTemporaryOf,
  type LocalObjects,
} from "../catalog/local-objects.ts";
import type { Effect } from "../rewrite/verdict.ts";
import { headerBytes } from "../wire/frame-table.ts";
import type { FrameReader } from "../wire/frames.ts";
import { renewScope, type SessionState } from "./state.ts";

/**
 * What a session has made or changed beside the catalog. Temporary relations follow the transaction exactly, because
 * nothing else tells of them. What it defined in the database stays until a catalog was read that began after the
 * transaction: that a name is taken and its columns are not known harms nobody, the other way round would.
 */
export type Locals = {
  now: LocalObjects;
  /** As the open transaction began, and at its savepoints. */
  before: LocalObjects;
  savepoints: { readonly name: string; readonly local: LocalObjects }[];
  /** Temporary relations that go when the transaction is committed. */
  untilCommit: string[];
  /** Grows with every definition in the database. */
  defined: number;
  /** The number that the catalog has been read behind. */
  read: number;
  /** An error came in the group at hand, which takes an implicit transaction back. */
  failed: boolean;
};

export function noLocals(): Locals {
  return {
    now: nothingLocal,
    before: nothingLocal,
    savepoints: [],
    untilCommit: [],
    defined: 0,
    read: 0,
    failed: false,
  };
}

/** A definition is done. */
export function followDefinition(
  session: SessionState,
  { changes, ofDatabase }: Extract<Effect, { kind: "define" }>,
): void {
  const { locals } = session;
  for (const change of changes) {
    const temporary = change.kind === "relation" && change.untilCommit ? [change.relation.name] : [];
    locals.untilCommit.push(...temporary);
  }
  if (ofDatabase) locals.defined++;
  setLocal(session, changes.reduce(changeLocal, locals.now));
}

/** All temporary relations are gone, whatever becomes of the transaction. */
export function forgetTemporary(session: SessionState): void {
  const { locals } = session;
  locals.before = withTemporaryOf(locals.before, nothingLocal);
  locals.savepoints = [];
  locals.untilCommit = [];
  setLocal(session, withTemporaryOf(locals.now, nothingLocal));
}

/** The session goes on with another connection, which has nothing of this one's. */
export function beginConnection(session: SessionState): void {
  forgetTemporary(session);
  const { locals } = session;
  locals.now = { ...locals.now, views: new Set() };
  if (!hasLocal(locals.now)) locals.now = nothingLocal;
  locals.before = locals.now;
}

/** True while there is something to follow transactions for. */
export function hasLocals({ locals }: SessionState): boolean {
  return locals.now !== nothingLocal || locals.before !== nothingLocal;
}

const R = 0x52;
const P = 0x50;

/**
 * A statement that begins or ends a part of a transaction is done.
 * @param reader stands at its CommandComplete: the COMMIT of a failed transaction says ROLLBACK there.
 */
export function followTransaction(
  session: SessionState,
  kind: string,
  effect: Effect,
  reader: FrameReader,
): void {
  const { locals } = session;
  if (effect.kind === "savepoint") return followSavepoint(session, effect);
  if (kind !== "COMMIT" && kind !== "ROLLBACK" && kind !== "PREPARE TRANSACTION") return;
  const tag = reader.buffer[reader.start + headerBytes];
  if (tag === R || tag === P) setLocal(session, withTemporaryOf(locals.now, locals.before));
  else commit(session);
  locals.untilCommit = [];
  locals.savepoints = [];
}

function followSavepoint(
  session: SessionState,
  { does, name }: Extract<Effect, { kind: "savepoint" }>,
): void {
  const { locals } = session;
  if (does === "set") {
    locals.savepoints.push({ name, local: locals.now });
    return;
  }
  const index = locals.savepoints.findLastIndex((savepoint) => savepoint.name === name);
  // One that was set before there was anything to follow.
  const local = locals.savepoints[index]?.local ?? locals.before;
  locals.savepoints.length = does === "release" ? Math.max(index, 0) : index + 1;
  if (does === "return") setLocal(session, withTemporaryOf(locals.now, local));
}

/** ReadyForQuery: outside a transaction, what was done in the group at hand is done, or taken back. */
export function settleLocal(session: SessionState): void {
  const { locals, transaction } = session;
  const { failed } = locals;
  locals.failed = false;
  if (transaction !== "I" || !hasLocals(session)) return;
  if (failed) setLocal(session, withTemporaryOf(locals.now, locals.before));
  else commit(session);
  locals.untilCommit = [];
  locals.savepoints = [];
}

function commit(session: SessionState): void {
  const { locals } = session;
  const gone = locals.untilCommit.map((name) => ({ kind: "dropped", name }) as const);
  if (gone.length > 0) setLocal(session, gone.reduce(changeLocal, locals.now));
  locals.before = locals.now;
}

/** Something was defined that no catalog shows yet, and nothing is open that a catalog could not show. */
export function wantsCatalog({ locals, transaction }: SessionState): boolean {
  return locals.read < locals.defined && transaction === "I";
}

/** A catalog was read that began behind the definition of this number, which was committed by then or taken back. */
export function catalogRead(session: SessionState, defined: number): void {
  const { locals } = session;
  if (locals.defined !== defined || locals.read === defined) return;
  locals.read = defined;
  locals.before = temporaryOnly(locals.before);
  setLocal(session, temporaryOnly(locals.now));
}

function setLocal(session: SessionState, local: LocalObjects): void {
  if (local === session.locals.now) return;
  session.locals.now = local;
  renewScope(session);
}
