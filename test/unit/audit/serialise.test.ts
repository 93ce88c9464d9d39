import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  longestText,
  serialiseFailedLogin,
  serialiseSession,
  serialiseStatement,
} from "../../../src/audit/serialise.ts";
import { sessionFacts, statementFacts } from "./facts.ts";

const read = (fragment: string): Record<string, unknown> =>
  JSON.parse(`{${fragment}}`) as Record<string, unknown>;

test("a statement's fragment holds every fact, and leaves out those that are not there", () => {
  expect(read(serialiseStatement(statementFacts()))).toEqual({
    role: "analyst",
    verdict: "run",
    kind: "SELECT",
    relations: ["public.orders"],
    rules: ["roles/analyst.yaml:12 orders.select.rows"],
    sql: "select * from orders",
  });
});

test("a rewritten statement's fragment holds what was sent, a refused one's holds why", () => {
  const refusal = { sqlstate: "42501", message: "no" };
  expect(read(serialiseStatement(statementFacts({ sent: "select 1" })))).toMatchObject({ sent: "select 1" });
  expect(read(serialiseStatement(statementFacts({ verdict: "refuse", refusal })))).toMatchObject({ refusal });
});

test("no text can end its string, its object or its line", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(text, text, text, text, (sql, role, relation, rule) => {
      const facts = statementFacts({ sql, role, relations: [relation], rules: [rule], sent: sql });
      const fragment = serialiseStatement(facts);
      expect(fragment).not.toContain("\n");
      expect(read(fragment)).toMatchObject({ sql, role, relations: [relation], rules: [rule], sent: sql });
    }),
  );
});

test("a text at the limit is whole; beyond it the length and the hash of the whole are on record", () => {
  const whole = "é".repeat(longestText);
  expect(read(serialiseStatement(statementFacts({ sql: whole })))).not.toHaveProperty("sqlTruncated");

  const longer = `${whole}!`;
  const facts = read(serialiseStatement(statementFacts({ sql: longer, sent: longer })));
  const sha256 = createHash("sha256").update(longer).digest("hex");
  expect(facts["sql"]).toBe(whole);
  expect(facts).toMatchObject({ sqlTruncated: 2 * longestText + 1, sqlSha256: sha256 });
  expect(facts).toMatchObject({ sentTruncated: 2 * longestText + 1, sentSha256: sha256 });
});

test("a surrogate pair is not cut in two", () => {
  const facts = read(serialiseStatement(statementFacts({ sql: `${"x".repeat(longestText - 1)}😀` })));
  expect(facts["sql"]).toBe("x".repeat(longestText - 1));
});

test("what a client says before it is known cannot flood the record", () => {
  const long = "n".repeat(10_000);
  const login = { client: "127.0.0.1:1", user: long, database: long, applicationName: long };
  const line = serialiseFailedLogin({ ...login, tls: false, sqlstate: "28P01", reason: "wrong password" });
  expect(line.length).toBeLessThan(1000);
  expect(serialiseSession(sessionFacts({ applicationName: long })).length).toBeLessThan(300);
});
