import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";

/**
 * A shell that waits for our end of its pipe to close (we let go, or we were killed), then stops what server
 * there still is and removes the directory. Not asked politely to stop: the data go anyway.
 */
export function startWatchdog(directory: string): ChildProcess {
  // Its lock file tells when the server has gone: in a container nobody may reap it, so its process id would stay.
  const script = `
    read -r _
    lock=$1/data/postmaster.pid
    if pid=$(head -n 1 "$lock" 2>/dev/null); then
      kill -QUIT "$pid" 2>/dev/null
      tries=0
      while [ -e "$lock" ] && kill -0 "$pid" 2>/dev/null && [ $tries -lt 100 ]; do
        tries=$((tries + 1)); sleep 0.1
      done
    fi
    rm -rf "$1" || { sleep 1; rm -rf "$1"; }`;
  return spawnWatchdog(script, directory);
}

/** The same for data that stay: the server is asked to stop as it should (SIGINT), and nothing is removed. */
export function startGuard(directory: string): ChildProcess {
  const script = `
    read -r _
    lock=$1/data/postmaster.pid
    if pid=$(head -n 1 "$lock" 2>/dev/null); then
      kill -INT "$pid" 2>/dev/null
    fi`;
  return spawnWatchdog(script, directory);
}

function spawnWatchdog(script: string, directory: string): ChildProcess {
  const watchdog = spawn("/bin/sh", ["-c", script, "sh", directory], {
    cwd: "/",
    // Of its own session: what ends the others in a terminal must not end it.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  watchdog.stdin.on("error", () => {}); // it was killed: there is nobody to let go of
  return watchdog;
}

/** Lets go of the watchdog's pipe; resolves when it has cleaned up. */
export async function release(watchdog: ChildProcess): Promise<void> {
  if (watchdog.exitCode !== null || watchdog.signalCode !== null) return;
  const exited = once(watchdog, "exit");
  watchdog.stdin?.end();
  await exited;
}
