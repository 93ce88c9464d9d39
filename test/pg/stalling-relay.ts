import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export type StallingRelay = {
  readonly host: string;
  readonly port: number;
  /** Connections that were made through it so far. */
  readonly connections: number;
  /** New connections are accepted and nothing is passed on, until `go`. */
  stall(): void;
  go(): void;
  close(): Promise<void>;
};

/** A way to a server on which new connections can be held up. */
export async function startStallingRelay(target: { host: string; port: number }): Promise<StallingRelay> {
  const sockets = new Set<Socket>();
  const held: (() => void)[] = [];
  let stalled = false;
  let connections = 0;
  const server = createServer((near) => {
    connections++;
    const far = connect(target.port, target.host);
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
    far.pipe(near);
    const pass = () => void near.pipe(far);
    if (stalled) held.push(pass);
    else pass();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    stall: () => void (stalled = true),
    go: () => {
      stalled = false;
      for (const pass of held.splice(0)) pass();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
