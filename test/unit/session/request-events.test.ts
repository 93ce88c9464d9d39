import { Writable } from "node:stream";
import { expect, test } from "vitest";
import type { AccessRequest } from "../../../src/access/requests.ts";
import { Recorder } from "../../../src/audit/recorder.ts";
import { createLogger } from "../../../src/log.ts";
import { createMetrics } from "../../../src/metrics.ts";
import { tellOf } from "../../../src/session/request-events.ts";
import { breakGlass, byApproval, decided, entry, person, requestUnder } from "../access/asked.ts";
import { recordLines, temporaryDirectory, written } from "../audit/record-directory.ts";

type Change = readonly [before: AccessRequest | undefined, now: AccessRequest];

/** What is told of changes: the log's lines, the record's events and the metrics. */
async function told(...changes: readonly Change[]) {
  const logged: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const log = createLogger("info", stream);
  const directory = temporaryDirectory();
  const metrics = createMetrics();
  const recorder = Recorder.open({ directory, log: createLogger("silent") });
  for (const [before, now] of changes) tellOf(before, now, { recorder, metrics, log });
  await written(recorder);
  await recorder.close();
  const events = recordLines(directory)
    .map((line) => String(line["event"]))
    .filter((event) => event.startsWith("request "));
  return { logged, events, metrics: await metrics.text() };
}

const glass = requestUnder(entry("admin", "true", breakGlass), person("otto"));
const asked = requestUnder(entry("admin", "true", byApproval()), person("alice"));
const approved = { ...asked, decisions: [decided("approve", "bob", 1)] };

test("a broken glass raises an alarm: a line of level error, a metric, a line of the record", async () => {
  const { logged, events, metrics } = await told([undefined, glass], [glass, glass]);
  expect(logged).toEqual([
    expect.objectContaining({
      level: "error",
      msg: "break-glass access was taken",
      request: 17,
      identity: "otto",
      role: "admin",
      reason: "the queue is stuck",
    }),
  ]);
  expect(events).toEqual(["request asked"]);
  expect(metrics).toContain("rolegate_break_glass_total 1");
});

test("each decision is told of once, however often it is read", async () => {
  const { logged, events, metrics } = await told([undefined, asked], [asked, approved], [approved, approved]);
  expect(events).toEqual(["request asked", "request approved"]);
  expect(logged.map(({ level, msg, by }) => [level, msg, by])).toEqual([
    ["info", "a request was approved", "bob"],
  ]);
  expect(metrics).toContain('rolegate_requests_total{step="approved"} 1');
  expect(metrics).toContain("rolegate_break_glass_total 0");
});

test("what was decided before it was known is told of, too", async () => {
  expect((await told([undefined, approved])).events).toEqual(["request asked", "request approved"]);
});
