import type { Completion, SessionFacts, StatementFacts } from "../../../src/audit/entry.ts";

/** A session of alice, the analyst, with what a test changes. */
export function sessionFacts(changes: Partial<SessionFacts> = {}): SessionFacts {
  return {
    session: "s1",
    identity: "alice",
    role: "analyst",
    method: "password",
    database: "shop",
    client: "127.0.0.1:54321",
    applicationName: "psql",
    tls: true,
    ...changes,
  };
}

/** An allowed select, with what a test changes. */
export function statementFacts(changes: Partial<StatementFacts> = {}): StatementFacts {
  return {
    role: "analyst",
    sql: "select * from orders",
    kind: "SELECT",
    relations: ["public.orders"],
    verdict: "run",
    rules: ["roles/analyst.yaml:12 orders.select.rows"],
    sent: undefined,
    refusal: undefined,
    ...changes,
  };
}

/** A success with one row. */
export function completion(changes: Partial<Completion> = {}): Completion {
  return { rows: 1, micros: 1500, sqlstate: undefined, skipped: false, ...changes };
}
