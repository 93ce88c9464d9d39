import { refuse } from "../errors.ts";
import { BodyReader } from "./reader.ts";

/** What each message of a server's login and of the answer to a simple query has to hold, by its type. */
const bodies: Readonly<Record<string, (body: BodyReader) => unknown>> = {
  R: (body) => authentication(body.int32(), body),
  S: (body) => [body.text(), body.text()],
  K: (body) => [body.int32(), body.bytes(body.remaining)],
  v: (body) => [body.int32(), texts(body.int32(), body)],
  Z: (body) => body.byte(),
  E: fields,
  N: fields,
  A: (body) => [body.int32(), body.text(), body.text()],
  T: (body) => times(body, () => [body.text(), body.bytes(18)]),
  D: (body) => times(body, () => body.value()),
  C: (body) => body.text(),
};

/**
 * Makes sure that the message in `buffer[start, end)`, of a server's login or of its answer to a simple query, holds
 * what the protocol says and nothing more. For readers that count on it: pg-protocol reads the fields of an
 * ErrorResponse without an end for ever.
 * @throws RolegateError protocol_violation
 */
export function assertWellFormed(buffer: Buffer, start: number, end: number): void {
  const read = bodies[String.fromCharCode(buffer[start]!)];
  if (read === undefined) refuse("protocol_violation", `message type ${buffer[start]} is not allowed here`);
  const body = new BodyReader(buffer, start, end);
  read(body);
  body.done();
}

/** A list that ends sooner than its count ends the message. */
function texts(count: number, body: BodyReader): void {
  for (let read = 0; read < count; read++) body.text();
}

function authentication(kind: number, body: BodyReader): void {
  const sasl = 10;
  // The names of mechanisms, and an empty one behind the last; of all others the rest is one piece.
  if (kind === sasl) while (body.text().length > 0);
  else body.bytes(body.remaining);
}

function fields(body: BodyReader): void {
  while (body.byte() !== 0) body.text();
}

function times(body: BodyReader, one: () => unknown): void {
  for (let count = body.uint16(); count > 0; count--) one();
}
