import type { FrameReader } from "../wire/frames.ts";
import { readFunctionOid, readQuery } from "../wire/frontend.ts";
import { query } from "../wire/frontend-rewrite.ts";
import { wireNameOf } from "../wire/text.ts";
import { prepareEffects } from "./effects.ts";
import { Expect } from "./expected-replies.ts";
import { longestStatement } from "./frame-tables.ts";
import { endGroup } from "./group.ts";
import { calledFunction } from "../rewrite/session/unrestricted.ts";
import { copyFrom, fragmentOfExecute, judgedAs, refused, type Judged, type Runnable } from "./judged.ts";
import { unnamed } from "./names.ts";
import { refusedFunctionCall, refusedSql } from "./refused.ts";
import type { SessionState } from "./state.ts";
import { tooLong, unrecorded, verdictOf } from "./verdict-of.ts";
import { Wait, waitFor } from "./wait.ts";

const refusedQuery = query(refusedSql);

/** Query: a text of any number of statements, which runs whole or not at all. */
export function simpleQuery(session: SessionState, reader: FrameReader): void {
  const { buffer, start, end } = reader;
  if (reader.rest > 0) {
    session.skipsRest = true;
    return send(session, tooLong(session, reader.length, longestStatement), undefined);
  }
  const source = readQuery(buffer, start, end);
  const judged = verdictOf(session, source);
  if (judged === undefined) return;
  const failure = unrecorded(session, source);
  if (failure !== undefined) return send(session, failure, undefined);
  if (judged.plain && !session.pathInTransaction) return send(session, judged, reader);

  if (session.settled < session.group - 1) return waitFor(session, Wait.settled, true);
  const prepared = prepareEffects(session, judged.runs);
  if (prepared === "waiting") return;
  if (prepared !== undefined)
    return send(session, refused(source, session.scope.context, prepared, judged.first.statement), undefined);
  send(session, judged, reader);
  const copies = judged.runs.some(({ statement }) => statement?.statementKind === copyFrom);
  waitFor(session, copies ? Wait.copy : Wait.answered, false);
}

/**
 * FunctionCall: names a function by OID, which no rule can judge. One that fails takes its place, unless the role has no
 * rules: libpq's and pgjdbc's large objects are such calls.
 */
export function functionCall(session: SessionState, reader: FrameReader): void {
  const { context } = session.scope;
  const oid = readFunctionOid(reader.buffer, reader.start, reader.end);
  if (context.grants.unrestricted !== undefined && oid !== undefined) {
    const source = `(FunctionCall ${oid})`;
    const failure = unrecorded(session, source);
    if (failure === undefined)
      return send(session, judgedAs(source, context, calledFunction(context.grants.unrestricted)), reader);
  }
  session.skipsRest = true;
  const problem = {
    code: "function_not_allowed",
    message: "the FunctionCall message is not allowed",
    detail: "It calls any function by its OID, past the rules of the role.",
    hint: "Call the function in a SELECT.",
  } as const;
  const judged = unrecorded(session, "") ?? refused("(FunctionCall)", session.scope.context, problem);
  record(session, judged);
  session.toServer.add(refusedFunctionCall);
  endGroup(session);
}

/** A text that is refused in the place of a message that could not be read. */
export function sendRefused(session: SessionState, judged: Judged): void {
  send(session, judged, undefined);
}

/** Puts the text on record, and notes that its replies are to come. */
function record(session: SessionState, judged: Judged): void {
  const { expected, record, counts } = session;
  const slot = expected.push(Expect.query);
  expected.judged[slot] = judged;
  expected.refusals[slot] = judged.refusal;
  expected.groups[slot] = session.group;
  expected.started[slot] = session.now;
  if (judged.refusal !== undefined) {
    counts.refused++;
    if (!isUnrecorded(judged)) record.begin(judged.first.fragment);
  }
  const { runs } = judged;
  counts.run += runs.length;
  for (let index = 0; index < runs.length; index++) {
    const number = record.begin(fragmentOf(session, runs[index]!));
    if (index === 0) expected.numbers[slot] = number;
  }
  session.unwritten ||= runs.length > 0 || (judged.refusal !== undefined && !isUnrecorded(judged));
}

/** Puts the text on record and sends it; `reader` holds the client's message if that may go as it is. */
function send(session: SessionState, judged: Judged, reader: FrameReader | undefined): void {
  const { toServer } = session;
  record(session, judged);
  const message = judged.refusal === undefined ? judged.query : refusedQuery;
  if (message !== undefined || reader === undefined) toServer.add(message ?? refusedQuery);
  else toServer.keep(reader.buffer, reader.start, reader.end);
  // The server drops its unnamed statement and portal at every Query.
  session.statements.close(unnamed, session.group);
  session.portals.close(unnamed, session.group);
  endGroup(session);
}

/** What goes on record of a statement that is about to run. */
export function fragmentOf(session: SessionState, run: Runnable): string {
  const effect = run.statement?.effect;
  if (effect?.kind !== "execute" && effect?.kind !== "explain-execute") return run.fragment;
  const prepared = session.statements.get(wireNameOf(effect.name))?.statement;
  return prepared === undefined ? run.fragment : fragmentOfExecute(run, prepared);
}

/** A refusal because the record cannot be written is not on record. */
export function isUnrecorded({ problem }: Judged): boolean {
  return problem?.code === "audit_unavailable";
}
