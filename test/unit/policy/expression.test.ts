import { beforeAll, describe, expect, test } from "vitest";
import { readExpression, renderExpression } from "../../../src/policy/expression.ts";
import { loadParser, type Parser } from "../../../src/sql/parser.ts";

let parser: Parser;
beforeAll(async () => {
  parser = await loadParser(18);
});

const read = (sql: string) => readExpression({ sql, file: "roles/a.yaml", line: 7 }, parser);

function rendered(sql: string, qualifier: string | undefined, literals: Record<string, string> = {}): string {
  const found = read(sql);
  if (found.kind === "refused") throw new Error(JSON.stringify(found.problem));
  return renderExpression(found.expression, qualifier, (path) => literals[path] ?? "?");
}

describe("a rule's expression", () => {
  test.each([
    ["tenant_id = identity.tenant", "o.tenant_id = '1'"],
    ["Tenant_ID=identity.tenant", "o.tenant_id='1'"],
    ['"Odd ""Name" is not null', 'o."Odd ""Name" is not null'],
    ["lower(name) = 'x'", "pg_catalog.lower(o.name) = 'x'"],
    ["audit.shown(name)", "audit.shown(o.name)"],
    ["extract(year from at) > 2020", "extract(year from o.at) > 2020"],
    ["region = any(identity.regions)", "o.region = any('{}')"],
    ["note = 'identity.tenant -- not a comment'", "o.note = 'identity.tenant -- not a comment'\n"],
    ["a > 1 -- why", "o.a > 1 -- why\n"],
    ["(address).city = 'x'", "(o.address).city = 'x'"],
    ["identity = 1", "o.identity = 1"],
    ["at > now()", "o.at > pg_catalog.statement_timestamp()"],
    ["at > pg_catalog . transaction_timestamp ( )", "o.at > pg_catalog.statement_timestamp ( )"],
    ["day = CURRENT_DATE", "o.day = (pg_catalog.statement_timestamp()::pg_catalog.date)"],
    ["at > current_timestamp -- why", "o.at > (pg_catalog.statement_timestamp()) -- why\n"],
    ["day < localtimestamp", "o.day < (pg_catalog.statement_timestamp()::pg_catalog.timestamp)"],
    ["note = 'today'::text", "o.note = 'today'::text"],
    ["app.random(a)", "app.random(o.a)"],
    ["a = current_setting('app.tenant')", "o.a = pg_catalog.current_setting('app.tenant')"],
    ["at < '2025-07-02' and host <> '10.1.20.3'", "o.at < '2025-07-02' and o.host <> '10.1.20.3'"],
  ])("%s", (sql, expected) => {
    expect(rendered(sql, "o", { tenant: "'1'", regions: "'{}'" })).toBe(expected);
  });

  test("columns stay bare where there is no alias, and odd aliases are quoted", () => {
    expect(rendered("a = b", undefined)).toBe("a = b");
    expect(rendered("a = b", 'O"x')).toBe('"O""x".a = "O""x".b');
  });

  test("what it reads is listed once and in order", () => {
    const found = read("b = identity.t and a = identity.org.id and b > 1");
    expect(found.kind === "expression" && [found.expression.columns, found.expression.attributes]).toEqual([
      ["a", "b"],
      ["org.id", "t"],
    ]);
  });

  // Each of these would read something besides the row, or mean something else at the place where it is put.
  test.each([
    ["", 'syntax error at or near ")"'],
    ["a = ", 'syntax error at or near ")"'],
    ["exists (select 1 from secrets)", "a sub-select"],
    ["a = (select 1)", "a sub-select"],
    ["a = $1", "a parameter"],
    ["sum(a) over () > 1", "a window function"],
    ["t.a = 1", "t.a"],
    ["s.t.a = 1", "s.t.a"],
    ["t.* is null", "*"],
    ["a, b", "a, b"],
    ["a) or (b", "a) or (b"],
    ["a) from secrets --", 'syntax error at or near ")"'],
    ["a as b", 'syntax error at or near "as"'],
    ["1); select (2", "1); select (2"],
    ["at < '02-07-2025'", "'02-07-2025'"],
    ["at < ' 2 7 2025'", "' 2 7 2025'"],
    ["at <@ '[2025-01-01,02.07.2025]'::daterange", "'[2025-01-01,02.07.2025]'"],
    // A word for a day is read when the statement is prepared.
    ["day = 'today'", "'today'"],
    ["at < ' Tomorrow 10:00'::timestamptz", "' Tomorrow 10:00'"],
    // Who asks often enough sees every row.
    ["random() < 0.1", "random(…)"],
    ["pg_catalog.random() < 0.1", "random(…)"],
    // The client chooses what these give.
    ["pg_backend_pid() = owner", "pg_backend_pid(…)"],
    ["txid_current_if_assigned() is null", "txid_current_if_assigned(…)"],
    ["inet_client_addr() = host", "inet_client_addr(…)"],
    ["current_query() like '%x%'", "current_query(…)"],
    ["current_setting('application_name') = app", "current_setting(…)"],
    ["current_setting(name) = 'x'", "current_setting(…)"],
    ["nextval('s') > 0", "nextval(…)"],
    ["query_to_xml(name, true, true, '') is null", "query_to_xml(…)"],
    ["at > current_timestamp(3)", "current_timestamp(…)"],
  ])("%s is refused with its place", (sql, found) => {
    expect(read(sql)).toMatchObject({ kind: "refused", problem: { file: "roles/a.yaml", line: 7, found } });
  });
});
