import { RolegateError } from "../errors.ts";
import { noData, readReadyForQuery, readRowCount } from "../wire/backend.ts";
import { functionCallKind } from "../rewrite/session/unrestricted.ts";
import { nothingQuotable, unknownQuotable } from "../rewrite/quotable.ts";
import type { JudgedStatement } from "../rewrite/verdict.ts";
import type { FrameReader } from "../wire/frames.ts";
import { wireNameOf } from "../wire/text.ts";
import { applyEffect, takeBackEffects } from "./effects.ts";
import { Expect } from "./expected-replies.ts";
import type { Runnable } from "./judged.ts";
import { followStatement, setPath, settlePath } from "./followed-path.ts";
import { followTransaction, hasLocals, settleLocal } from "./local-objects.ts";
import { completeRun, completeSkipped, failGroup, failQuery, noteWithheld } from "./outcome.ts";
import { reportParameter } from "./parameters.ts";
import { completeRoleChange } from "./role-change.ts";
import { readServerError, readServerNotice } from "./server-error.ts";
import type { Cover } from "./what-passes.ts";
import type { SessionState } from "./state.ts";

/** The messages of a server, by their type byte; CopyData, DataRow and notifications pass unseen. */
const parseComplete = 0x31;
const bindComplete = 0x32;
const closeComplete = 0x33;
const t = 0x74;
const T = 0x54;
const n = 0x6e;
const D = 0x44;
const C = 0x43;
const I = 0x49;
const s = 0x73;
const E = 0x45;
const N = 0x4e;
const Z = 0x5a;
const G = 0x47;
const V = 0x56;
const S = 0x53;

/**
 * Takes the server's message that `reader` stands at: matches it with what is expected, notes outcomes on record, and
 * adds what the client is to get to `session.toClient`.
 * @throws RolegateError internal if the server answers what was not asked: whose reply it is would be a guess
 */
export function relay(session: SessionState, reader: FrameReader): void {
  session.skipsReply = false;
  const kind = session.expected.headKind;
  switch (reader.type) {
    case parseComplete:
      return done(session, reader, kind === Expect.parse);
    case bindComplete:
      return done(session, reader, kind === Expect.bind);
    case closeComplete:
      return done(session, reader, kind === Expect.closeStatement || kind === Expect.closePortal);
    case t:
      return pass(session, reader, kind === Expect.describeStatement);
    case n:
      return done(session, reader, kind === Expect.describeStatement || kind === Expect.describePortal);
    case T:
      return rowDescription(session, reader, kind);
    case D:
      return hide(session);
    case C:
      return commandComplete(session, reader, kind, readRowCount(reader.buffer, reader.start, reader.end));
    case V:
      return functionResult(session, reader, kind);
    case I:
      if (kind === Expect.query) return pass(session, reader, true);
      return done(session, reader, kind === Expect.execute);
    case s: {
      const { expected } = session;
      return commandComplete(
        session,
        reader,
        kind === Expect.execute ? kind : 0,
        expected.limits[expected.head],
      );
    }
    case E:
      return errorResponse(session, reader, kind);
    case N: {
      const { answer, withheld } = readServerNotice(reader, coverOf(session, kind));
      if (withheld !== undefined) noteWithheld(session, withheld);
      if (answer === undefined) return hide(session);
      return session.toClient.add(answer);
    }
    case Z:
      return readyForQuery(session, reader);
    case G:
      session.copyIn = true;
      // Nothing was sent behind it, so that it is known what the server will ignore (copy.ts).
      return pass(session, reader, session.expected.length === 1 && isRunning(kind));
    case S:
      return reportParameter(session, reader);
    default:
      throw new TypeError(`no place for a message of type ${reader.type}`);
  }
}

/** True if rows that come now are those of a RETURNING that the client did not write. */
export function hidesRows(session: SessionState): boolean {
  const { expected } = session;
  const kind = expected.headKind;
  if (kind === Expect.execute) return isHidden(session, expected.runnables[expected.head]);
  if (kind === Expect.query)
    return isHidden(session, expected.judged[expected.head]!.runs[session.statement]);
  return false;
}

function isHidden(session: SessionState, run: Runnable | undefined): boolean {
  return executed(session, run)?.discardRows === true;
}

/** The statement that a run executes: for an SQL `EXECUTE` the prepared one. */
function executed(session: SessionState, run: Runnable | undefined): JudgedStatement | undefined {
  const statement = run?.statement;
  if (statement?.effect.kind !== "execute") return statement;
  return session.statements.get(wireNameOf(statement.effect.name))?.statement ?? statement;
}

function isRunning(kind: number): boolean {
  return kind === Expect.query || kind === Expect.execute;
}

/** A reply that ends its expectation. */
function done(session: SessionState, reader: FrameReader, expected: boolean): void {
  pass(session, reader, expected);
  session.expected.pop();
}

function pass(session: SessionState, reader: FrameReader, expected: boolean): void {
  if (!expected) throw outOfTurn(reader.type);
  session.toClient.keep(reader.buffer, reader.start, reader.end);
}

function hide(session: SessionState): void {
  session.skipsReply = true;
}

function rowDescription(session: SessionState, reader: FrameReader, kind: number): void {
  const { expected } = session;
  if (kind === Expect.describeStatement || kind === Expect.describePortal) {
    const hidden = isHidden(session, expected.runnables[expected.head]);
    if (!hidden) return done(session, reader, true);
    hide(session);
    session.toClient.add(noData);
    return expected.pop();
  }
  if (kind === Expect.query && hidesRows(session)) return hide(session);
  return pass(session, reader, isRunning(kind));
}

/** CommandComplete, or PortalSuspended. */
function commandComplete(
  session: SessionState,
  reader: FrameReader,
  kind: number,
  rows: number | undefined,
): void {
  const { expected } = session;
  const slot = expected.head;
  pass(session, reader, isRunning(kind));
  const run =
    kind === Expect.execute ? expected.runnables[slot] : expected.judged[slot]!.runs[session.statement];
  if (hasLocals(session) && run?.statement !== undefined)
    followTransaction(session, run.statement.statementKind, run.statement.effect, reader);
  if (session.reportedPath === undefined && run?.statement !== undefined)
    followStatement(session, run.statement, reader);
  if (kind === Expect.execute) {
    expected.pop();
    finish(session, run, expected.numbers[slot]!, expected.started[slot]!, rows);
  } else {
    const index = session.statement++;
    finish(session, run, expected.numbers[slot]! + index, expected.started[slot]!, rows);
  }
}

/** FunctionCallResponse: the call has no CommandComplete. */
function functionResult(session: SessionState, reader: FrameReader, kind: number): void {
  const { expected } = session;
  const slot = expected.head;
  const run = kind === Expect.query ? expected.judged[slot]!.runs[session.statement] : undefined;
  pass(session, reader, run?.statement?.statementKind === functionCallKind);
  finish(session, run, expected.numbers[slot]! + session.statement++, expected.started[slot]!, undefined);
}

function finish(
  session: SessionState,
  run: Runnable | undefined,
  number: number,
  started: number,
  rows: number | undefined,
): void {
  // A command that no judged statement stands for: whatever ran, it is not what was put on record.
  if (run?.statement === undefined) throw outOfTurn(C);
  if (run.statement.hides) session.touchedHidden = true;
  completeRun(session, number, started, rows, undefined);
  if (!run.plain) applyEffect(session, run, run.statement);
}

function errorResponse(session: SessionState, reader: FrameReader, kind: number): void {
  const { expected } = session;
  const slot = expected.head;
  const refusal = kind === 0 ? undefined : expected.refusals[slot];
  const { fatal, answer, failure } = readServerError(reader, refusal, coverOf(session, kind));
  session.toClient.add(answer);
  if (reader.rest > 0) hide(session);
  // The server closes the connection now; nothing that is outstanding has an outcome.
  if (fatal) {
    session.fatal = true;
    return;
  }
  session.copyIn = false;
  if (kind === 0) throw outOfTurn(E);
  takeBackEffects(session);
  // Behind the error of a Query or a Sync (its commit failed) comes ReadyForQuery; nothing is skipped.
  if (kind === Expect.query) failQuery(session, failure);
  else if (kind !== Expect.sync) failGroup(session, failure);
  else session.record.commitFailed(failure.sqlstate, failure.told ?? {});
}

/** What the rules have to do with a message of the server's about the statement at hand. */
function coverOf(session: SessionState, kind: number): Cover {
  const { expected } = session;
  if (kind === 0) return openly;
  // What fails at the end of a transaction was held back by any statement of it.
  if (kind === Expect.sync)
    return {
      ...openly,
      hides: session.touchedHidden,
      quotable: unknownQuotable,
      rules: session.scope.context,
    };
  const slot = expected.head;
  const judged = expected.judged[slot];
  const text = kind === Expect.query || kind === Expect.parse;
  const run = text
    ? (judged?.runs[kind === Expect.query ? session.statement : 0] ?? judged?.first)
    : expected.runnables[slot];
  const statement = executed(session, run);
  return {
    rewritten: run?.judged.query !== undefined,
    // A Query outside a transaction ends what the statements before began, and what they put off comes out then.
    hides: statement?.hides === true || (kind === Expect.query && session.touchedHidden),
    quotable: statement?.quotable ?? nothingQuotable,
    hints: statement?.hints ?? openly.hints,
    early: kind !== Expect.query && kind !== Expect.execute,
    rules: run?.judged.context,
  };
}

/** Nothing of the client's is running. */
const openly: Cover = {
  rewritten: false,
  hides: false,
  quotable: nothingQuotable,
  hints: new Map(),
  early: false,
  rules: undefined,
};

/** The end of a Query or of a Sync. */
function readyForQuery(session: SessionState, reader: FrameReader): void {
  const { expected } = session;
  const kind = expected.headKind;
  if (kind !== Expect.query && kind !== Expect.sync) throw outOfTurn(Z);
  if (kind === Expect.query) completeSkipped(session);
  session.settled = expected.groups[expected.head]!;
  expected.pop();
  session.statement = 0;
  session.touchedHidden = false;
  session.copyIn = false;
  session.transaction = readReadyForQuery(reader.buffer, reader.start, reader.end);
  session.statements.settle(session.settled);
  session.portals.settle(session.settled);
  settleLocal(session);
  settlePath(session);
  session.pathBefore = undefined;
  if (session.reportedPath !== undefined) setPath(session, session.reportedPath);
  if (session.transaction === "I") {
    session.pathInTransaction = false;
    session.portals.forgetUntil(session.settled);
  }
  completeRoleChange(session);
  session.toClient.keep(reader.buffer, reader.start, reader.end);
}

function outOfTurn(type: number): RolegateError {
  const message = `the database answered out of turn (message type ${type})`;
  return new RolegateError({ code: "internal", message });
}
