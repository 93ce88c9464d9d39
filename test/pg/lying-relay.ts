import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { type Chance, mutateBody, mutateMore, split } from "../properties/fuzz/mutations.ts";

/** A way to a server on which what the server says is changed, from the client's word on. */
export type LyingRelay = {
  readonly host: string;
  readonly port: number;
  /** Where the changes of the connections that come from now on are drawn from. */
  chance: Chance | undefined;
  /** Messages of servers that lie, so far. */
  messages: number;
  close(): Promise<void>;
};

/** How long a server that lies keeps its connection, in milliseconds. */
const lifetime = 700;

/** @param word what a client has to say before its server begins to lie. */
export async function startLyingRelay(
  target: { readonly host: string; readonly port: number },
  word: string,
): Promise<LyingRelay> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target.port, target.host);
    const { chance } = relay;
    let lies = false;
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    near.on("data", (chunk) => {
      if (!lies && chunk.includes(word)) {
        lies = true;
        // Who waits for the rest of a lie is not to wait for ever.
        setTimeout(() => far.destroy(), lifetime).unref();
      }
      far.write(chunk);
    });
    far.on("data", (chunk) => {
      const told = lies && chance !== undefined ? lie(chunk, chance, relay) : [chunk];
      for (const piece of told) near.write(piece);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const relay: LyingRelay = {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    chance: undefined,
    messages: 0,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
  return relay;
}

/** The server's messages with some of them changed, left out, said twice; now and then the frames are changed too. */
function lie(bytes: Buffer, chance: Chance, count: { messages: number }): Buffer[] {
  const told: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.length - at < 5 ? bytes.length : 1 + bytes.readUInt32BE(at + 1);
    const message = bytes.subarray(at, at + length);
    at += length;
    count.messages++;
    const what = chance.below(24);
    if (what === 0) told.push(mutateMore(message, chance));
    else if (what === 1) told.push(message, message);
    else if (what < 5 && message.length >= 5) told.push(mutateBody(message, chance));
    else if (what !== 5) told.push(message);
  }
  return split(Buffer.concat(told), chance);
}
