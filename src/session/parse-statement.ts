import type { Problem } from "../errors.ts";
import { oidConvertsColumns } from "../rewrite/reading/converting-parameters.ts";
import { makesDenied } from "../rewrite/calls/denied-calls.ts";
import { headerBytes } from "../wire/frame-table.ts";
import type { FrameReader } from "../wire/frames.ts";
import { readParse } from "../wire/frontend.ts";
import { parseWithSql } from "../wire/frontend-rewrite.ts";
import { endOfText, wireName } from "../wire/text.ts";
import { int16, message, text } from "../wire/writer.ts";
import { forward } from "./conversation.ts";
import { Expect } from "./expected-replies.ts";
import { longestStatement } from "./frame-tables.ts";
import { closedProblem, mustWait } from "./group.ts";
import { refused, sentSql, type Judged } from "./judged.ts";
import { mostNames, unnamed } from "./names.ts";
import { refusedSql } from "./refused.ts";
import { isUnrecorded } from "./simple-query.ts";
import type { SessionState } from "./state.ts";
import { tooLong, unrecorded, verdictOf } from "./verdict-of.ts";

/** Parse: the statement is judged here, and runs as judged however often it is bound. */
export function parse(session: SessionState, reader: FrameReader): void {
  const { buffer, start, end } = reader;
  if (reader.rest > 0) return parseTooLong(session, reader);
  const { name, sql, typesStart } = readParse(buffer, start, end);
  if (name !== unnamed && mustWait(session, session.statements, name)) return;
  const known = closedProblem(session) ?? tooManyProblem(session, name);
  let found = known === undefined ? verdictOf(session, sql) : refused(sql, session.scope.context, known);
  if (found !== undefined && movesTypes(found, buffer, typesStart)) found = verdictOf(session, sql, true);
  if (found === undefined) return;
  const problem = parameterProblem(found, buffer, typesStart);
  const judged = problem === undefined ? found : refused(sql, found.context, problem);
  if (judged.refusal !== undefined) refuseParse(session, name, unrecorded(session, sql) ?? judged);
  else expectParse(session, name, judged);
  const sent = sentSql(judged);
  if (sent !== undefined) session.toServer.add(parseWithSql(buffer, start, end, sent));
  else forward(session, reader);
}

/** A parameter is declared to be of a type for which conditions that were judged safe are not. */
function movesTypes({ first: { statement } }: Judged, buffer: Buffer, typesStart: number): boolean {
  if (statement === undefined || (!statement.trustsParameters && statement.castParameters.size === 0))
    return false;
  const count = buffer.readUInt16BE(typesStart);
  for (let index = 0; index < count; index++) {
    const oid = buffer.readUInt32BE(typesStart + 2 + 4 * index);
    if (statement.trustsParameters && oidConvertsColumns(oid)) return true;
    if (oid !== 0 && statement.castParameters.has(index + 1)) return true;
  }
  return false;
}

/** A parameter is declared to be of a type with which the statement would do more than was judged. */
function parameterProblem(
  { first, context }: Judged,
  buffer: Buffer,
  typesStart: number,
): Problem | undefined {
  const count = buffer.readUInt16BE(typesStart);
  for (let index = 0; index < count; index++) {
    const oid = buffer.readUInt32BE(typesStart + 2 + 4 * index);
    if (first.statement?.distrustedTypes.has(oid) === true || makesDenied(context, oid))
      return callingProblem;
  }
  return undefined;
}

const callingProblem: Problem = {
  code: "function_not_allowed",
  message: "a parameter of this type cannot be used in this statement",
  detail: "Its type would make the server call a function that the role file does not allow by name.",
  hint: "Leave the type of the parameter to the server, or have the function allowed under functions.allow.",
};

/** Only its name is looked at; what is sent in its place has no parameters. */
function parseTooLong(session: SessionState, reader: FrameReader): void {
  const { buffer, start, end } = reader;
  const nameEnd = endOfText(buffer, start + headerBytes, end);
  const name = wireName(buffer, start + headerBytes, nameEnd);
  if (name !== unnamed && mustWait(session, session.statements, name)) return;
  session.skipsRest = true;
  refuseParse(session, name, tooLong(session, reader.length, longestStatement));
  const nameBytes = buffer.subarray(start + headerBytes, nameEnd + 1);
  session.toServer.add(message("P", nameBytes, text(refusedSql, "statement"), int16(0)));
}

function refuseParse(session: SessionState, name: string, judged: Judged): void {
  expectParse(session, name, judged);
  session.counts.refused++;
  if (isUnrecorded(judged)) return;
  session.record.begin(judged.first.fragment);
  session.unwritten = true;
}

function expectParse({ expected, statements, group }: SessionState, name: string, judged: Judged): void {
  const slot = expected.push(Expect.parse);
  expected.judged[slot] = judged;
  expected.refusals[slot] = judged.refusal;
  expected.names[slot] = name;
  expected.previous[slot] = statements.before(name);
  expected.numbers[slot] = statements.set(name, judged.first, group);
}

function tooManyProblem({ statements }: SessionState, name: string): Problem | undefined {
  if (statements.size < mostNames || statements.get(name) !== undefined) return undefined;
  return {
    code: "statement_too_complex",
    message: `more than ${mostNames} prepared statements in one session`,
  };
}
