import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const startDeadline = 30_000; // ms; about 0.3 s where nothing is wrong

/** Resolves when the server takes connections, or with why it does not. */
export async function untilReady(
  { directory }: { directory: string },
  server: ChildProcess,
): Promise<string | undefined> {
  let failed: string | undefined;
  server.once("error", (error) => (failed = error.message));
  const statusFile = join(directory, "data", "postmaster.pid");
  for (const deadline = Date.now() + startDeadline; Date.now() < deadline; await sleep(10)) {
    if (failed !== undefined) return failed;
    if (server.exitCode !== null || server.signalCode !== null)
      return readFileSync(join(directory, "log"), "utf8").slice(-2_000);
    // The last line of the server's own lock file says whether it is ready; pg_ctl looks there too.
    const lines = existsSync(statusFile) ? readFileSync(statusFile, "utf8").split("\n") : [];
    if (lines[0] === String(server.pid) && lines[7]?.trim() === "ready") return undefined;
  }
  await stopServer(server, "SIGQUIT");
  return `not ready after ${startDeadline} ms`;
}

/** Stops it and waits for its end. */
export async function stopServer(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, "exit");
  server.kill(signal);
  await exited;
}
