import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** Two ends of one connection over the loopback: what a listener accepted, and what connected to it. */
export async function socketPair(
  options: { allowHalfOpen?: boolean } = {},
): Promise<{ ours: Socket; peer: Socket }> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const accepted = once(server, "connection");
  const peer = connect({ port: address.port, host: "127.0.0.1", ...options });
  peer.on("error", () => undefined);
  const [[ours]] = (await Promise.all([accepted, once(peer, "connect")])) as [[Socket], unknown];
  server.close();
  return { ours, peer };
}

/** Waits until `check` is true. */
export async function until(check: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 2000; turn++) {
    if (check()) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`waited in vain until ${what}`);
}
