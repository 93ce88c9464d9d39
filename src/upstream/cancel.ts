import type { UpstreamTarget } from "../config/config.ts";
import { cancelRequest, type CancelKey } from "../wire/cancel-request.ts";
import { HandshakeConnection } from "./handshake-connection.ts";

const deadline = 10_000; // ms

/**
 * Sends a CancelRequest on a connection of its own, over TLS where the target uses TLS, and resolves when the server
 * has closed it, which it does after it has signalled the backend: what the backend runs later is not hit.
 * @throws Error if the server cannot be reached in time
 */
export function sendCancel(target: UpstreamTarget, key: CancelKey): Promise<void> {
  return new Promise((resolve, reject) => {
    const connection = new HandshakeConnection(target, 0) as HandshakeConnection & {
      connect(port: number | string, host?: string): void;
      requestSsl(): void;
    };
    let sent = false;
    const send = () => {
      connection.socketInUse.write(cancelRequest(key));
      sent = true;
    };
    const timer = setTimeout(() => connection.stream.destroy(new Error("cancel timed out")), deadline);
    connection.on("error", (error: Error) => {
      clearTimeout(timer);
      connection.stream.destroy();
      // A server that closes at once resets a connection on which bytes are still under way.
      if (sent) resolve();
      else reject(error);
    });
    connection.on("end", () => {
      clearTimeout(timer);
      if (sent) resolve();
      else reject(new Error("the server closed the connection before the cancel request"));
    });
    connection.on("connect", () => (target.tls === undefined ? send() : connection.requestSsl()));
    connection.on("sslconnect", send);
    if (target.host.startsWith("/")) connection.connect(`${target.host}/.s.PGSQL.${target.port}`);
    else connection.connect(target.port, target.host);
  });
}
