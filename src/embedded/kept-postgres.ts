import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
} from "node:fs";
import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { claim, exists, readOr } from "./claim.ts";
import { runInitdb, spawnServer, type Cluster } from "./cluster.ts";
import { freePort } from "./free-port.ts";
import { embeddedBinaries } from "./postgres-binaries.ts";
import { stopServer, untilReady } from "./server-process.ts";
import { canReach, unprivilegedUser } from "./unprivileged-user.ts";
import { release, startGuard } from "./watchdog.ts";

/** Small, and nothing is lost that was committed. */
const settings = {
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  shared_buffers: "16MB",
  max_connections: "50",
  wal_level: "minimal",
  max_wal_senders: "0",
  max_wal_size: "64MB",
  min_wal_size: "32MB",
  unix_socket_directories: "",
};

/** For the server of a process that was killed to end. */
const orphanDeadline = 15_000;

/** Bytes after which the server's log begins anew. */
const longestLog = 4 * 1024 * 1024;

/**
 * A PostgreSQL server of our own on 127.0.0.1 whose data stay in a directory. It stops with this process, however that
 * ends, and a directory serves one process at a time.
 */
export class KeptPostgres {
  readonly host = "127.0.0.1";
  readonly port: number;
  readonly superuser = "postgres";
  readonly password: string;
  readonly #place: Place;
  #server: ChildProcess;
  #stopping = false;
  readonly #guard: ChildProcess;
  readonly #giveBack: () => void;

  private constructor(
    { place, port, password }: { place: Place; port: number; password: string },
    server: ChildProcess,
    guard: ChildProcess,
    giveBack: () => void,
  ) {
    this.#place = place;
    this.port = port;
    this.password = password;
    this.#server = server;
    this.#guard = guard;
    this.#giveBack = giveBack;
    server.once("exit", () => void this.#startAgain());
  }

  /**
   * Makes the cluster in the directory where there is none, and starts it.
   * @throws Error for a directory that another process has, or that the server cannot use
   */
  static async start(directory: string): Promise<KeptPostgres> {
    const user = unprivilegedUser();
    mkdirSync(directory, { recursive: true });
    // What is in it has modes of its own; the server's account has to pass through.
    chmodSync(directory, user === undefined ? 0o700 : 0o711);
    if (!canReach(user, directory))
      throw new Error(
        `${directory} cannot be reached by the account that PostgreSQL runs as, because it does not run as root: ` +
          "expected a directory that every account may pass through, or rolegate to run as another account",
      );
    const giveBack = claim(directory);
    let guard: ChildProcess | undefined;
    try {
      await endOrphan(join(directory, "data"));
      const cluster = { directory, bin: join(embeddedBinaries(user, directory), "bin"), user };
      const password = await makeData(cluster);
      emptyLog(join(directory, "log"));
      guard = startGuard(directory);
      const { server, port } = await startServer(cluster);
      return new KeptPostgres({ place: cluster, port, password }, server, guard, giveBack);
    } catch (error) {
      if (guard !== undefined) await release(guard);
      giveBack();
      throw error;
    }
  }

  /** Ends every connection and stops the server; the data stay. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await stopServer(this.#server, "SIGINT");
    await release(this.#guard);
    this.#giveBack();
  }

  /** It died, or somebody ended it: the log in the directory says why. On the same port, where it is looked for. */
  async #startAgain(): Promise<void> {
    for (let wait = 100; !this.#stopping; wait = Math.min(2 * wait, 5_000)) {
      await sleep(wait);
      if (this.#stopping) return;
      this.#server = spawnServer(this.#place, this.port, { settings });
      if ((await untilReady(this.#place, this.#server)) !== undefined) continue;
      this.#server.once("exit", () => void this.#startAgain());
      return;
    }
  }
}

type Place = Pick<Cluster, "directory" | "bin" | "user">;

async function startServer(place: Place): Promise<{ server: ChildProcess; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const server = spawnServer(place, port, { settings });
    const failure = await untilReady(place, server);
    if (failure === undefined) return { server, port };
    // Someone else may have taken the port since we looked.
    if (attempt < 5 && failure.includes("could not bind")) continue;
    throw new Error(`PostgreSQL did not start in ${place.directory}: ${failure}`);
  }
}

/** @returns the superuser's password */
async function makeData(place: Place): Promise<string> {
  const { directory, user } = place;
  const [data, fresh, password] = ["data", "data.new", "password"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  if (existsSync(data)) return readFileSync(password, "utf8");
  // Made aside and renamed: what was interrupted is begun again, and never taken for whole.
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { mode: 0o700 });
  rmSync(password, { force: true });
  writeFileSync(password, randomBytes(18).toString("base64url"), { mode: 0o600 });
  if (user !== undefined) for (const path of [fresh, password]) chownSync(path, user.uid, user.gid);
  await runInitdb(place, "data.new");
  renameSync(fresh, data);
  return readFileSync(password, "utf8");
}

/** The server of a process that was killed stops by itself; one whose guard was killed, too, is told to. */
async function endOrphan(data: string): Promise<void> {
  const lock = join(data, "postmaster.pid");
  for (const end = Date.now() + orphanDeadline; Date.now() < end; await sleep(50)) {
    const pid = Number(readOr(lock, "").split("\n")[0]);
    // Of one that has ended the server itself looks whether its children have, too.
    if (!(pid > 0) || !exists(pid)) return;
    const place = workingDirectory(pid);
    if (place === undefined) continue;
    // The number is somebody else's by now, who must not be told anything, and for whom the server would not start.
    if (place !== realpathSync(data)) return rmSync(lock, { force: true });
    try {
      process.kill(pid, "SIGINT");
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error(`a PostgreSQL server still runs in ${data} and does not stop`);
}

/** Where a process works: a server in its data directory. Undefined: the system does not tell. */
function workingDirectory(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function emptyLog(log: string): void {
  if (existsSync(log) && statSync(log).size > longestLog) truncateSync(log);
}
