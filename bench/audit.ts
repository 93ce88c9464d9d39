import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Recorder, serialiseStatement } from "../src/audit/recorder.ts";
import { createLogger } from "../src/log.ts";

/**
 * What the record costs a statement: its two lines, its share of the write, and the callback. `batch` statements
 * begin in one turn of the event loop and complete in the next, as with that many clients at work.
 * Prints CPU and wall-clock microseconds per statement, medians of the rounds, as JSON lines.
 */
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

const directory = mkdtempSync(join(tmpdir(), "rolegate-bench-audit-"));
const counts = { lines: 0, writes: 0, bytes: 0, failures: 0, lost: 0 };
const recorder = Recorder.open({ directory, log: createLogger("silent"), counts });
try {
  for (const batch of [1, 8, 32]) {
    await round(batch);
    const results = [];
    for (let n = 0; n < rounds; n++) results.push(await round(batch));
    console.log(
      JSON.stringify({
        batch,
        cpuMicros: median(results.map((result) => result.cpu)),
        wallMicros: median(results.map((result) => result.wall)),
        turnMicros: median(results.map((result) => result.turn)),
        writesPerStatement: median(results.map((result) => result.writes)),
      }),
    );
  }
} finally {
  await recorder.close();
  rmSync(directory, { recursive: true });
}

function nothing(): void {}

type Round = { cpu: number; wall: number; turn: number; writes: number };

async function round(batch: number): Promise<Round> {
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
  const writesBefore = counts.writes;
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
  return {
    cpu: (full.cpu - empty.cpu) / statementsPerRound,
    wall: (full.wall - empty.wall) / statementsPerRound,
    turn: (empty.cpu / statementsPerRound) * batch,
    writes: (counts.writes - writesBefore) / statementsPerRound,
  };
}

/** Runs `work` in that many turns of the event loop; microseconds of CPU (user and system) and of wall clock. */
function turns(count: number, work: () => void): Promise<{ cpu: number; wall: number }> {
  const cpuBefore = process.cpuUsage();
  const wallBefore = performance.now();
  return new Promise((resolve) => {
    let left = count;
    const turn = (): void => {
      if (left-- > 0) {
        work();
        setImmediate(turn);
        return;
      }
      const { user, system } = process.cpuUsage(cpuBefore);
      resolve({ cpu: user + system, wall: (performance.now() - wallBefore) * 1000 });
    };
    turn();
  });
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[sorted.length >> 1]! * 1000) / 1000;
}
