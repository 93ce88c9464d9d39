import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Recorder, serialiseStatement } from "../src/audit/recorder.ts";
import { createLogger } from "../src/log.ts";
import type { Cost } from "./micro.ts";
import { median } from "./statistics.ts";

const fragment = serialiseStatement({
  role: "analyst",
  sql: "SELECT abalance FROM pgbench_accounts WHERE aid = $1;",
  kind: "SELECT",
  relations: ["public.pgbench_accounts"],
  verdict: "run",
  rules: ["roles/analyst.yaml:7 pgbench_accounts.select.rows"],
  sent:
    "SELECT abalance FROM (SELECT aid, bid, abalance FROM public.pgbench_accounts " +
    "WHERE bid = 1 OFFSET 0) pgbench_accounts WHERE aid = $1;",
  refusal: undefined,
});

const rounds = 9;
/** Small, so that the rounds measure the record and not the page cache of a file of gigabytes. */
const statementsPerRound = 10_000;

type Counts = { lines: number; writes: number; bytes: number; failures: number; lost: number };

/**
 * What the record costs a statement, in CPU: its two lines, its share of the write, and the callback. `batch`
 * statements begin in one turn of the event loop and complete in the next, as with that many clients at work.
 */
export async function recordCosts(): Promise<Cost[]> {
  const directory = mkdtempSync(join(tmpdir(), "rolegate-bench-audit-"));
  const counts: Counts = { lines: 0, writes: 0, bytes: 0, failures: 0, lost: 0 };
  const recorder = Recorder.open({ directory, log: createLogger("silent"), counts });
  const costs: Cost[] = [];
  try {
    for (const batch of [1, 8, 32]) {
      await round(recorder, batch);
      const micros: number[] = [];
      for (let n = 0; n < rounds; n++) micros.push(await round(recorder, batch));
      costs.push({ part: `record, ${batch} clients`, median: median(micros), least: Math.min(...micros) });
    }
    return costs;
  } finally {
    await recorder.close();
    rmSync(directory, { recursive: true });
  }
}

function nothing(): void {}

/** Microseconds of CPU per statement beyond those of an empty turn of the event loop. */
async function round(recorder: Recorder, batch: number): Promise<number> {
  const empty = await turns(statementsPerRound / batch, nothing);
  const sessions = Array.from({ length: batch }, (_, n) =>
    recorder.openSession({
      session: `bench-${n}`,
      identity: "alice@example.com",
      role: "analyst",
      method: "jwt",
      database: "shop",
      client: `127.0.0.1:${50_000 + n}`,
      applicationName: "pgbench",
      tls: true,
    }),
  );
  const ids = Array.from({ length: batch }, () => 0);
  const full = await turns(statementsPerRound / batch, () => {
    for (let n = 0; n < batch; n++) {
      const session = sessions[n]!;
      if (ids[n] !== 0)
        session.complete(ids[n]!, { rows: 1, micros: 153, sqlstate: undefined, skipped: false });
      ids[n] = session.begin(fragment);
      recorder.whenWritten(nothing);
    }
  });
  for (const session of sessions) session.end("bench");
  return (full - empty) / statementsPerRound;
}

/** Runs `work` in that many turns of the event loop; microseconds of CPU, user and system. */
function turns(count: number, work: () => void): Promise<number> {
  const before = process.cpuUsage();
  return new Promise((resolve) => {
    let left = count;
    const turn = (): void => {
      if (left-- > 0) {
        work();
        setImmediate(turn);
        return;
      }
      const { user, system } = process.cpuUsage(before);
      resolve(user + system);
    };
    turn();
  });
}
