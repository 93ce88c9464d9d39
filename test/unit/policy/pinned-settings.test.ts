import { beforeAll, describe, expect, test } from "vitest";
import { readExpression } from "../../../src/policy/expression.ts";
import { settingDependences } from "../../../src/policy/meaning/dependences.ts";
import type { FunctionNature, Operand, RuleNames } from "../../../src/policy/meaning/operand.ts";
import { kindOfServerType } from "../../../src/policy/meaning/value-kinds.ts";
import { loadParser, type Parser } from "../../../src/sql/parser.ts";

let parser: Parser;
beforeAll(async () => {
  parser = await loadParser(18);
});

const types: Readonly<Record<string, string>> = {
  id: "integer",
  name: "text",
  code: "character varying",
  on_day: "date",
  at: "timestamp with time zone",
  local: "timestamp without time zone",
  hour: "time without time zone",
  span: "interval",
  weight: "double precision",
  raw: "bytea",
  price: "money",
  period: "tstzrange",
  doc: "xml",
};

const plain: FunctionNature = { immutable: true, reads: false, fixed: new Set(), results: ["text"] };
const functions: Readonly<Record<string, FunctionNature>> = {
  "pg_catalog.lower": { ...plain, results: ["text", "anyelement"] },
  "pg_catalog.regexp_replace": plain,
  "pg_catalog.concat": { ...plain, immutable: false },
  "pg_catalog.isfinite": { ...plain, reads: true, results: ["boolean"] },
  "pg_catalog.statement_timestamp": {
    ...plain,
    immutable: false,
    results: ["timestamp with time zone"],
  },
  "pg_catalog.now": { ...plain, immutable: false, results: ["timestamp with time zone"] },
  "pg_catalog.left": plain,
  "pg_catalog.to_tsvector": { ...plain, immutable: false, reads: true, results: ["tsvector"] },
  "pg_catalog.some_stable": { ...plain, immutable: false },
  "app.pure": plain,
  "app.stable": { ...plain, immutable: false },
  "app.fixed": { ...plain, immutable: false, fixed: new Set(["search_path"]) },
};

const typeOf = (type: string): Operand => {
  const kind = kindOfServerType(type);
  return kind === undefined ? { kind: "unknown", made: "?" } : { kind };
};

const names: RuleNames = {
  column: (name) => (name === "mail" ? { kind: "plain", made: "public.citext" } : typeOf(types[name] ?? "")),
  type: (_schema, name) => ({
    gives: { kind: "plain", made: `public.${name}` },
    schemas: name === "status" ? 1 : 2,
  }),
  typeOf,
  function: (schema, name) => functions[`${schema}.${name}`],
  operator: (name) =>
    name === "=" || name === "%"
      ? { takesBuiltin: () => name === "%", chosenBy: (type) => type === "public.citext" }
      : undefined,
};

function dependsOn(sql: string): string[] {
  const found = readExpression({ sql, file: "roles/a.yaml", line: 7 }, parser);
  if (found.kind === "refused") throw new Error(JSON.stringify(found.problem));
  return settingDependences(found.expression.tree, names)
    .map(({ setting }) => setting)
    .filter((setting) => setting !== "timezone_abbreviations")
    .toSorted();
}

describe("no setting has a part in", () => {
  test.each([
    "id = identity.tenant",
    "id in (1, 2) and name <> 'x' or code = any(identity.codes)",
    "id = id + '1'",
    "not (name is null) and name like 'a%' and lower(name) = 'x'",
    "on_day < '2025-06-01'",
    "on_day + 30 > '2025-06-01'",
    "on_day - on_day > 3",
    "at >= '2025-01-01 00:00:00+00'",
    "at >= '2025-01-01 00:00:00Z'::timestamptz",
    "at between '2025-01-01 00:00+01' and 'infinity'",
    "at > now() - interval '36 hours'",
    "at > current_timestamp - '02:30:00'::interval",
    "at > local at time zone 'Europe/Zurich'",
    "local > '2025-01-01 10:00'",
    "hour between '08:00' and '18:30:00'",
    "span > '1 day'",
    "extract(epoch from at) > 0",
    "extract(year from on_day) > 2020",
    "date_trunc('month', local) = local",
    "regexp_replace(name, '^[^@]+', '***')",
    "concat(left(name, 1), '***', id)",
    "case when id = 1 then name else '***' end",
    "coalesce(name, 'none')",
    "weight > '1.5'",
    "name::varchar",
    "'paid'::status = 'paid'",
    "raw = '\\x00'",
    "period @> at",
    "make_date(2025, 1, 1) < on_day",
    "app.pure(name) = 'x'",
  ])("%s", (sql) => {
    expect(dependsOn(sql)).toEqual([]);
  });
});

describe("a client could move", () => {
  test.each([
    ["at >= '2025-01-01'", ["datestyle", "timezone"]],
    ["at >= identity.since", ["datestyle", "timezone"]],
    ["at >= '2025-01-01 00:00 UTC'", ["datestyle", "timezone"]],
    ["local >= '2025-01-01 00:00+00 pm'", ["datestyle", "timezone"]],
    ["at::date = '2025-01-01'", ["timezone"]],
    ["date(at) = on_day", ["timezone"]],
    ["at > on_day", ["timezone"]],
    ["at = local", ["timezone"]],
    ["at > now() - interval '30 days'", ["timezone"]],
    ["at < now() + '30 days'", ["timezone"]],
    ["on_day = current_date", ["timezone"]],
    ["local < localtimestamp", ["timezone"]],
    ["date_trunc('month', at) = at", ["timezone"]],
    ["date_trunc('month', on_day) = at", ["timezone"]],
    ["extract(year from at) = 2025", ["timezone"]],
    ["to_char(at, 'YYYY')", ["lc_time", "timezone"]],
    ["to_char(on_day, 'YYYY')", ["lc_time", "timezone"]],
    ["to_char(id, '9D9')", ["lc_monetary", "lc_numeric"]],
    ["age(at) > '1 year'", ["timezone"]],
    ["at::text", ["datestyle", "timezone"]],
    ["left(on_day::text, 4)", ["datestyle"]],
    ["concat(on_day, '')", ["datestyle"]],
    ["name || on_day", ["datestyle"]],
    ["span::text", ["intervalstyle"]],
    ["span > '-1 2:03:04'", ["intervalstyle"]],
    ["weight::text", ["extra_float_digits"]],
    ["raw::text", ["bytea_output"]],
    ["price::text", ["lc_monetary"]],
    ["price > '$1,000.00'", ["lc_monetary"]],
    ["name::xml is not null", ["xmloption"]],
    ["name::timestamptz < at", ["datestyle", "timezone"]],
    ["greatest(at, on_day) = at", ["timezone"]],
    ["at in (local)", ["timezone"]],
    ["case on_day when at then true end", ["timezone"]],
    ["period && '[2025-01-01,2025-02-01)'", ["datestyle", "timezone"]],
    ["to_tsvector(name) is null", ["default_text_search_config", "search_path"]],
    [
      "isfinite('2025-01-01')",
      ["datestyle", "intervalstyle", "lc_monetary", "search_path", "timezone", "xmloption"],
    ],
    ["name = current_schema", ["search_path"]],
    ["mail = 'x'", ["*", "search_path"]],
    ["name % 'x'", ["*", "search_path"]],
    ["name::mood is null", ["search_path"]],
    ["'orders'::regclass is null", ["search_path"]],
    ['name collate "odd" = name', ["search_path"]],
    ["name = current_setting('App.Tenant')", ["app.tenant"]],
  ])("%s by %j", (sql, expected) => {
    expect(dependsOn(sql)).toEqual(expected);
  });

  test("anything, where it is not known what a rule does", () => {
    for (const sql of [
      "app.stable(id) = 'x'",
      "app.none(id)",
      "some_stable(name) = 'x'",
      "(id, at) = (1, at)",
    ])
      expect(dependsOn(sql)).toContain("datestyle");
    expect(dependsOn("app.fixed(id) = 'x'")).not.toContain("search_path");
    expect(dependsOn("address > '1'")).toContain("timezone");
  });
});
