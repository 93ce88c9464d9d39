import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { freePort } from "../src/embedded/free-port.ts";
import { unprivilegedUser } from "../src/embedded/unprivileged-user.ts";
import { Child } from "./child.ts";
import { databaseName, owner, type BenchDatabase } from "./database.ts";

/** PgBouncer in session mode, as rolegate's sessions are; undefined where it is not installed. */
export async function startPgBouncer(
  database: BenchDatabase,
  cleanup: AsyncDisposableStack,
): Promise<{ child: Child; port: number } | undefined> {
  // Debian puts it where only root's PATH looks.
  const places = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  const program = places.map((place) => join(place, "pgbouncer")).find((file) => existsSync(file));
  if (program === undefined) return undefined;

  const directory = mkdtempSync(join(tmpdir(), "rolegate-bench-pgbouncer-"));
  cleanup.defer(() => rmSync(directory, { recursive: true, force: true }));
  const port = await freePort();
  const settings = join(directory, "pgbouncer.ini");
  const users = join(directory, "users.txt");
  writeFileSync(users, `"${owner}" "${database.ownerPassword}"\n`);
  writeFileSync(
    settings,
    `[databases]
${databaseName} = host=127.0.0.1 port=${database.server.port} dbname=${databaseName}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
pool_mode = session
auth_type = trust
auth_file = ${users}
default_pool_size = 150
max_client_conn = 150
log_connections = 0
log_disconnections = 0
`,
  );
  // It refuses to run as root.
  const account = unprivilegedUser();
  if (account !== undefined)
    for (const path of [directory, users, settings]) chownSync(path, account.uid, account.gid);
  const child = cleanup.use(new Child(program, ["--quiet", settings], { cwd: directory, ...account }));
  await child.untilListening(port);
  return { child, port };
}
