import { expect, test } from "vitest";
import { createMetrics } from "../../src/metrics.ts";

async function samples(metrics: ReturnType<typeof createMetrics>): Promise<string[]> {
  return (await metrics.text()).split("\n").filter((line) => line.startsWith("rolegate_"));
}

test("the fields are what Prometheus reads, each time anew", async () => {
  const metrics = createMetrics();
  metrics.connections.accepted += 3;
  metrics.logins.failed++;
  metrics.loginGuard.locked += 2;
  metrics.upstreamConnects.succeeded++;
  metrics.verdictCache.hits += 7;
  metrics.verdictCache.entries = 2;
  metrics.bytes.fromServers += 4096;
  metrics.audit.lines += 2;
  metrics.sessions = 1;
  metrics.role("analyst").run += 2;
  metrics.role('evil"\n').refused++;
  metrics.keySet("https://id.example.com").stale++;
  await metrics.text();
  metrics.sessions = 0;
  metrics.role("analyst").run++;

  expect(await samples(metrics)).toEqual(
    expect.arrayContaining([
      'rolegate_connections_total{result="accepted"} 3',
      'rolegate_connections_total{result="rejected"} 0',
      'rolegate_logins_total{result="failed"} 1',
      'rolegate_guarded_logins_total{result="locked"} 2',
      'rolegate_upstream_connects_total{result="succeeded"} 1',
      "rolegate_verdict_cache_hits_total 7",
      "rolegate_verdict_cache_entries 2",
      "rolegate_server_bytes_total 4096",
      "rolegate_audit_lines_total 2",
      "rolegate_sessions 0",
      'rolegate_statements_total{role="analyst",result="run"} 3',
      'rolegate_key_sets_total{issuer="https://id.example.com",result="stale"} 1',
      'rolegate_key_sets_total{issuer="https://id.example.com",result="failed"} 0',
      'rolegate_statements_total{role="evil\\"\\n",result="refused"} 1',
    ]),
  );
});

test("durations fall into buckets, in seconds and cumulative", async () => {
  const metrics = createMetrics();
  for (const micros of [50, 100, 101, 2_000_000, 1e9]) metrics.observe(micros);
  const name = "rolegate_statement_duration_seconds";
  expect(await samples(metrics)).toEqual(
    expect.arrayContaining([
      `${name}_bucket{le="0.0001"} 2`,
      `${name}_bucket{le="0.00025"} 3`,
      `${name}_bucket{le="1"} 3`,
      `${name}_bucket{le="2.5"} 4`,
      `${name}_bucket{le="60"} 4`,
      `${name}_bucket{le="+Inf"} 5`,
      `${name}_count 5`,
      `${name}_sum 1002.000251`,
    ]),
  );
});

test("every line is one of Prometheus' text format, and every metric has its help and type once", async () => {
  const metrics = createMetrics();
  metrics.role("analyst").run++;
  const lines = (await metrics.text()).split("\n").filter((line) => line !== "");
  for (const line of lines) {
    expect(line).toMatch(
      /^(# (HELP|TYPE) [a-z0-9_]+ .+|[a-z0-9_]+(\{([a-z_]+="[^"]*",?)+\})? ([-+0-9.e]+|[-+]?Inf|NaN))$/i,
    );
  }
  const types = lines.filter((line) => line.startsWith("# TYPE"));
  expect(new Set(types).size).toBe(types.length);
  expect(lines.filter((line) => line.startsWith("# HELP"))).toHaveLength(types.length);
});

test("each set of metrics counts for itself", async () => {
  createMetrics().sessions = 9;
  expect(await samples(createMetrics())).toContain("rolegate_sessions 0");
});
