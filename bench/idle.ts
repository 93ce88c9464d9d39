import { readFileSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import type { BenchOptions } from "./arguments.ts";
import { databaseName, startDatabase } from "./database.ts";
import { startRolegate } from "./rolegate.ts";

/** Logins at one time. */
const atOnce = 20;
const fewest = 100;

/**
 * What an idle session keeps in rolegate's memory, its connection to the database included: resident memory with `count`
 * clients that have each run a statement, against that with a hundred, after the same rest.
 */
export async function runIdle({ clients, json }: BenchOptions): Promise<void> {
  const count = Math.max(1_000, ...clients);
  await using cleanup = new AsyncDisposableStack();
  const database = await startDatabase({ max_connections: String(count + 50), shared_buffers: "16MB" });
  cleanup.use(database.server);
  const { child, port, password } = await startRolegate(database, undefined, cleanup, count + 50);
  const open: Client[] = [];
  cleanup.defer(() => {
    for (const client of open)
      (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
  });
  const upTo = async (wanted: number): Promise<void> => {
    while (open.length < wanted)
      await Promise.all(
        Array.from({ length: Math.min(atOnce, wanted - open.length) }, async () => {
          const client = new Client({
            host: "127.0.0.1",
            port,
            user: "bench",
            password,
            database: databaseName,
          });
          client.on("error", () => {});
          await client.connect();
          await client.query("SELECT abalance FROM pgbench_accounts WHERE aid = 1");
          open.push(client);
        }),
      );
  };
  const results: object[] = [];
  let before: { clients: number; kilobytes: number } | undefined;
  console.log("clients   RSS MB   kB for each beyond the first hundred");
  for (const wanted of [fewest, ...[0.2, 0.5, 1].map((part) => Math.round(count * part))]) {
    await upTo(wanted);
    const kilobytes = await settled(child.pid!);
    const each =
      before === undefined ? undefined : (kilobytes - before.kilobytes) / (wanted - before.clients);
    before ??= { clients: wanted, kilobytes };
    results.push({ clients: wanted, kilobytes, each });
    console.log(
      `${String(wanted).padStart(7)}${(kilobytes / 1024).toFixed(0).padStart(9)}   ${each?.toFixed(1) ?? "-"}`,
    );
  }
  if (json !== undefined) writeFileSync(json, JSON.stringify(results, undefined, 2));
}

/** Resident kilobytes once they stay what they are: V8 collects what the logins left when it has been idle for a while. */
async function settled(pid: number): Promise<number> {
  let last = resident(pid);
  for (let calm = 0, seconds = 0; calm < 10 && seconds < 60; seconds++) {
    await sleep(1_000);
    const now = resident(pid);
    calm = Math.abs(now - last) < 256 ? calm + 1 : 0;
    last = now;
  }
  return last;
}

function resident(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]);
}
