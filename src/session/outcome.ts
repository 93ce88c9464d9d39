import type { DatabaseMessage } from "../audit/entry.ts";
import { Expect, type ExpectedReplies } from "./expected-replies.ts";
import type { Failure } from "./server-error.ts";
import type { SessionState } from "./state.ts";

/** Puts on record how a statement ended. `started` in milliseconds; `failure` undefined: success. */
export function completeRun(
  session: SessionState,
  number: number,
  started: number,
  rows: number | undefined,
  failure: Failure | undefined,
): void {
  const micros = (session.now - started) * 1000;
  const { notices } = session;
  if (failure === undefined && notices === undefined)
    session.record.complete(number, { rows, micros, sqlstate: undefined, skipped: false });
  else {
    const { sqlstate, told: error, withheld } = failure ?? {};
    const told = { error, withheld: withheld === true, notices };
    session.record.complete(number, { rows, micros, sqlstate, skipped: false, ...told });
    session.notices = undefined;
    if (failure !== undefined) session.counts.failed++;
  }
  session.metrics.observe(micros);
}

/** Of the notices of one statement; a function can raise one for each row. */
const mostNotices = 10;

/** Keeps a notice that the client did not get until its statement completes. */
export function noteWithheld(session: SessionState, told: DatabaseMessage): void {
  const { notices = [] } = session;
  if (notices.length < mostNotices) session.notices = [...notices, told];
}

/** The Query at hand failed: at the statement that the replies are at, and the rest of its text with it. */
export function failQuery(session: SessionState, failure: Failure): void {
  const { expected } = session;
  const slot = expected.head;
  const { runs } = expected.judged[slot]!;
  if (session.statement < runs.length) {
    const number = expected.numbers[slot]! + session.statement++;
    completeRun(session, number, expected.started[slot]!, undefined, failure);
  }
  completeSkipped(session);
}

/** Statements of the Query at hand that have no reply never ran. */
export function completeSkipped(session: SessionState): void {
  const { expected } = session;
  const slot = expected.head;
  const { runs } = expected.judged[slot]!;
  for (; session.statement < runs.length; session.statement++)
    skip(session, expected.numbers[slot]! + session.statement);
}

/**
 * A message of the extended protocol failed: the server ignores what follows up to the next Sync. What was noted of
 * those messages when they were sent is taken back, the last first.
 */
export function failGroup(session: SessionState, failure: Failure): void {
  const { expected } = session;
  let failed = 0;
  while (failed < expected.length && expected.kinds[expected.slotAt(failed)] !== Expect.sync) failed++;
  session.skipping = failed === expected.length;
  const fault = faultyExecute(expected, failed);
  for (let offset = failed - 1; offset >= 0; offset--)
    takeBack(session, expected.slotAt(offset), offset === fault, failure);
  for (; failed > 0; failed--) expected.pop();
  // A Query that was ignored ends no group for the server, but did when it was sent: nobody must wait for its end.
  if (session.skipping) session.settled = session.group - 1;
}

/**
 * The offset of the Execute whose error this is: the one that failed, or the first that was to run what a failed Parse,
 * Bind or Describe was about (constants are computed at Bind, so many errors come there). -1 if there is none.
 */
function faultyExecute(expected: ExpectedReplies, length: number): number {
  const first = expected.head;
  const failed =
    expected.kinds[first] === Expect.parse ? expected.judged[first]?.first : expected.runnables[first];
  for (let offset = 0; offset < length; offset++) {
    const slot = expected.slotAt(offset);
    if (expected.kinds[slot] === Expect.execute && expected.runnables[slot] === failed) return offset;
  }
  return -1;
}

function takeBack(session: SessionState, slot: number, isFault: boolean, failure: Failure): void {
  const { expected, statements, portals } = session;
  const names = expected.names[slot]!;
  const number = expected.numbers[slot]!;
  switch (expected.kinds[slot]) {
    case Expect.parse:
    case Expect.closeStatement:
      return statements.undo(names, expected.previous[slot], number);
    case Expect.bind:
    case Expect.closePortal:
      return portals.undo(names, expected.previous[slot], number);
    case Expect.execute: {
      const run = expected.runnables[slot];
      if (run?.statement === undefined) return undefined;
      if (isFault) return completeRun(session, number, expected.started[slot]!, undefined, failure);
      return skip(session, number);
    }
    case Expect.query: {
      // Even a Query is ignored before the Sync.
      const count = expected.judged[slot]!.runs.length;
      for (let index = 0; index < count; index++) skip(session, number + index);
      return undefined;
    }
    default:
      return undefined;
  }
}

function skip(session: SessionState, number: number): void {
  session.record.complete(number, { rows: undefined, micros: 0, sqlstate: undefined, skipped: true });
}
