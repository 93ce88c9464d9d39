import type { Problem } from "../errors.ts";
import { oidConvertsColumns } from "../rewrite/converting-parameters.ts";
import { headerBytes } from "../wire/frame-table.ts";
import type { FrameReader } from "../wire/frames.ts";
import { readParse } from "../wire/frontend.ts";
import { parseWithSql } from "../wire/frontend-rewrite.ts";
import { endOfText, wireName } from "../wire/text.ts";
import { int16, message, text } from "../wire/writer.ts";
import { forward } from "./conversation.ts";
import { Expect } from "./expected-replies.ts";
import { closedProblem, mustWait } from "./group.ts";
import { refused, type Judged } from "./judged.ts";
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
  const found = known === undefined ? verdictOf(session, sql) : refused(sql, session.scope.context, known);
  if (found === undefined) return;
  const judged = distrusts(found, buffer, typesStart)
    ? refused(sql, found.context, convertingProblem)
    : found;
  if (judged.refusal !== undefined) refuseParse(session, name, unrecorded(session, sql) ?? judged);
  else expectParse(session, name, judged);
  if (judged.sql !== undefined) session.toServer.add(parseWithSql(buffer, start, end, judged.sql));
  else forward(session, reader);
}

/** A parameter is declared to be of a type for which a condition that was judged safe is not. */
function distrusts({ first }: Judged, buffer: Buffer, typesStart: number): boolean {
  if (first.statement?.trustsParameters !== true) return false;
  const count = buffer.readUInt16BE(typesStart);
  for (let index = 0; index < count; index++)
    if (oidConvertsColumns(buffer.readUInt32BE(typesStart + 2 + 4 * index))) return true;
  return false;
}

const convertingProblem: Problem = {
  code: "statement_not_supported",
  message: "a parameter of type oid, xid or reg… cannot be used in this statement",
  detail: "Compared with it, columns of hidden rows would be converted, which could raise an error.",
  hint: "Declare the parameter as bigint, or leave its type to the server.",
};

/** Only its name is looked at; what is sent in its place has no parameters. */
function parseTooLong(session: SessionState, reader: FrameReader): void {
  const { buffer, start, end } = reader;
  const nameEnd = endOfText(buffer, start + headerBytes, end);
  const name = wireName(buffer, start + headerBytes, nameEnd);
  if (name !== unnamed && mustWait(session, session.statements, name)) return;
  session.skipsRest = true;
  refuseParse(session, name, tooLong(session, reader.length));
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
