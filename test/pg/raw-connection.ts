import type { Socket } from "node:net";
import { Client, type ClientConfig } from "pg";
import { loginPassword } from "./embedded-database.ts";
import { trace } from "../../src/wire/trace.ts";
import { int16, int32, message, text } from "../../src/wire/writer.ts";

/** Messages of a client, for conversations that no driver would have. */
export const say = {
  query: (sql: string) => message("Q", text(sql, "sql")),
  parse: (name: string, sql: string) => message("P", text(name, "name"), text(sql, "sql"), int16(0)),
  bind: (portal: string, statement: string, values: readonly (string | null)[] = []) =>
    message(
      "B",
      text(portal, "portal"),
      text(statement, "statement"),
      int16(0),
      int16(values.length),
      ...values.flatMap((value) =>
        value === null ? [int32(-1)] : [int32(Buffer.byteLength(value)), Buffer.from(value)],
      ),
      int16(0),
    ),
  describe: (target: "S" | "P", name: string) => message("D", Buffer.from(target), text(name, "name")),
  execute: (portal: string, limit = 0) => message("E", text(portal, "portal"), int32(limit)),
  close: (target: "S" | "P", name: string) => message("C", Buffer.from(target), text(name, "name")),
  sync: message("S"),
  flush: message("H"),
  terminate: message("X"),
  copyData: (data: string) => message("d", Buffer.from(data)),
  copyDone: message("c"),
  copyFail: (why: string) => message("f", text(why, "why")),
  functionCall: (oid: number) => message("F", int32(oid), int16(0), int16(0), int16(0)),
};

/** A statement in the extended protocol, without its Sync. */
export const extended = (sql: string): Buffer[] => [say.parse("", sql), say.bind("", ""), say.execute("")];

export type RawConnection = {
  readonly socket: Socket;
  /** Sends the messages in one write, and answers with a line for each reply up to the n-th ReadyForQuery. */
  ask(messages: readonly Buffer[], readyForQueries?: number): Promise<string[]>;
  /** The same up to a line that starts with `last`. */
  askUntil(messages: readonly Buffer[], last: string): Promise<string[]>;
  /** Everything that comes until the connection closes. */
  untilClosed(messages: readonly Buffer[]): Promise<string[]>;
  close(): void;
};

/** Logs in with node-postgres, then takes its socket: the messages are ours from there on. */
export async function connectRaw(config: ClientConfig): Promise<RawConnection> {
  const client = new Client(config);
  client.on("error", () => {});
  await client.connect();
  const socket = (client as unknown as { connection: { stream: Socket } }).connection.stream;
  for (const event of ["data", "error", "close", "end"]) socket.removeAllListeners(event);
  socket.on("error", () => {});
  let received = Buffer.alloc(0);
  let changed: (() => void) | undefined;
  let closed = false;
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    changed?.();
  });
  socket.on("close", () => {
    closed = true;
    changed?.();
  });
  const until = async (messages: readonly Buffer[], done: (lines: string[]) => boolean) => {
    if (messages.length > 0) socket.write(Buffer.concat(messages));
    for (;;) {
      const lines = trace(received, "server");
      if (done(lines) || closed) {
        received = Buffer.alloc(0);
        return lines;
      }
      await new Promise<void>((resolve) => (changed = resolve));
    }
  };
  return {
    socket,
    ask: (messages, readyForQueries = 1) =>
      until(
        messages,
        (lines) => lines.filter((line) => line.startsWith("ReadyForQuery")).length >= readyForQueries,
      ),
    askUntil: (messages, last) => until(messages, (lines) => lines.some((line) => line.startsWith(last))),
    untilClosed: (messages) => until(messages, () => closed),
    close: () => socket.destroy(),
  };
}

/** The lines with what names no type of message taken away, so that two servers' replies can be compared. */
export function kinds(lines: readonly string[]): string[] {
  return lines.map((line) => (line.startsWith("ReadyForQuery") ? line : line.split(" ")[0]!));
}

/** The same role through the proxy, as alice, and on the server itself, for conversations that must not differ. */
export async function connectBothWays(
  proxy: { readonly client: (user: string) => ClientConfig },
  { host, port, name }: { readonly host: string; readonly port: number; readonly name: string },
  role: string,
): Promise<[through: RawConnection, direct: RawConnection]> {
  const through = await connectRaw(proxy.client("alice"));
  const login = { user: `rolegate_${role}`, password: loginPassword, options: `-c role=${role}` };
  return [through, await connectRaw({ host, port, database: name, ...login })];
}
