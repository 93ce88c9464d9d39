import { createServer, type Socket } from "node:net";
import { errorResponse } from "../wire/error-fields.ts";

export type ListenOptions = {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Connections at one time, logged in or not; who comes above it is told so and closed. */
  readonly maxConnections: number;
  /** Called with each connection, which belongs to the callee then; nothing has been read from it yet. */
  readonly onConnection: (socket: Socket) => void;
  /** An accept that failed, such as EMFILE; at most one a second, however many fail. */
  readonly onError: (error: Error) => void;
};

export type Listener = {
  readonly address: string;
  readonly port: number;
  /** Stops accepting; connections that were accepted go on. Resolves once the port is free. */
  close(): Promise<void>;
};

/** How long a connection above the limit may take to read why it is closed, and how many may do so at one time. */
const farewellDeadline = 1_000;
const maxFarewells = 64;

const errorInterval = 1_000;

/**
 * Accepts TCP connections.
 * @throws Error of node:net if it cannot listen: the address is in use or not this machine's
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  let open = 0;
  let farewells = 0;
  let lastError = -Infinity;

  const server = createServer({ noDelay: true }, (socket) => {
    // A connection that is reset before anybody listens for it must not end the process.
    socket.on("error", () => undefined);
    if (open < options.maxConnections) {
      open++;
      socket.once("close", () => open--);
      options.onConnection(socket);
    } else if (farewells < maxFarewells) {
      farewells++;
      socket.once("close", () => farewells--);
      turnAway(socket);
    } else {
      socket.destroy();
    }
  });

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: options.host, port: options.port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  // Node goes on accepting after an error. Out of descriptors, libuv drops who waits, so this does not spin, but an
  // error for each of them would flood the log.
  server.on("error", (error) => {
    const now = performance.now();
    if (now - lastError < errorInterval) return;
    lastError = now;
    options.onError(error);
  });

  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the listener has no TCP address");
  return {
    address: address.address,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        // The callback of close would wait for every connection; the port itself is free at once.
        if (server.listening) server.close();
        setImmediate(resolve);
      }),
  };
}

/** Says why and closes. Clients take an ErrorResponse in place of the answer to their first packet. */
function turnAway(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), farewellDeadline);
  socket.once("close", () => clearTimeout(timer));
  // Read, for unread bytes would reset the connection before the client has seen the reason.
  socket.resume();
  socket.end(
    errorResponse({ code: "too_many_connections", message: "sorry, too many clients already" }, "FATAL"),
  );
}
