import { int16, int32, message, text } from "../../../src/wire/writer.ts";
import { say } from "../../pg/raw-connection.ts";
import type { Choices } from "./choices.ts";

/** A type, a value that the role sees, and values at its edges, where comparisons and conversions raise if they ever do. */
type Edge = { readonly type: string; readonly shown: string; readonly hidden: readonly string[] };

const edge = (type: string, shown: string, ...hidden: readonly string[]): Edge => ({ type, shown, hidden });

/** Types of columns, constants and parameters of conditions. */
const edges: readonly Edge[] = [
  edge("boolean", "true", "false"),
  edge("smallint", "1", "32767", "-32768", "0"),
  edge("integer", "1", "2147483647", "-2147483648", "0"),
  edge("bigint", "1", "9223372036854775807", "-1", "4294967296"),
  edge("oid", "1", "4294967295", "0"),
  edge("real", "1", "3.4e38", "NaN", "Infinity", "1e-45"),
  edge("double precision", "1", "1e308", "NaN", "Infinity", "5e-324"),
  edge("numeric", "1", "1e400", "NaN", "Infinity", "1e-400"),
  edge("numeric(12,2)", "1", "NaN", "9999999999.99"),
  edge("money", "1", "92233720368547758.07", "-92233720368547758.08"),
  edge("text", "1", "CANARY", "", "\\", "(", "pg_class"),
  edge("character varying(40)", "1", "CANARY", "", "\\"),
  edge("character(8)", "1", "CANARY", "", "\\"),
  edge("name", "1", "CANARY", "pg_class"),
  edge('"char"', "1", "C"),
  edge("uuid", "00000000-0000-0000-0000-000000000001", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
  edge("bytea", "\\x01", "\\xff", "CANARY"),
  edge("date", "2025-01-01", "infinity", "5874897-12-31", "4713-01-01 BC"),
  edge("time", "10:00", "24:00", "00:00"),
  edge("timetz", "10:00+00", "24:00+15", "00:00-15"),
  edge("timestamp", "2025-01-01 00:00", "infinity", "294276-12-31 23:59:59", "4713-01-01 BC"),
  edge(
    "timestamptz",
    "2025-01-01 00:00+00",
    "infinity",
    "294276-12-31 23:59:59+00",
    "4713-01-02 00:00+00 BC",
  ),
  edge("interval", "1 day", "178000000 years", "-178000000 years", "2147483647 days"),
  edge("mood", "draft", "secret", "paid"),
  edge("positive", "1", "2147483647", "99"),
  edge("word", "a", "CANARY", "pg_class"),
  edge("jsonb", "1", '{"a": "CANARY"}', '"CANARY"', "null"),
  edge("integer[]", "{1}", "{2147483647}", "{}", "{NULL}"),
  edge("bigint[]", "{1}", "{9223372036854775807}", "{}"),
  edge("numeric[]", "{1}", "{1e400}", "{NaN}"),
  edge("text[]", "{1}", "{CANARY}", "{(}"),
  edge("timestamptz[]", "{2025-01-01 00:00+00}", "{infinity}"),
  edge("inet", "10.0.0.1", "::1", "198.51.100.99/8"),
  edge("cidr", "10.0.0.0/8", "::/0"),
  edge("macaddr", "00:00:00:00:00:01", "ff:ff:ff:ff:ff:ff"),
  edge("int4range", "[1,2)", "empty", "(,)"),
  edge("numrange", "[1,2)", "[1e400,)", "empty"),
  edge("tstzrange", "[2025-01-01 00:00+00,)", "(,infinity)", "empty"),
  edge("bit(4)", "0001", "1111"),
  edge("varbit", "1", "", "1111"),
  edge("pg_lsn", "0/1", "FFFFFFFF/FFFFFFFF"),
  edge("xid", "1", "4294967295"),
  edge("regclass", "pg_class", "4294967295", "pg_type"),
  edge("regtype", "text", "4294967295"),
  edge("tsvector", "a", "canary:1"),
  edge("pair", "(1,a)", "(2147483647,CANARY)", "(,)"),
];

const column = (index: number): string => `c${index}`;
const literal = (value: string): string => `'${value.replaceAll("'", "''")}'`;
const rowOf = (tenant: number, id: number, values: readonly string[]): string =>
  `(${[id, tenant, ...values.map((value, index) => `${literal(value)}::${edges[index]!.type}`)].join(", ")})`;

const shownRow = edges.map(({ shown }) => shown);
const width = Math.max(...edges.map(({ hidden }) => hidden.length));
const edgeRows = Array.from({ length: width }, (_, row) =>
  edges.map(({ hidden }) => hidden[row % hidden.length]!),
);

/** A table of all types under a row rule that is dearer than any of the conditions, and one without a rule. */
export const matrixSql = `
create type mood as enum ('draft', 'paid', 'done', 'secret');
create domain positive as int check (value > 0);
create domain word as text;
create type pair as (a int, b text);
create table ruled (id int primary key, tenant int, ${edges.map(({ type }, index) => `${column(index)} ${type}`).join(", ")});
create table open (like ruled);
insert into open values ${rowOf(1, 1, shownRow)};`;

export const matrixRule = "lower(upper(lower(upper(lower(upper(tenant::text)))))) = identity.tenant";

/**
 * The rows of the ruled table, hidden ones first.
 * @param harmless what is hidden has the values of what is shown.
 */
export function matrixRows(harmless: boolean): string {
  const hidden = edgeRows.map((values, row) => rowOf(2, 10 + row, harmless ? shownRow : values));
  return `delete from ruled; insert into ruled values ${[...hidden, rowOf(1, 1, shownRow)].join(", ")};`;
}

const operators = ["=", "<>", "<", ">=", "is distinct from", "is not distinct from"];

/** A condition on a column, by what stands on its other side. */
export function matrixStatement(choices: Choices): {
  readonly text: string;
  readonly messages: readonly Buffer[];
} {
  const left = choices.int(edges.length);
  // Types that are next to each other in the list convert to each other more often than others.
  const right = choices.chance(60)
    ? (left + choices.int(7) + edges.length - 3) % edges.length
    : choices.int(edges.length);
  const { type, shown } = edges[right]!;
  const operator = choices.pick(operators);
  const own = `r.${column(left)}`;
  const constant = choices.pick([
    `${literal(shown)}::${type}`,
    `cast(${literal(shown)} as ${type})`,
    literal(shown),
    literal(edges[left]!.shown),
    "1",
    "1.5",
    "1e3",
    "null",
    "now()",
    "current_date",
    "localtimestamp",
    "true",
  ]);
  const other = `o.${column(right)}`;
  return choices.pick([
    () => plain(`${own} ${operator} ${constant}`),
    () => plain(`${constant} ${operator} ${own}`),
    () => plain(`${own} in (${constant}, ${literal(shown)})`),
    () => plain(`${own} not in (${literal(shown)}, ${constant})`),
    () => plain(`${own} between ${constant} and ${literal(shown)}`),
    () => plain(`${own} = any(array[${constant}])`),
    () => plain(`${own} = any(${literal(`{${edges[left]!.shown}}`)})`),
    () => plain(`${own} <> all(${literal(`{${shown}}`)}::${type.replace(/\[\]$/, "")}[])`),
    () => plain(`${own} ${operator} ${other}`, "ruled r, open o"),
    () => plain(`true`, `ruled r join open o on ${own} ${operator === "<>" ? "=" : operator} ${other}`),
    () => plain(`true`, `open o left join ruled r on ${own} ${operator} ${other} and ${own} is not null`),
    () => plain(`${own} in (select ${other} from open o)`),
    () => plain(`exists (select 1 from open o where ${own} ${operator} ${other})`),
    () => plain(`${own} ${operator} r.${column(right)}`),
    () => plain(`${own} is ${choices.pick(["true", "null", "not null", "not false", "unknown"])}`),
    () =>
      plain(
        `(${own} is null or ${own} ${operator} ${constant}) and not (${own} ${operator} ${literal(shown)})`,
      ),
    () =>
      plain(
        `r.id in (select max(q.id) from ruled q group by q.${column(left)} having max(q.${column(left)}) ${operator} ${constant})`,
      ),
    () => prepared(own, operator, type, shown),
    () => declared(own, operator, type, shown),
  ])();
}

function plain(condition: string, from = "ruled r"): { text: string; messages: Buffer[] } {
  const statement = `select count(*), min(r.id) from ${from} where ${condition}`;
  return { text: statement, messages: [say.query(statement)] };
}

function prepared(
  own: string,
  operator: string,
  type: string,
  shown: string,
): { text: string; messages: Buffer[] } {
  const texts = [
    `prepare p (${type}) as select count(*) from ruled r where ${own} ${operator} $1`,
    `execute p (${literal(shown)})`,
    "deallocate all",
  ];
  return { text: texts.join("; "), messages: texts.map((each) => say.query(each)) };
}

/** OIDs of types that a Parse message may declare (pg_type.dat). */
const oids: Readonly<Record<string, number>> = {
  boolean: 16,
  bytea: 17,
  '"char"': 18,
  name: 19,
  bigint: 20,
  smallint: 21,
  integer: 23,
  text: 25,
  oid: 26,
  xid: 28,
  real: 700,
  "double precision": 701,
  money: 790,
  "integer[]": 1007,
  "bigint[]": 1016,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  interval: 1186,
  numeric: 1700,
  uuid: 2950,
  regclass: 2205,
  regtype: 2206,
  jsonb: 3802,
};

function declared(
  own: string,
  operator: string,
  type: string,
  shown: string,
): { text: string; messages: Buffer[] } {
  const statement = `select count(*) from ruled r where ${own} ${operator} $1`;
  const parse = message("P", text("", "name"), text(statement, "sql"), int16(1), int32(oids[type] ?? 0));
  return {
    text: `${statement} with a parameter of type ${type}`,
    messages: [parse, say.bind("", "", [shown]), say.execute(""), say.sync],
  };
}
