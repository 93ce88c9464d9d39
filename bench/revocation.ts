import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { createLogger } from "../src/log.ts";
import { migrate } from "../src/store/migrate.ts";
import { lift, revoke } from "../src/store/revocations.ts";
import { Store } from "../src/store/store.ts";
import { databaseName, startDatabase } from "./database.ts";
import { startRolegate } from "./rolegate.ts";
import { quantile } from "./statistics.ts";

const tries = 100;

/** Others in each instance, who stay. */
const bystanders = 100;

/**
 * How long a session goes on behind `revoke`, in each of two instances that share a store: from just before the row is
 * written to the end of the client's connection. In milliseconds, from outside.
 */
export async function runRevocation(json: string | undefined): Promise<void> {
  await using cleanup = new AsyncDisposableStack();
  const database = await startDatabase({ max_connections: String(3 * bystanders) });
  cleanup.use(database.server);
  const { port: storePort, host } = database.server;
  const login = { user: "rolegate_store", password: "store" };
  const admin = new Client({ connectionString: database.server.url("postgres") });
  await admin.connect();
  await admin.query(`create role ${login.user} login password '${login.password}'`);
  await admin.query(`create database store owner ${login.user}`);
  await admin.end();
  const address = { target: { host, port: storePort, database: "store", tls: undefined }, login };
  await migrate(address);
  const store = new Store(address, createLogger("silent"));
  cleanup.defer(() => store.close());
  const query: Store["query"] = (sql, values) => store.query(sql, values);
  const setting = `store: { url: "postgres://${host}:${storePort}/store?sslmode=disable", login: { user: ${login.user}, password: { env: STORE_PASSWORD } } }`;
  process.env["STORE_PASSWORD"] = login.password;
  const instances = await Promise.all(
    [1, 2].map(() => startRolegate(database, undefined, cleanup, 1_000, setting)),
  );
  const connect = async ({ port, password }: (typeof instances)[number], user: string): Promise<Client> => {
    const client = new Client({ host: "127.0.0.1", port, user, password, database: databaseName });
    client.on("error", () => {});
    await client.connect();
    return client;
  };
  for (const instance of instances)
    for (let count = 0; count < bystanders; count++) {
      const client = await connect(instance, "bench");
      cleanup.defer(() => client.end());
    }

  const waits: number[] = [];
  for (let attempt = 0; attempt < tries; attempt++) {
    const victims = await Promise.all(
      instances.map((instance) => untilIn(() => connect(instance, "bench-rows"))),
    );
    const begun = performance.now();
    const ends = victims.map(async (victim) => {
      await new Promise((resolve) => victim.once("end", resolve));
      waits.push(performance.now() - begun);
    });
    const reason = "measured";
    const id = await revoke(query, {
      kind: "name",
      value: "bench-rows",
      issuer: undefined,
      database: undefined,
      until: undefined,
      by: "bench",
      reason,
    });
    await Promise.all(ends);
    await lift(query, { id, by: "bench", reason });
    // Not in step with the looks that come every second.
    await sleep(Math.random() * 100);
  }
  const sorted = waits.toSorted((a, b) => a - b);
  const result = {
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    most: sorted.at(-1),
    ended: waits.length,
  };
  console.log(`sessions ended   p50 ms   p99 ms   max ms`);
  const cells = [result.p50, result.p99, result.most ?? Number.NaN].map((value) =>
    value.toFixed(1).padStart(9),
  );
  console.log(`${String(result.ended).padStart(14)}${cells.join("")}`);
  if (json !== undefined) writeFileSync(json, JSON.stringify(result, undefined, 2));
}

/** An instance hears of the lifting a moment later than we do. */
async function untilIn(connect: () => Promise<Client>): Promise<Client> {
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if ((error as { code?: string }).code !== "28000") throw error;
      await sleep(5);
    }
  }
}
