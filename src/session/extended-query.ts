import type { Problem } from "../errors.ts";
import { errorResponse } from "../wire/error-fields.ts";
import type { FrameReader } from "../wire/frames.ts";
import { readBind, readExecute, readTarget } from "../wire/frontend.ts";
import { executeWithoutLimit, flush } from "../wire/frontend-rewrite.ts";
import { forward } from "./conversation.ts";
import { prepareEffects } from "./effects.ts";
import { Expect } from "./expected-replies.ts";
import { closedProblem, mustWait } from "./group.ts";
import { copyFrom, refused, type Runnable } from "./judged.ts";
import { missingName } from "./missing-name.ts";
import { unnamed } from "./names.ts";
import { refusedBind, refusedDescribePortal, refusedDescribeStatement, refusedExecute } from "./refused.ts";
import { fragmentOf, isUnrecorded } from "./simple-query.ts";
import { currentScope, type SessionState } from "./state.ts";
import { stillHolds } from "./still-holds.ts";
import { unrecorded } from "./verdict-of.ts";
import { Wait, waitFor } from "./wait.ts";

/** Bind: a portal runs what its statement was judged to be. */
export function bind(session: SessionState, reader: FrameReader): void {
  const { portal, statement } = readBind(reader.buffer, reader.start, reader.end);
  if (mustWait(session, session.statements, statement)) return;
  if (portal !== unnamed && mustWait(session, session.portals, portal)) return;
  const { expected, portals } = session;
  let runnable = session.statements.get(statement);
  let refusal: Buffer | undefined;
  if (runnable === undefined) refusal = missingName("statement", statement);
  else if (!currentScope(session).hasJudged(runnable.judged)) {
    const again = stillHolds(session, runnable);
    if (again === undefined) return;
    if ("code" in again) refusal = refuseRun(session, runnable, again);
    else {
      runnable = again;
      session.statements.renew(statement, again);
    }
  }
  const slot = expected.push(Expect.bind);
  expected.runnables[slot] = runnable;
  expected.refusals[slot] = refusal;
  expected.names[slot] = portal;
  expected.previous[slot] = portals.before(portal);
  if (runnable === undefined || refusal !== undefined) {
    expected.numbers[slot] = portals.close(portal, session.group);
    session.toServer.add(refusedBind);
    session.skipsRest = true;
    return;
  }
  expected.numbers[slot] = portals.set(portal, runnable, session.group);
  forward(session, reader);
}

/** Describe of a statement or portal. */
export function describe(session: SessionState, reader: FrameReader): void {
  const { target, name } = readTarget(reader.buffer, reader.start, reader.end);
  const isStatement = target === "statement";
  const names = isStatement ? session.statements : session.portals;
  if (mustWait(session, names, name)) return;
  const runnable = names.get(name);
  const { expected } = session;
  const slot = expected.push(isStatement ? Expect.describeStatement : Expect.describePortal);
  expected.runnables[slot] = runnable;
  if (runnable !== undefined) return forward(session, reader);
  expected.refusals[slot] = missingName(target, name);
  session.toServer.add(isStatement ? refusedDescribeStatement : refusedDescribePortal);
}

/** Execute: the statement goes on record each time that it runs. */
export function execute(session: SessionState, reader: FrameReader): void {
  const { buffer, start, end } = reader;
  const name = readExecute(buffer, start, end);
  if (mustWait(session, session.portals, name)) return;
  const runnable = session.portals.get(name);
  if (runnable === undefined) return refuseExecute(session, missingName("portal", name));
  const failure = closedProblem(session) ?? unrecordedProblem(session);
  if (failure !== undefined) return refuseExecute(session, refuseRun(session, runnable, failure));
  if (runnable.plain && !session.pathInTransaction) return run(session, runnable, reader);

  if (session.settled < session.group - 1) return waitFor(session, Wait.settled, true);
  const prepared = prepareEffects(session, [runnable]);
  if (prepared === "waiting") return;
  if (prepared !== undefined) return refuseExecute(session, refuseRun(session, runnable, prepared));
  run(session, runnable, reader);
  // What it does to the session is known with its reply, which a Flush brings without ending the group.
  session.toServer.add(flush);
  waitFor(session, runnable.statement?.statementKind === copyFrom ? Wait.copy : Wait.answered, false);
}

function run(session: SessionState, runnable: Runnable, reader: FrameReader): void {
  const { buffer, start, end } = reader;
  const { expected } = session;
  const slot = expected.push(Expect.execute);
  expected.runnables[slot] = runnable;
  expected.started[slot] = session.now;
  expected.limits[slot] = buffer.readInt32BE(end - 4);
  session.executed++;
  if (runnable.statement !== undefined) {
    expected.numbers[slot] = session.record.begin(fragmentOf(session, runnable));
    session.unwritten = true;
    session.counts.run++;
  }
  if (runnable.statement?.discardRows === true) session.toServer.add(executeWithoutLimit(buffer, start, end));
  else forward(session, reader);
}

function refuseExecute(session: SessionState, refusal: Buffer): void {
  const slot = session.expected.push(Expect.execute);
  session.expected.runnables[slot] = undefined;
  session.expected.refusals[slot] = refusal;
  session.toServer.add(refusedExecute);
}

/** Puts on record that a statement that was allowed when it was parsed is refused now. @returns the client's answer */
function refuseRun(session: SessionState, { judged, statement }: Runnable, problem: Problem): Buffer {
  const refusal = refused(judged.source, session.scope.context, problem, statement);
  session.counts.refused++;
  if (!isUnrecorded(refusal)) {
    session.record.begin(refusal.first.fragment);
    session.unwritten = true;
  }
  return errorResponse(problem, "ERROR");
}

/** Close of a statement or portal; closing what does not exist is no error. */
export function close(session: SessionState, reader: FrameReader): void {
  const { target, name } = readTarget(reader.buffer, reader.start, reader.end);
  const isStatement = target === "statement";
  const names = isStatement ? session.statements : session.portals;
  if (name !== unnamed && mustWait(session, names, name)) return;
  const { expected } = session;
  const slot = expected.push(isStatement ? Expect.closeStatement : Expect.closePortal);
  expected.names[slot] = name;
  expected.previous[slot] = names.before(name);
  expected.numbers[slot] = names.close(name, session.group);
  forward(session, reader);
}

function unrecordedProblem(session: SessionState): Problem | undefined {
  return unrecorded(session, "")?.problem;
}
