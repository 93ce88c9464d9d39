import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { listen, type Listener } from "../../../src/net/listen.ts";
import { trace } from "../../../src/wire/trace.ts";
import { until } from "./socket-pair.ts";

const clients: Socket[] = [];
const accepted: Socket[] = [];
let listener: Listener | undefined;
afterEach(async () => {
  for (const socket of [...clients.splice(0), ...accepted.splice(0)]) socket.destroy();
  await listener?.close();
});

async function start(maxConnections = 10): Promise<Listener> {
  listener = await listen({
    host: "127.0.0.1",
    port: 0,
    maxConnections,
    onConnection: (socket) => accepted.push(socket),
    onError: (error) => {
      throw error;
    },
  });
  return listener;
}

async function dial(port: number): Promise<{ socket: Socket; received: () => Buffer }> {
  const socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => undefined);
  clients.push(socket);
  await once(socket, "connect");
  return { socket, received: () => Buffer.concat(chunks) };
}

describe("a listener", () => {
  test("hands over connections and says where it listens", async () => {
    const { address, port } = await start();
    expect(address).toBe("127.0.0.1");
    const { socket } = await dial(port);
    await until(() => accepted.length === 1, "the connection is accepted");
    expect(accepted[0]!.remotePort).toBe(socket.localPort);
  });

  test("tells who comes above the limit why, though it sends its first packet, and takes others again later", async () => {
    const { port } = await start(1);
    await dial(port);
    await until(() => accepted.length === 1, "the connection is accepted");
    const second = await dial(port);
    second.socket.write(Buffer.from("0000000804d2162f", "hex"));
    await once(second.socket, "close");
    expect(trace(second.received(), "server")).toEqual([
      'ErrorResponse S="FATAL" V="FATAL" C="53300" M="sorry, too many clients already"',
    ]);
    expect(accepted.length).toBe(1);
    accepted[0]!.destroy();
    await once(accepted[0]!, "close");
    await dial(port);
    await until(() => accepted.length === 2, "the next connection is accepted");
  });

  test("closes the port at once, and leaves connections alone", async () => {
    const { port } = await start();
    const { socket } = await dial(port);
    await until(() => accepted.length === 1, "the connection is accepted");
    await listener!.close();
    const refused = connect(port, "127.0.0.1");
    const [error] = (await once(refused, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNREFUSED");
    accepted[0]!.write("still here");
    await once(socket, "data");
    await listener!.close();
  });

  test("says that the port is in use", async () => {
    const { port } = await start();
    const again = listen({
      host: "127.0.0.1",
      port,
      maxConnections: 1,
      onConnection: () => undefined,
      onError: () => undefined,
    });
    await expect(again).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  test("survives running out of file descriptors without spinning", async () => {
    const script = `
      import { connect } from "node:net";
      import { listen } from ${JSON.stringify(new URL("../../../src/net/listen.ts", import.meta.url).href)};
      let errors = 0;
      const sockets = [];
      const { port } = await listen({ host: "127.0.0.1", port: 0, maxConnections: 1000,
        onConnection: (socket) => sockets.push(socket), onError: () => errors++ });
      for (let i = 0; i < 100; i++) {
        const socket = connect(port, "127.0.0.1");
        socket.on("error", () => undefined);
        sockets.push(socket);
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
      const before = process.cpuUsage();
      await new Promise((resolve) => setTimeout(resolve, 300));
      const { user, system } = process.cpuUsage(before);
      for (const socket of sockets.splice(0)) socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, 50));
      const again = connect(port, "127.0.0.1");
      await new Promise((resolve, reject) => again.on("connect", resolve).on("error", reject));
      await new Promise((resolve) => setTimeout(resolve, 50));
      console.log(JSON.stringify({ errors, busy: (user + system) / 300_000, accepted: sockets.length }));
      process.exit(0);
    `;
    const limited = `ulimit -n 60 && exec "$0" --input-type=module -e "$1"`;
    const { stdout } = await promisify(execFile)("bash", ["-c", limited, process.execPath, script]);
    const { errors, busy, accepted } = JSON.parse(stdout) as {
      errors: number;
      busy: number;
      accepted: number;
    };
    expect(errors).toBeLessThanOrEqual(1);
    expect(busy).toBeLessThan(0.5);
    expect(accepted).toBe(1);
  });
});
