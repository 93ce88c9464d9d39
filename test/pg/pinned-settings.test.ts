import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCatalog } from "../../src/catalog/load.ts";
import type { Catalog } from "../../src/catalog/catalog.ts";
import { compileRole } from "../../src/policy/grants.ts";
import { readRoleFile } from "../../src/policy/read.ts";
import { pinNotes, pinsOf } from "../../src/policy/pinned-settings.ts";
import { loadParser, type Parser } from "../../src/sql/parser.ts";
import { createTestDatabase, describeServers, type TestDatabase } from "./embedded-database.ts";

const schema = `
  create schema app; create schema other;
  create type app.mood as enum ('sad', 'ok'); create type other.mood as enum ('ok', 'sad', 'glad');
  create type public.grade as enum ('a', 'b');
  create domain public.day as date;
  create extension citext schema public; create extension pg_trgm schema public;
  create table other.plain (at timestamp);
  create table t (id int, name text, code varchar(20), on_day date, at timestamptz, local timestamp, hour time,
    zoned timetz, span interval, weight float8, raw bytea, price money, period tstzrange, days daterange, mood app.mood,
    grade public.grade, mail citext, born public.day, tags text[], dates date[], doc jsonb);
  insert into t values
    (1, 'one', '1', '2025-01-01', '2024-12-31 23:30:00+00', '2025-01-01 00:00', '10:00', '10:00+02', '1 day 02:03:04.5',
     0.1::float8 + 0.2, '\\x00ff', 1.5, '[2024-12-31 12:00+00,2025-01-02 00:00+00)', '[2025-01-01,2025-02-01)', 'ok', 'a',
     'A@b', '2025-02-03', '{a,b}', '{2025-01-01}', '{"at": "2025-01-01"}'),
    (2, 'TWO', '02', '2025-02-03', '2025-03-30 01:30:00+00', '2025-03-30 02:30', '23:30', '23:30-05', '-1 day 02:03:04',
     1e-7, '\\x41', -2, '[2025-01-01,2025-01-01 05:00+00)', '[2025-03-02,)', 'sad', 'b', 'a@B', '2025-03-02', '{}', null, '{}');
  create function public.stable_text(int) returns text language sql stable as
    $$ select current_setting('TimeZone') || $1 $$;
  create function public.pure(text) returns text language sql immutable as $$ select upper($1) $$;
  create function public.pure_day(timestamptz) returns boolean language sql immutable as
    $$ select $1 < '2025-01-01 00:00+00' $$;
  create function pg_temp.evaluate(rule text) returns text language plpgsql as $$
  declare result text;
  begin
    execute 'select string_agg(coalesce((' || rule || ')::text, ''null''), '','' order by t.id) from public.t' into result;
    return result;
  exception when others then
    return 'error';
  end $$;`;

/** Other values of each setting than those that a session begins with here. */
const others: readonly (readonly [string, string])[] = [
  ["timezone", "America/New_York"],
  ["timezone", "Asia/Tokyo"],
  ["datestyle", "SQL, DMY"],
  ["datestyle", "German"],
  ["datestyle", "ISO, YMD"],
  ["intervalstyle", "sql_standard"],
  ["intervalstyle", "iso_8601"],
  ["bytea_output", "escape"],
  ["extra_float_digits", "-10"],
  ["xmloption", "document"],
  ["default_text_search_config", "german"],
  ["quote_all_identifiers", "on"],
  ["search_path", "other, public"],
  ["search_path", ""],
];

const columns =
  "id name code on_day at local hour zoned span weight raw price period days mood grade mail born".split(" ");
const literals = [
  "'2025-01-01'",
  "'2025-01-01 00:00'",
  "'2025-01-01 00:00+00'",
  "'2025-01-01 00:00 UTC'",
  "'10:00'",
  "'1 day'",
  "'-1 day 2:03:04'",
  "'36 hours'",
  "'ok'",
  "'a@b'",
  "'1.5'",
  "'[2025-01-01,2025-02-01)'",
  "'infinity'",
  "'\\x41'",
];

/** Rules of every shape: what one of them gives under another setting must not differ unless the setting is pinned. */
const rules: readonly string[] = [
  ...columns.flatMap((one) => [
    ...literals.flatMap((literal) => [
      `${one} < ${literal}`,
      `${one} in (${literal})`,
      `${one} + ${literal} is null`,
    ]),
    ...columns.flatMap((other) => [`${one} < ${other}`, `coalesce(${one}, ${other})::text`]),
    `${one}::text`,
    `left(${one}::text, 12)`,
    `concat(${one}, 'x')`,
    `md5(('x' || ${one})::text)`,
    `to_json(${one})::text`,
    `format('%s', ${one})`,
    `quote_literal(${one})`,
    ...["date", "timestamp", "timestamptz", "time", "timetz", "interval", "text", "bytea"].map(
      (type) => `(${one}::${type} < ${one}::${type}) or ${one}::${type} = '2025-01-01'`,
    ),
    ...["year", "hour", "epoch", "day"].map((field) => `extract(${field} from ${one})::int`),
    ...["day", "month"].map((field) => `date_trunc('${field}', ${one}) < ${one}`),
    `date_trunc('day', ${one}, 'Europe/Zurich') = date_trunc('day', ${one})`,
    `to_char(${one}, 'YYYY-MM-DD HH24:MI TMMonth')`,
    `to_char(${one}, '999D9')`,
    `extract(day from age(${one}, '2024-06-30'))::int`,
    `(${one} at time zone 'Asia/Tokyo') < '2025-01-01 06:00'`,
    `extract(hour from ${one} at time zone 'Asia/Tokyo')::int`,
    `${one} + interval '3 months 2 days' < '2025-04-02 02:00+00'`,
    `${one} + interval '36 hours' < '2025-01-02 12:00+00'`,
    `${one} - interval '89 days' < '2024-12-31 02:00+00'`,
    `${one} > now() - interval '90 days'`,
    `greatest(${one}, '2025-01-01')::text`,
    `case when id = 1 then ${one} else ${one} end < '2025-01-01'`,
    `date_bin('1 day', ${one}, '2025-01-01') < '2025-01-01'`,
    `isfinite(${one})`,
    `(${one}, ${one}) overlaps ('2025-01-01', '2025-01-02')`,
    `lower(${one})::text`,
    `upper(${one}) = 'ONE'`,
    `length(${one}) > 3`,
    `public.pure(${one}) = 'ONE'`,
    `public.pure_day(${one})`,
    `nullif(${one}, '2025-01-01') is null`,
    `${one} between '2025-01-01' and '2025-02-01'`,
    `${one} is distinct from '2025-01-01'`,
    `array[${one}]::text`,
    `${one} = any(array['2025-01-01', '2025-02-03'])`,
    `jsonb_build_object('x', ${one})::text`,
    `concat_ws('-', 'a', ${one})`,
    `row_to_json(row(${one}))::text`,
    `make_date(2025, 1, 1) = ${one}`,
    `make_timestamptz(2025, 1, 1, 0, 0, 0) > ${one}`,
    `tstzrange('2025-01-01', null) @> ${one}`,
    `${one} <@ daterange('2025-01-01', null)`,
  ]),
  "pure_day('2025-01-01')",
  "public.pure_day('2025-01-01')",
  "public.stable_text(id)",
  "'ok'::mood::text",
  "mood > 'ok'::app.mood",
  "grade = 'a'::grade",
  "grade = 'a'",
  "mail = 'A@B'",
  "mail <> 'A@B' and id = 1",
  "mail like 'A%'",
  "replace(mail, 'A', 'x')",
  "name % 'one'",
  "name = 'one' or code = '1'",
  "name <> code",
  "'t'::regclass is not null",
  "to_regclass('t') is null",
  "to_tsvector(name)::text",
  "to_tsvector('english', name)::text",
  "current_schema",
  "xmlparse(content '<a/><b/>')::text",
  "'<a/><b/>'::xml::text",
  "quote_ident(name)",
  "dates[1] < '2025-02-01'",
  "tags @> '{a}'",
  "'a' = any(tags)",
  "on_day = any(dates)",
  "dates::text",
  "to_date('01 02 2025', 'DD MM YYYY') < on_day",
  "to_timestamp('2025-01-01', 'YYYY-MM-DD') < at",
  "to_timestamp(1735689600) < at",
  "(doc ->> 'at')::timestamptz < at",
  "(doc ->> 'at')::date < on_day",
  "jsonb_path_query_first_tz(doc, '$.at.datetime()')::text",
  "born < '2025-03-01'",
  "current_setting('TimeZone') = 'UTC'",
  "weight::numeric::text",
  "round(weight::numeric, 2)::text",
  "sqrt(weight)::text",
  "weight::int",
  "name ~ '^o' and name similar to 'o%'",
  "encode(raw, 'hex')",
  "md5(raw::text)",
  "md5(at::text)",
  "hashtext(on_day::text)",
  "current_date > on_day",
  "localtimestamp > local",
  "now()::date > on_day",
  "extract(hour from now() at time zone 'UTC') >= 0",
];

describeServers((server) => {
  let database: TestDatabase;
  let client: Client;
  let catalog: Catalog;
  let parser: Parser;
  beforeAll(async () => {
    database = await createTestDatabase({ server });
    client = new Client({ connectionString: database.adminUrl });
    await client.connect();
    await client.query(schema);
    await client.query("set timezone = 'UTC'; set search_path = pg_catalog, pg_temp");
    catalog = (
      await readCatalog(async (text) => (await client.query<string[]>({ text, rowMode: "array" })).rows[0]!)
    ).catalog;
    await client.query("reset search_path");
    parser = await loadParser(catalog.serverMajor);
  });
  afterAll(async () => {
    await client?.end();
    await database?.close();
  });

  test("what is pinned is told with its place, by the types that the columns have in each relation", () => {
    const { roleFile: file } = readRoleFile(roleFile, "roles/r.yaml");
    const compiled = compileRole(file!, parser);
    if (compiled.kind === "refused") throw new Error(JSON.stringify(compiled.problems));
    expect(
      pinNotes(compiled.role, catalog).map(({ line, message, found }) => [line, message, found]),
    ).toEqual([
      [
        5,
        "sessions keep datestyle, timezone, timezone_abbreviations as the database has them",
        "'2025-01-01'",
      ],
      [6, "sessions keep lc_monetary as the database has them", "'1'"],
    ]);
  });

  test("a rule gives the same under every setting that is not pinned", async () => {
    const sent = rules.map((rule) => compile(rule, parser)).filter((found) => found !== undefined);
    expect(sent.length).toBeGreaterThan(rules.length * 0.95);
    const evaluate = async () =>
      (
        await client.query<{ result: string }>(
          "select pg_temp.evaluate(rule) as result from unnest($1::text[]) with ordinality u(rule, n) order by n",
          [sent.map(({ text }) => text)],
        )
      ).rows.map(({ result }) => result);
    const before = await evaluate();
    const moved: string[] = [];
    const needless: number[] = [];
    for (const [setting, value] of others) {
      await client.query("select set_config($1, $2, false)", [setting, value]);
      const after = await evaluate();
      await client.query(`reset ${setting}`);
      for (const [index, { rule, role }] of sent.entries()) {
        const pinned = pinsOf(role, catalog).has(setting);
        // Where an error takes the place of a result nothing is shown.
        if (after[index] === before[index] || after[index] === "error") continue;
        if (!pinned) moved.push(`${setting} = ${value}: ${rule}: ${before[index]} → ${after[index]}`);
        else needless.push(index);
      }
    }
    expect(moved).toEqual([]);
    // The test would be worth nothing if no setting moved any rule.
    expect(needless.length).toBeGreaterThan(100);
  });
});

/** Rules beside one another in a file, one of them for a whole schema. */
const roleFile = `role: r
database: d
tables:
  t:
    select: { rows: "at > '2025-01-01'", mask: { name: "left(name, 1)" } }
    insert: { check: "price > '1'" }
  other.*: { select: { rows: "at > '2025-01-01'" } }
`;

/** The rule as rolegate sends it, and a role that has it. */
function compile(rule: string, parser: Parser) {
  const file = `role: r\ndatabase: d\ntables:\n  t: { select: { mask: { id: ${JSON.stringify(rule)} } } }\n`;
  const { roleFile } = readRoleFile(file, "roles/r.yaml");
  const compiled = compileRole(roleFile!, parser);
  if (compiled.kind === "refused") return undefined;
  const [expression] = compiled.role.expressions.values();
  const text = expression!.pieces
    .map((piece) => (piece.kind === "text" ? piece.text : piece.kind === "column" ? piece.name : "''"))
    .join("");
  return { rule, role: compiled.role, text };
}
