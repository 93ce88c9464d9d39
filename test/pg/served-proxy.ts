import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";

export type ServedProxy = { readonly process: ChildProcess; readonly port: number };

/** `rolegate serve` in a process of its own, for tests that kill or measure it. */
export async function serve(directory: string): Promise<ServedProxy> {
  const main = join(import.meta.dirname, "../../src/cli/main.ts");
  const child = spawn(process.execPath, [main, "serve", "--config", join(directory, "rolegate.yaml")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  for await (const line of createInterface(child.stderr)) {
    if (!line.startsWith("{")) throw new Error(line);
    const { msg, port } = JSON.parse(line) as { msg?: string; port?: number };
    if (msg === "listening" && port !== undefined) {
      child.stderr.resume();
      return { process: child, port };
    }
  }
  throw new Error(`rolegate serve ended with ${child.exitCode}`);
}
