import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { residentMegabytes } from "./cpu.ts";
import { databaseName, startDatabase } from "./database.ts";
import { hostileTexts } from "./hostile-texts.ts";
import { startRolegate } from "./rolegate.ts";
import { quantile } from "./statistics.ts";

/** How long the texts of the attackers are: what the main thread judges, what others do, and what is long indeed. */
const sizes = [2_000, 8_000, 30_000, 240_000, 2_000_000] as const;
const attackers = 4;

type Waits = { readonly p50: number; readonly p99: number; readonly most: number; readonly asked: number };

/**
 * How long one session waits for `SELECT … WHERE aid = $1`, prepared and known, while others send texts that are costly
 * to judge, never the same twice. In milliseconds, from outside.
 */
export async function runStall(seconds: number, json: string | undefined): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const database = await startDatabase();
  cleanup.use(database.server);
  const { port, password, child } = await startRolegate(database, undefined, cleanup);
  const connect = async (user: string): Promise<Client> => {
    const client = new Client({ host: "127.0.0.1", port, user, password, database: databaseName });
    client.on("error", () => {});
    await client.connect();
    cleanup.defer(() => client.end());
    return client;
  };
  const victim = await connect("bench");
  const hostile = await Promise.all(Array.from({ length: attackers }, () => connect("bench-rows")));
  const results: object[] = [];
  const report = (who: string, waits: Waits, judged: number): void => {
    results.push({ who, ...waits, judged, rss: residentMegabytes(child.pid) });
    const cells = [waits.p50, waits.p99, waits.most].map((value) => value.toFixed(2).padStart(9));
    console.log(
      `${who.padEnd(52)}${cells.join("")}${String(judged).padStart(9)}${String(residentMegabytes(child.pid)).padStart(9)}`,
    );
  };
  console.log(`${"attackers' texts".padEnd(52)}   p50 ms   p99 ms   max ms   judged   RSS MB`);
  await waitsOf(victim, 1);
  report("none", await waitsOf(victim, seconds), 0);
  let salt = 0;
  for (const size of sizes)
    for (const { name, text } of hostileTexts) {
      const sample = text(size - 20);
      const attack = { on: true };
      let judged = 0;
      const attacks = hostile.map(async (client) => {
        while (attack.on) {
          await prepare(client, `/* ${salt++} */ ${sample}`);
          judged++;
        }
      });
      const waits = await waitsOf(victim, seconds);
      attack.on = false;
      await Promise.all(attacks);
      report(`${size} bytes, ${name}`, waits, judged);
    }
  if (json !== undefined) writeFileSync(json, JSON.stringify(results, undefined, 2));
}

/** Parse and Sync: the text is judged, and the server does no more than read it. */
function prepare(client: Client, text: string): Promise<void> {
  const { connection } = client as unknown as { connection: Connection };
  return new Promise((resolve) => {
    connection.once("readyForQuery", () => resolve());
    connection.parse({ text });
    connection.sync();
  });
}

/** What node-postgres does not declare of its connection. */
type Connection = {
  parse(query: { text: string }): void;
  sync(): void;
  once(event: "readyForQuery", listener: () => void): void;
};

async function waitsOf(client: Client, seconds: number): Promise<Waits> {
  const waits: number[] = [];
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
    const begun = performance.now();
    await client.query({
      name: "known",
      text: "SELECT abalance FROM pgbench_accounts WHERE aid = $1",
      values: [1],
    });
    waits.push(performance.now() - begun);
    await sleep(1);
  }
  const sorted = waits.toSorted((a, b) => a - b);
  return {
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    most: sorted.at(-1) ?? Number.NaN,
    asked: sorted.length,
  };
}
