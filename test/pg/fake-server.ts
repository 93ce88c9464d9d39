import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { readStartupPacket } from "../../src/wire/startup.ts";
import { int16, int32, message, text } from "../../src/wire/writer.ts";

/** A server that says what the test tells it to, whatever it is told. */
export type FakeServer = {
  readonly port: number;
  /** Everything that clients sent, in order. */
  readonly received: Buffer[];
  close(): Promise<void>;
};

/** @param talk is called with each connection; it writes what it likes and reads with `heard`. */
export async function fakeServer(
  talk: (socket: Socket, heard: () => Promise<Buffer>) => Promise<void>,
): Promise<FakeServer> {
  const received: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    const heard = async () => {
      const [chunk] = (await once(socket, "data")) as [Buffer];
      received.push(chunk);
      return chunk;
    };
    talk(socket, heard).catch(() => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    received,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

const parameters = {
  server_encoding: "UTF8",
  client_encoding: "UTF8",
  standard_conforming_strings: "on",
} as const;

const [bool, textType] = [16, 25]; // pg_type.oid

/** A field of RowDescription: of no table, of variable length, in text. */
function column(name: string, type: number): Buffer {
  const [tableAndNumber, sizeAndModifier] = [Buffer.alloc(6), Buffer.alloc(6, 0xff)];
  return Buffer.concat([text(name, "name"), tableAndNumber, int32(type), sizeAndModifier, int16(0)]);
}

/** Messages of a server. */
export const tell = {
  authentication: (kind: number, ...rest: readonly Buffer[]) => message("R", int32(kind), ...rest),
  sasl: (...mechanisms: readonly string[]) =>
    message("R", int32(10), ...mechanisms.map((name) => text(name, "mechanism")), Buffer.of(0)),
  saslContinue: (data: string) => message("R", int32(11), Buffer.from(data)),
  ready: message("Z", Buffer.from("I")),
  parameter: (name: string, value: string) => message("S", text(name, "name"), text(value, "value")),
  notice: (words: string) => message("N", Buffer.from("M"), text(words, "message"), Buffer.of(0)),
  /** From AuthenticationOk to the first ReadyForQuery. */
  welcome: (changed: Readonly<Record<string, string>> = {}) =>
    Buffer.concat([
      message("R", int32(0)),
      ...Object.entries({ ...parameters, ...changed }).map(([name, value]) => tell.parameter(name, value)),
      message("K", int32(4711), int32(42)),
      tell.ready,
    ]),
  /** The answer to the question for the login's facts. */
  facts: (facts: Readonly<Record<string, string>>) =>
    Buffer.concat([
      message(
        "T",
        int16(Object.keys(facts).length),
        ...Object.entries(facts).map(([name, value]) => column(name, /^[tf]$/.test(value) ? bool : textType)),
      ),
      message(
        "D",
        int16(Object.keys(facts).length),
        ...Object.values(facts).map((value) => Buffer.concat([int32(value.length), Buffer.from(value)])),
      ),
      message("C", text("SELECT 1", "tag")),
    ]),
};

/** The parameters of a startup packet that a client sent. */
export function startupOf(packet: Buffer): ReadonlyMap<string, string> {
  const read = readStartupPacket(packet);
  if (read.kind !== "startup") throw new Error(`not a startup packet but ${read.kind}`);
  return read.parameters;
}
