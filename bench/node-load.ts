import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Client, type QueryConfig } from "pg";

// `pgbench -S` for machines without pgbench: the same options, statement, modes and log. It costs more CPU than
// pgbench does, so on a machine with few cores the rates are lower; the proxy's CPU per transaction is not affected.
const { values, positionals } = parseArgs({
  options: {
    host: { type: "string", short: "h" },
    port: { type: "string", short: "p" },
    username: { type: "string", short: "U" },
    client: { type: "string", short: "c" },
    protocol: { type: "string", short: "M" },
    time: { type: "string", short: "T" },
    "log-prefix": { type: "string" },
  },
  allowPositionals: true,
});

/** The rows of pgbench_accounts at scale 1. */
const accounts = 100_000;
const select = "SELECT abalance FROM pgbench_accounts WHERE aid = ";
const log: string[] = [];
const ended = new AbortController();
setTimeout(() => ended.abort(), Number(values.time) * 1000).unref();
process.on("SIGALRM", () => ended.abort());

const clients = Array.from({ length: Number(values.client) }, () => {
  return new Client({
    host: values.host!,
    port: Number(values.port),
    user: values.username!,
    password: process.env["PGPASSWORD"]!,
    database: positionals[0]!,
  });
});
await Promise.all(clients.map((client) => client.connect()));
await Promise.all(clients.map(work));
await Promise.all(clients.map((client) => client.end()));
writeFileSync(`${values["log-prefix"]}.${process.pid}`, log.join(""));
process.exit();

async function work(client: Client, number: number): Promise<void> {
  for (let transaction = 1; !ended.signal.aborted; transaction++) {
    const begin = performance.now();
    await client.query(statement(1 + Math.floor(Math.random() * accounts)));
    const end = performance.now();
    const micros = Math.round((performance.timeOrigin + end) * 1000);
    const [seconds, rest] = [Math.floor(micros / 1e6), micros % 1e6];
    log.push(`${number} ${transaction} ${Math.round((end - begin) * 1000)} 0 ${seconds} ${rest}\n`);
  }
}

function statement(aid: number): QueryConfig {
  switch (values.protocol) {
    case "extended":
      return { text: `${select}$1;`, values: [aid] };
    case "prepared":
      return { name: "P0_1", text: `${select}$1;`, values: [aid] };
    default:
      return { text: `${select}${aid};` };
  }
}
