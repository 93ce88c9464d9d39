import type { Socket } from "node:net";

/**
 * Closes a connection by a reset: whoever is at the other end cannot send any more, and so notices at its next try that it
 * works for nobody. A close in order would let it take what it has been sent for something that is still wanted.
 * @param transport what `socket` runs on, where it is TLS; else the same
 */
export function reset(socket: Socket, transport: Socket): void {
  if (socket.destroyed) return;
  // TLS closes what it runs on by itself, and Node does not survive the other order in one turn (tls.ts).
  const destroy = transport.destroy.bind(transport);
  transport.destroy = (error?: Error) => {
    transport.destroy = destroy;
    return overTcp(transport) ? transport.resetAndDestroy() : destroy(error);
  };
  socket.destroy();
}

/** A Unix socket has no reset, and needs none: it tells at once. */
function overTcp(socket: Socket): boolean {
  return socket.remoteFamily !== undefined;
}
