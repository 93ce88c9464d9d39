import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A way to a server that can be cut: connections break, or, frozen, go silent. */
export type CutRelay = {
  readonly port: number;
  cut(): Promise<void>;
  /** What is open stays open, and carries nothing any more; what is opened carries nothing either. */
  freeze(): void;
  restore(): Promise<void>;
  close(): Promise<void>;
};

export async function startRelay(target: {
  readonly host: string;
  readonly port: number;
}): Promise<CutRelay> {
  const sockets = new Set<Socket>();
  let frozen = false;
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("data", (bytes) => {
        if (!frozen) to.write(bytes);
      });
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        if (!frozen) to.destroy();
      });
    }
  });
  const listen = async (port: number): Promise<void> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  const stop = async (): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    cut: stop,
    freeze: () => {
      frozen = true;
    },
    restore: async () => {
      const wasFrozen = frozen;
      frozen = false;
      if (wasFrozen) for (const socket of sockets) socket.destroy();
      if (!server.listening) await listen(port);
    },
    close: async () => {
      if (server.listening) await stop();
    },
  };
}
