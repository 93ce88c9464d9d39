import type { Choices } from "./choices.ts";

/** The types that generated expressions know, by the name that SQL has for them. */
export type Type =
  | "int"
  | "bigint"
  | "smallint"
  | "numeric(12,2)"
  | "float8"
  | "text"
  | "varchar(60)"
  | "bpchar"
  | "boolean"
  | "date"
  | "timestamp"
  | "timestamptz"
  | "interval"
  | "uuid"
  | "mood"
  | "jsonb"
  | "int[]"
  | "text[]"
  | "bytea"
  | "inet"
  | "int4range"
  | "positive";

/**
 * What may be done with the values that a role sees. Those that it does not see break it: a hidden divisor is 0, hidden
 * digits are a word, so an expression that runs on a hidden row raises where it would not on any visible one.
 */
export type Flavor = "plain" | "digits" | "divisor" | "pattern" | "document";

export type ColumnKind = {
  readonly name: string;
  readonly type: Type;
  readonly flavor: Flavor;
  /** SQL literals of values that the role may see. */
  readonly shown: readonly string[];
  /** A value that it must not see; `secret` is a number of nine digits that stands nowhere else. */
  readonly hidden: (choices: Choices, secret: number) => string;
};

const text = (...values: string[]): string[] => values.map((value) => `'${value}'`);

/** A hidden text: found wherever it comes out, and no number, no pattern, no document. */
const hiddenText = (choices: Choices, secret: number): string =>
  `'${choices.pick(["", "(", "[", "{", "\\", "%"])}CANARY${secret}'`;

const hiddenNumber = (choices: Choices, secret: number): string => choices.pick(["0", String(secret)]);

/** A name has the same type in every table, so that NATURAL JOIN and USING find columns that compare. */
export const columnKinds: readonly ColumnKind[] = [
  { name: "n", type: "int", flavor: "divisor", shown: ["1", "2", "3", "5", "7"], hidden: hiddenNumber },
  {
    name: "digits",
    type: "text",
    flavor: "digits",
    shown: text("1", "2", "12", "40", "007"),
    hidden: hiddenText,
  },
  {
    name: "name",
    type: "text",
    flavor: "pattern",
    shown: text("Ann", "Ben", "cat", "", "a_b", "O''Neil"),
    hidden: hiddenText,
  },
  {
    name: "Mixed Case",
    type: "text",
    flavor: "plain",
    shown: text("x", "y", "Zoë", "two words"),
    hidden: hiddenText,
  },
  {
    name: "flag",
    type: "boolean",
    flavor: "plain",
    shown: ["true", "false"],
    hidden: (c) => c.pick(["true", "false"]),
  },
  {
    name: "kind",
    type: "mood",
    flavor: "plain",
    shown: text("draft", "paid", "done"),
    hidden: (c) => c.pick(["'secret'", "'draft'"]),
  },
  {
    name: "at",
    type: "timestamptz",
    flavor: "plain",
    shown: text("2025-01-01 00:00:00+00", "2025-06-30 12:30:00+00", "2024-02-29 23:59:59+00"),
    hidden: (c) => c.pick(["'infinity'", "'1999-09-09 09:09:09+00'"]),
  },
  {
    name: "day",
    type: "date",
    flavor: "plain",
    shown: text("2025-01-01", "2025-06-30", "2024-02-29"),
    hidden: (c) => c.pick(["'-infinity'", "'1999-09-09'"]),
  },
  {
    name: "amount",
    type: "numeric(12,2)",
    flavor: "divisor",
    shown: ["10.00", "20.50", "0.01", "-3"],
    hidden: (c, secret) => c.pick(["0", "'NaN'", String(secret)]),
  },
  {
    name: "big",
    type: "bigint",
    flavor: "divisor",
    shown: ["1", "-2", "30"],
    hidden: (c, secret) => c.pick(["0", `${secret}000000000`]),
  },
  {
    name: "small",
    type: "smallint",
    flavor: "divisor",
    shown: ["1", "2", "-3"],
    hidden: (c) => c.pick(["0", "32767"]),
  },
  {
    name: "code",
    type: "varchar(60)",
    flavor: "digits",
    shown: text("1", "22", "333"),
    hidden: hiddenText,
  },
  {
    name: "doc",
    type: "jsonb",
    flavor: "document",
    shown: text('{"a": 1}', '{"a": 2, "b": [1, 2]}', '{"a": 3, "b": []}'),
    hidden: (c, secret) => c.pick([`'{"a": "CANARY${secret}"}'`, `'["CANARY${secret}"]'`]),
  },
  {
    name: "list",
    type: "int[]",
    flavor: "plain",
    shown: text("{1,2}", "{}", "{3}"),
    hidden: (_c, secret) => `'{${secret},0}'`,
  },
  {
    name: "words",
    type: "text[]",
    flavor: "plain",
    shown: text("{a,b}", "{}", "{c,NULL}"),
    hidden: (_c, secret) => `'{CANARY${secret}}'`,
  },
  {
    name: "uid",
    type: "uuid",
    flavor: "plain",
    shown: text("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"),
    hidden: (_c, secret) => `'caca0000-0000-0000-0000-000${secret}'`,
  },
  { name: "fixed", type: "bpchar", flavor: "plain", shown: text("a", "b  ", "cc"), hidden: hiddenText },
  {
    name: "blob",
    type: "bytea",
    flavor: "plain",
    shown: text("\\x00", "\\xff01"),
    hidden: (_c, secret) => `'CANARY${secret}'`,
  },
  {
    name: "span",
    type: "interval",
    flavor: "plain",
    shown: text("1 day", "02:00", "-1 mon"),
    hidden: (_c, secret) => `'${secret} s'`,
  },
  {
    name: "local",
    type: "timestamp",
    flavor: "plain",
    shown: text("2025-01-01 10:00", "2024-02-29 00:00"),
    hidden: () => "'1999-09-09 09:09:09'",
  },
  {
    name: "ratio",
    type: "float8",
    flavor: "divisor",
    shown: ["1.5", "-0.25", "100"],
    hidden: (c, secret) => c.pick(["0", "'NaN'", `${secret}e298`]),
  },
  {
    name: "net",
    type: "inet",
    flavor: "plain",
    shown: text("10.0.0.1", "::1"),
    hidden: () => "'198.51.100.99'",
  },
  {
    name: "zone",
    type: "int4range",
    flavor: "plain",
    shown: text("[1,5)", "empty", "[3,)"),
    hidden: (_c, secret) => `'[${secret},)'`,
  },
  {
    name: "pos",
    type: "positive",
    flavor: "divisor",
    shown: ["1", "4", "9"],
    hidden: (_c, secret) => String(secret),
  },
  { name: 'odd"name', type: "int", flavor: "plain", shown: ["10", "20"], hidden: hiddenNumber },
];

/** The types and domains that the columns have. */
export const typesSql = `
create type mood as enum ('draft', 'paid', 'done', 'secret');
create domain positive as int check (value > 0);`;

const reserved = /^(?:select|at|day|local|zone)$/;

/** A name as SQL text. */
export function quoted(name: string): string {
  return /^[a-z_]+$/.test(name) && !reserved.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
