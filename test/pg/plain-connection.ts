import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Everything that comes back on a plain connection of its own until the other side closes it.
 * @param pause milliseconds behind each byte; 0: all in one write
 */
export async function converse(port: number, bytes: Buffer, pause = 0): Promise<Buffer> {
  const socket = connect(port, "127.0.0.1");
  const answers: Buffer[] = [];
  socket.on("data", (chunk) => answers.push(chunk));
  socket.on("error", () => {});
  if (pause === 0) socket.write(bytes);
  else void trickle(socket, bytes, pause);
  await once(socket, "close");
  return Buffer.concat(answers);
}

async function trickle(socket: Socket, bytes: Buffer, pause: number): Promise<void> {
  for (const byte of bytes) {
    if (socket.destroyed) return;
    socket.write(Buffer.of(byte));
    await sleep(pause);
  }
}
