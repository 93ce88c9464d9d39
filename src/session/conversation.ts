import { refuse } from "../errors.ts";
import { headerBytes } from "../wire/frame-table.ts";
import type { FrameReader } from "../wire/frames.ts";
import { copyData, endCopy } from "./copy.ts";
import { bind, close, describe, execute } from "./extended-query.ts";
import { sync } from "./group.ts";
import { parse } from "./parse-statement.ts";
import { functionCall, simpleQuery } from "./simple-query.ts";
import { malformed, problemOfMessage } from "./malformed.ts";
import type { SessionState } from "./state.ts";
import { Wait, waitFor } from "./wait.ts";

/** The messages of a client, by their type byte. The frame table lets no other through. */
const Q = 0x51;
const P = 0x50;
const B = 0x42;
const D = 0x44;
const E = 0x45;
const C = 0x43;
const S = 0x53;
const H = 0x48;
const F = 0x46;
const d = 0x64;
const c = 0x63;
const f = 0x66;
const X = 0x58;

/**
 * Takes the client's message that `reader` stands at: judges it, puts what may run on record, notes which replies to
 * expect, and adds what the server is to get to `session.toServer`. Where that has to wait, `session.wait` says for
 * what, and `session.again` whether the message is to be given here once more.
 * @throws RolegateError where the connection cannot go on
 */
export function receive(session: SessionState, reader: FrameReader): void {
  session.skipsRest = false;
  if (session.skipping && reader.type !== S && reader.type !== X) {
    session.skipsRest = true;
    return undefined;
  }
  try {
    take(session, reader);
  } catch (error) {
    malformed(session, reader.type, problemOfMessage(error));
  }
}

/** @throws RolegateError protocol_violation, before anything else, for a message that cannot be read */
function take(session: SessionState, reader: FrameReader): void {
  switch (reader.type) {
    case Q:
      return simpleQuery(session, reader);
    case P:
      return parse(session, reader);
    case B:
      return bind(session, reader);
    case D:
      return describe(session, reader);
    case E:
      return execute(session, reader);
    case C:
      return close(session, reader);
    case S:
      return sync(session, reader);
    case F:
      return functionCall(session, reader);
    case d:
      return copyData(session, reader);
    case c:
    case f:
      return endCopy(session, reader);
    case H:
      // While the server takes COPY data it ignores a Flush, and so do we.
      if (session.copyIn) return undefined;
      if (reader.length !== headerBytes) refuse("protocol_violation", "invalid message format");
      return forward(session, reader);
    case X:
      forward(session, reader);
      return waitFor(session, Wait.end, false);
    default:
      throw new TypeError(`no place for a message of type ${reader.type}`);
  }
}

/** The message goes to the server as it is. */
export function forward(session: SessionState, reader: FrameReader): void {
  session.toServer.keep(reader.buffer, reader.start, reader.end);
}
