import { createServer } from "node:net";

// Below the range from which the kernel takes the ports of outgoing connections (Linux: 32768 and up),
// or one of those may take the port between our look and the server's bind.
const lowest = 20_000;
const highest = 32_000;

/**
 * A TCP port of 127.0.0.1 that nothing listens on now.
 * @param preferred is taken if it is free.
 */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found between ${lowest} and ${highest}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1" }, () => server.close(() => resolve(true)));
  });
}
