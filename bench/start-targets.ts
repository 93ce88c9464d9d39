import type { BenchOptions } from "./arguments.ts";
import { databaseName, owner, type BenchDatabase } from "./database.ts";
import { startPgBouncer } from "./pgbouncer.ts";
import { startPipe } from "./pipe.ts";
import { startRolegate } from "./rolegate.ts";
import type { Target, TargetName } from "./target.ts";

/** Starts what was asked for; PgBouncer is left out, with a word, where it is not installed. */
export async function startTargets(
  options: BenchOptions,
  database: BenchDatabase,
  cleanup: AsyncDisposableStack,
): Promise<Target[]> {
  const wanted = (name: TargetName) => options.targets.includes(name);
  const asOwner = { user: owner, password: database.ownerPassword, database: databaseName };
  const targets: Target[] = [];

  if (wanted("direct"))
    targets.push({ name: "direct", port: database.server.port, ...asOwner, pid: undefined });
  if (wanted("pipe")) {
    const { child, port } = await startPipe(database.server.port);
    cleanup.use(child);
    targets.push({ name: "pipe", port, ...asOwner, pid: child.pid });
  }
  if (wanted("pgbouncer")) {
    const started = await startPgBouncer(database, cleanup);
    if (started === undefined) console.error("pgbouncer is not installed: left out");
    else targets.push({ name: "pgbouncer", port: started.port, ...asOwner, pid: started.child.pid });
  }
  if (wanted("rolegate") || wanted("rolegate-rows")) {
    const { child, port, password } = await startRolegate(database, options.cpuProfile, cleanup);
    const as = { port, password, database: databaseName, pid: child.pid };
    if (wanted("rolegate")) targets.push({ name: "rolegate", user: "bench", ...as });
    if (wanted("rolegate-rows")) targets.push({ name: "rolegate-rows", user: "bench-rows", ...as });
  }
  return targets;
}
