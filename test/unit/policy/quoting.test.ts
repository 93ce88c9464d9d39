import { beforeAll, expect, test } from "vitest";
import { readExpression } from "../../../src/policy/expression.ts";
import { loadParser, type Parser } from "../../../src/sql/parser.ts";

let parser: Parser;
beforeAll(async () => {
  parser = await loadParser(18);
});

function quotes(sql: string): boolean {
  const read = readExpression({ sql, file: "roles/a.yaml", line: 7 }, parser);
  if (read.kind === "refused") throw new Error(JSON.stringify(read.problem));
  return read.expression.quotes;
}

test.each([
  "tenant_id = identity.tenant and status = 'draft'",
  "region = any(identity.regions) or owner is null",
  "amount between 0 and 1000",
  "at >= '2025-01-01'::date and id = identity.id::int",
  "regexp_replace(email, '^[^@]+', '***')",
  "left(card, 4) || repeat('*', 8) || pg_catalog.right(card, 4)",
  "case when amount > 10 then null else round(amount / 2) end",
  "coalesce(nullif(name, ''), 'nobody')",
  "amount::text",
  "data ->> 'city' like 'B%'",
])("no error of %s quotes a value", (sql) => {
  expect(quotes(sql)).toBe(false);
});

test.each([
  "ssn::int % 100",
  "cast(ssn as date) < '2025-01-01'",
  "to_date(born, 'YYYY-MM-DD') < '2000-01-01'",
  "app.shown(name)",
  "pg_catalog.encode(photo, name)",
  "name operator(app.=) 'x'",
  "(a, b) = (1, 2)",
  "name ### 'x'",
  "left(ssn::int::text, 2)",
])("an error of %s may quote one", (sql) => {
  expect(quotes(sql)).toBe(true);
});
