import { columnKinds, quoted, type Type } from "./columns.ts";
import { expression } from "./expressions.ts";
import { itemsIn, type Grammar, type Scope } from "./scope.ts";

/**
 * Ways in which a value gets out of an expression: by an error that quotes it, by one that comes or does not come, by what
 * it is looked up in, by what it is put into. `$` stands for the value, as text.
 */
const ways: Readonly<Partial<Record<Type, readonly string[]>>> = {
  int: [
    "$::int",
    "(1 / (length($) - 5))",
    "(1 / ascii($))",
    "($::numeric * 1000000000)::int",
    "to_number($, '999')::int",
    "date_part('year', $::date)::int",
    "json_array_length($::json)",
    "jsonb_array_length($::jsonb)",
    "(('{' || $ || '}')::int[])[1]",
    "cardinality(string_to_array($, 'A'))",
    "$::regclass::oid::int",
    "to_regclass($)::oid::int",
    "$::regrole::oid::int",
    "$::oid::int",
    "substring('abc' from length($) - 10)::int",
    "(2147483640 + length($))",
    "(select count(*)::int from generate_series(1, length($)))",
    "(select count(*)::int from regexp_matches('a', $))",
    "(select count(*)::int from json_each($::json))",
    "position($ in $)",
    "width_bucket(length($), 1, 1, 1)",
    "round(ln(length($) - 6))::int",
    "power(length($), 300)::int",
    "make_date(length($), 1, 1) - date '2000-01-01'",
    "has_table_privilege($, 'select')::int",
    "pg_column_size($)",
    "hashtext($)",
    "array_length(array_fill(1, array[length($)]), 1)",
    "chr(length($) - 4)::int",
    "num_nulls(nullif($, ''))",
    "(select length($) / nullif(count(*), 0) from pg_class)::int",
    "(select 1 from generate_series(1, length($)))",
    "extract(epoch from $::interval)::int",
    "(row($, 1)).f2",
    "strpos(current_setting('server_version'), $)",
    "lower_inf($::int4range)::int",
    "txid_snapshot_xmin($::txid_snapshot)::int",
    "($::pg_lsn - '0/0'::pg_lsn)::int",
    "pg_get_serial_sequence($, 'id')::regclass::int",
    "xmlexists('//a' passing xmlparse(document $))::int",
    "(xpath('/a/text()', $::xml))[1]::text::int",
    "masklen($::inet)",
    "(length($) % 7)",
  ],
  text: [
    "set_config('application_name', $, true)",
    "set_config('app.' || 'x', $, false)",
    "current_setting($)",
    "current_setting($, true)",
    "format($, 1)",
    "format('%s %I', 'x', $)",
    "convert_from($::bytea, 'utf8')",
    "decode($, 'hex')::text",
    "encode($::bytea, 'base64')",
    "regexp_replace('x', $, 'y')",
    "regexp_replace($, '(', 'y')",
    "repeat('a', length($) - 8)",
    "chr(ascii($) - 40)",
    "to_char(1, $)",
    "to_char(timestamptz '2025-01-01 00:00:00+00', $)",
    "translate($, 'CANRY', '12345')::int::text",
    "quote_ident($)",
    "$::name::text",
    "$::uuid::text",
    "$::xml::text",
    "$::jsonb::text",
    "$::regtype::text",
    "$::regproc::text",
    'pg_typeof($::"char")::text',
    "lpad('x', 10, $)",
    "md5($)",
    "query_to_xml($, true, true, '')::text",
    "table_to_xml($::regclass, true, true, '')::text",
    "pg_get_viewdef($::regclass)",
    "pg_describe_object('pg_class'::regclass, length($)::oid, 0)",
    "col_description($::regclass, 1)",
    "obj_description($::regclass)",
    "pg_read_file($)",
    "substr($, 1 - length($))",
    "split_part($, 'A', length($) - 12)",
    "overlay('abc' placing $ from length($) - 14)",
    "normalize($, nfc)",
    "string_to_array($, null)::text",
    "array_to_string(array[$], $)",
    "(select string_agg(x, $) from unnest(array['a', 'b']) x)",
    "(select x::text from (values (1, $)) x)",
    "unistr($)",
    "parse_ident($)::text",
    "json_build_object($, 1)::text",
    "json_object_agg($, 1)::text",
    "ts_headline($, to_tsquery($))",
    "to_tsquery($)::text",
    '($ collate "C")',
    "cast(row($) as text)",
  ],
  boolean: [
    "$::boolean",
    "'x' ~ $",
    "$ ~ '^CANAR'",
    "$ ~ ('(' || $)",
    "$ like $ escape $",
    "$ similar to '%' || $",
    "$ > 'CANAR'",
    "has_schema_privilege($, 'usage')",
    "has_column_privilege($, 'id', 'select')",
    "pg_has_role($, 'usage')",
    "has_function_privilege($, 'execute')",
    "$::jsonb @? '$.a'",
    "$::jsonb ? 'a'",
    "'{\"a\": 1}'::jsonb @> $::jsonb",
    "$::tsvector @@ $::tsquery",
    "jsonb_path_exists('[1]', $::jsonpath)",
    "$ in (select name::text from pg_settings)",
    "$ = (select current_setting('x.y'))",
    "exists (select regexp_matches($, '('))",
    "exists (select 1 / (length($) - 5))",
    "exists (select 1 offset length($) - 6)",
    "(length($) > 5 and 1 / (length($) - 6) > 0)",
    "case when length($) > 6 then 1 / 0 > 1 else true end",
    "row($, 1) = row('x', 1 / (length($) - 5))",
    "$ = any(string_to_array($, $))",
    "xml_is_well_formed($)",
    "pg_input_is_valid($, 'int')",
    "starts_with($, 'CAN')",
    "inet '10.0.0.0' >> $::inet",
    "int4range(length($), 8) @> 7",
    "$ is not null",
    "($, 1) in (select $, 1)",
    "lower($) between 'c' and 'd'",
  ],
  date: ["$::date", "to_date($, 'YYYY')", "to_date('2025', $)", "make_date(length($), 13, 1)"],
  timestamptz: [
    "$::timestamptz",
    "to_timestamp($, 'YYYY')",
    "timestamptz '2025-01-01 00:00:00+00' at time zone $ at time zone $",
    "date_trunc($, timestamptz '2025-01-01 00:00:00+00')",
  ],
  "numeric(12,2)": [
    "$::numeric(12,2)",
    "(1.0 / (length($) - 12))::numeric(12,2)",
    "exp(length($) * 1000)::numeric(12,2)",
  ],
  jsonb: [
    "$::jsonb",
    "jsonb_build_object($, $)",
    "to_jsonb($::json)",
    "jsonb_set('{}', array[$], 'null')",
    "jsonb_path_query_array('[1]', $::jsonpath)",
  ],
  "int[]": ["$::int[]", "array[length($) / (length($) - 12)]", "string_to_array($, ',')::int[]"],
  mood: ["$::mood", "('x' || $)::mood"],
};

/** An expression that would show what it must not, on some row that the role does not see or of some column. */
export function hostileExpression(
  grammar: Grammar,
  type: Type,
  scope: Scope,
  depth: number,
): string | undefined {
  const { choices } = grammar;
  if (!choices.chance(depth <= 0 ? 3 : 7)) return undefined;
  const value = secretText(grammar, scope, depth);
  const templates = ways[type];
  if (value === undefined || templates === undefined) return undefined;
  const text = choices.pick(templates).replaceAll("$.a", "\0").replaceAll("$", value).replaceAll("\0", "$.a");
  return choices.chance(20) ? `coalesce(${text}, null)` : `(${text})`;
}

/** A value as text: mostly a column that may be named, sometimes one that may not, a whole row, or an expression of these. */
function secretText(grammar: Grammar, scope: Scope, depth: number): string | undefined {
  const { choices } = grammar;
  const items = itemsIn(scope).filter(({ rowless }) => rowless !== true);
  if (items.length === 0) return undefined;
  const item = choices.pick(items);
  const alias = quoted(item.alias);
  if (choices.chance(8)) return `${alias}.${quoted(choices.pick(columnKinds).name)}::text`;
  if (choices.chance(8))
    return choices.pick([`${alias}::text`, `row_to_json(${alias})::text`, `hashtext(${alias}::text)::text`]);
  if (depth > 0 && choices.chance(15)) return `(${expression(grammar, "text", scope, depth - 1)})`;
  if (item.columns.length === 0) return undefined;
  return `${alias}.${quoted(choices.pick(item.columns).name)}::text`;
}
