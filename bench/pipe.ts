import { fileURLToPath } from "node:url";
import { once } from "node:events";
import { Child } from "./child.ts";

const program = fileURLToPath(new URL("./pipe-process.ts", import.meta.url));

/** The least that a proxy written in Node can do, in a process of its own: bytes in, bytes out. */
export async function startPipe(upstreamPort: number): Promise<{ child: Child; port: number }> {
  const child = new Child(process.execPath, [program, String(upstreamPort)], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const told = await Promise.race([once(child.process, "message"), once(child.process, "exit")]);
  const port: unknown = told[0];
  if (child.hasEnded || typeof port !== "number") throw new Error(`the pipe ended: ${child.errors}`);
  return { child, port };
}
