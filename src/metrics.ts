import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";

/** What is counted for each role. */
export type RoleCounts = {
  run: number;
  refused: number;
  /** Run, and ended with an error of the server. */
  failed: number;
};

/** What is counted for each issuer of tokens. */
type KeySetCounts = {
  /** Fetched, or read again. */
  fetched: number;
  failed: number;
  /** Tokens that were looked up among keys that could not be renewed. */
  stale: number;
};

/**
 * Everything that rolegate counts. The fields are plain numbers to add to, because a labelled counter of the
 * library costs a third of a microsecond; Prometheus' form is made of them when it is asked for.
 */
export type Metrics = {
  readonly connections: { accepted: number; rejected: number };
  readonly logins: { succeeded: number; failed: number };
  /** Logins that had to wait, and that were refused, for failures before them. */
  readonly loginGuard: { slowed: number; locked: number };
  readonly upstreamConnects: { succeeded: number; failed: number };
  readonly verdictCache: { hits: number; misses: number; entries: number };
  readonly bytes: { fromClients: number; fromServers: number };
  readonly audit: { lines: number; writes: number; bytes: number; failures: number; lost: number };
  /** Requests for roles, as far as this instance has learned of them. */
  readonly requests: { asked: number; approved: number; denied: number; withdrawn: number };
  /** Roles that were taken by breaking the glass. */
  glassesBroken: number;
  /** `up` is 1 or 0; `revocations` are those in force, `ended` the sessions that they ended. */
  readonly store: { up: number; failures: number; revocations: number; ended: number };
  /** Open now. */
  sessions: number;
  /** The counts of a role, the same object for the same name: ask once for a session and keep it. */
  readonly role: (name: string) => RoleCounts;
  /** Likewise those of an issuer's keys. */
  readonly keySet: (issuer: string) => KeySetCounts;
  /** Counts a statement that ran; `micros`: from just before forwarding to the reply. */
  readonly observe: (micros: number) => void;
  readonly contentType: string;
  /** Prometheus' text format. */
  readonly text: () => Promise<string>;
};

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** One metric as Prometheus sees it; `read` gives its samples at the time of asking. */
type Row = {
  readonly type: "counter" | "gauge";
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly read: () => readonly Sample[];
};

/** Upper bounds in seconds; a last bucket has none. */
const buckets = [1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];

/** Creates the counters, all at zero, in a registry of their own. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 });
  const roles = new Map<string, RoleCounts>();
  const keySets = new Map<string, KeySetCounts>();
  const durations = durationHistogram();
  const metrics: Metrics = {
    connections: { accepted: 0, rejected: 0 },
    logins: { succeeded: 0, failed: 0 },
    loginGuard: { slowed: 0, locked: 0 },
    upstreamConnects: { succeeded: 0, failed: 0 },
    verdictCache: { hits: 0, misses: 0, entries: 0 },
    bytes: { fromClients: 0, fromServers: 0 },
    audit: { lines: 0, writes: 0, bytes: 0, failures: 0, lost: 0 },
    requests: { asked: 0, approved: 0, denied: 0, withdrawn: 0 },
    glassesBroken: 0,
    store: { up: 0, failures: 0, revocations: 0, ended: 0 },
    sessions: 0,
    role(name) {
      const counts = roles.get(name) ?? { run: 0, refused: 0, failed: 0 };
      roles.set(name, counts);
      return counts;
    },
    keySet(issuer) {
      const counts = keySets.get(issuer) ?? { fetched: 0, failed: 0, stale: 0 };
      keySets.set(issuer, counts);
      return counts;
    },
    observe: durations.observe,
    contentType: registry.contentType,
    text: async () => (await registry.metrics()) + durations.text(),
  };
  for (const row of rows(metrics, roles, keySets)) registry.registerMetric(fromRow(row));
  return metrics;
}

function rows(
  metrics: Metrics,
  roles: ReadonlyMap<string, RoleCounts>,
  keySets: ReadonlyMap<string, KeySetCounts>,
): readonly Row[] {
  const { connections, logins, loginGuard, upstreamConnects, verdictCache, bytes, audit, requests, store } =
    metrics;
  return [
    by("result", "connections_total", "client connections accepted and rejected", connections),
    by("result", "logins_total", "logins that succeeded and failed", logins),
    by(
      "result",
      "guarded_logins_total",
      "logins that had to wait or were locked out for failures before them",
      loginGuard,
    ),
    by(
      "result",
      "upstream_connects_total",
      "connections to databases that were opened or could not be",
      upstreamConnects,
    ),
    one("gauge", "sessions", "sessions that are open", () => metrics.sessions),
    {
      type: "counter",
      name: "statements_total",
      help: "statements by role and what became of them",
      labels: ["role", "result"],
      read: () => [...roles].flatMap(([role, counts]) => samples("result", counts, { role })),
    },
    {
      type: "counter",
      name: "key_sets_total",
      help: "key sets of issuers that were fetched or could not be, and tokens checked with keys that could not be renewed",
      labels: ["issuer", "result"],
      read: () => [...keySets].flatMap(([issuer, counts]) => samples("result", counts, { issuer })),
    },
    one("counter", "verdict_cache_hits_total", "verdicts that were known", () => verdictCache.hits),
    one("counter", "verdict_cache_misses_total", "verdicts that had to be made", () => verdictCache.misses),
    one("gauge", "verdict_cache_entries", "verdicts that are kept", () => verdictCache.entries),
    one("counter", "client_bytes_total", "bytes received from clients", () => bytes.fromClients),
    one("counter", "server_bytes_total", "bytes received from databases", () => bytes.fromServers),
    by("step", "requests_total", "requests for roles, and what became of them", requests),
    one("counter", "break_glass_total", "roles taken by breaking the glass", () => metrics.glassesBroken),
    one("counter", "audit_lines_total", "lines put on record", () => audit.lines),
    one("counter", "audit_writes_total", "writes that carried them", () => audit.writes),
    one("counter", "audit_bytes_total", "bytes of the record", () => audit.bytes),
    one("counter", "audit_failures_total", "writes of the record that failed", () => audit.failures),
    one(
      "counter",
      "audit_lost_total",
      "lines dropped while the record could not be written",
      () => audit.lost,
    ),
    one("gauge", "store_up", "1 while the store can be read", () => store.up),
    one("counter", "store_failures_total", "attempts to read the store that failed", () => store.failures),
    one("gauge", "revocations", "revocations in force", () => store.revocations),
    one("counter", "revoked_sessions_total", "sessions that revocations ended", () => store.ended),
  ];
}

function one(type: Row["type"], name: string, help: string, read: () => number): Row {
  return { type, name, help, read: () => [[{}, read()]] };
}

function by(label: string, name: string, help: string, counts: Readonly<Record<string, number>>): Row {
  return { type: "counter", name, help, labels: [label], read: () => samples(label, counts, {}) };
}

function samples(
  label: string,
  counts: Readonly<Record<string, number>>,
  more: Record<string, string>,
): Sample[] {
  return Object.entries(counts).map(([value, count]) => [{ ...more, [label]: value }, count]);
}

function fromRow({ type, name, help, labels, read }: Row): Counter | Gauge {
  const configuration = { name: `rolegate_${name}`, help, labelNames: labels ?? [], registers: [] };
  const Kind = type === "counter" ? Counter : Gauge;
  const metric: Counter | Gauge = new Kind({
    ...configuration,
    collect() {
      metric.reset();
      for (const [of, value] of read()) metric.inc(of, value);
    },
  });
  return metric;
}

/** Made here: the library's histogram takes a third of a microsecond and cannot be filled when asked for. */
function durationHistogram(): Pick<Metrics, "observe"> & { readonly text: () => string } {
  const counts = new Float64Array(buckets.length + 1);
  const bounds = Float64Array.from(buckets, (seconds) => seconds * 1e6);
  let sum = 0;
  return {
    observe(micros) {
      let bucket = 0;
      while (bucket < bounds.length && micros > bounds[bucket]!) bucket++;
      counts[bucket]!++;
      sum += micros;
    },
    text() {
      const name = "rolegate_statement_duration_seconds";
      let total = 0;
      const lines = Array.from(counts, (count, index) => {
        total += count;
        return `${name}_bucket{le="${buckets[index] ?? "+Inf"}"} ${total}`;
      });
      const head = [
        `# HELP ${name} time from forwarding a statement to its reply`,
        `# TYPE ${name} histogram`,
      ];
      return ["", ...head, ...lines, `${name}_sum ${sum / 1e6}`, `${name}_count ${total}`, ""].join("\n");
    },
  };
}
