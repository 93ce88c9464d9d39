/** A text of at most `bytes` that costs much to judge, for the bench's role with a row rule. */
export type HostileText = { readonly name: string; readonly text: (bytes: number) => string };

const filled = (
  bytes: number,
  before: string,
  unit: (index: number) => string,
  between = ", ",
  behind = "",
) => {
  const parts: string[] = [];
  for (let index = 0, left = bytes - before.length - behind.length; ; index++) {
    const part = unit(index);
    left -= part.length + between.length;
    if (left < 0) return before + parts.join(between) + behind;
    parts.push(part);
  }
};

const accounts = "pgbench_accounts";

/** What a parser, a walk, a rewriting and a comparison like least, each in its own way. */
export const hostileTexts: readonly HostileText[] = [
  {
    name: "many relations with a rule",
    text: (bytes) => filled(bytes, "SELECT 1 FROM ", (n) => `${accounts} a${n}`),
  },
  {
    name: "many relations behind a barrier",
    text: (bytes) =>
      filled(bytes, "SELECT 1 FROM ", (n) => `${accounts} a${n}`, ", ", " WHERE 1 / a0.bid = 1"),
  },
  {
    name: "sub-selects",
    text: (bytes) => filled(bytes, "SELECT ", () => `(SELECT 1 FROM ${accounts})`),
  },
  {
    name: "queries of WITH",
    text: (bytes) => filled(bytes, "WITH ", (n) => `x${n} AS (TABLE ${accounts})`, ", ", " SELECT 1"),
  },
  {
    name: "joins",
    text: (bytes) => filled(bytes, `SELECT 1 FROM ${accounts} a `, () => `JOIN ${accounts} USING (aid)`, " "),
  },
  {
    name: "columns with the relation's name",
    text: (bytes) => filled(bytes, "SELECT ", () => "a.aid", ",", ` FROM ${accounts} a`),
  },
  {
    name: "whole rows",
    text: (bytes) => filled(bytes, "SELECT ", () => "a", ",", ` FROM ${accounts} a`),
  },
  {
    name: "conditions",
    text: (bytes) => filled(bytes, `SELECT 1 FROM ${accounts} WHERE `, (n) => `aid + ${n} = 1`, " OR "),
  },
  { name: "calls", text: (bytes) => filled(bytes, "SELECT ", () => "abs(-1)") },
  { name: "calls that are blanked", text: (bytes) => filled(bytes, "SELECT ", () => "pg_table_size(1)") },
  {
    name: "brackets, then columns",
    text: (bytes) => {
      const depth = Math.min(450, Math.floor(bytes / 4));
      return filled(
        bytes,
        `SELECT ${"(".repeat(depth)}1${")".repeat(depth)}, `,
        () => "aid",
        ",",
        ` FROM ${accounts}`,
      );
    },
  },
  { name: "statements", text: (bytes) => filled(bytes, "", () => `TABLE ${accounts}`, ";") },
  { name: "operators", text: (bytes) => filled(bytes, "SELECT ", () => "1+-1", ",") },
  { name: "runs of operators", text: (bytes) => `SELECT 1 ${"+-".repeat((bytes - 12) / 2)} 1` },
  { name: "openers of comments", text: (bytes) => `SELECT 1 ${"/*".repeat((bytes - 10) / 2)}` },
  { name: "comments", text: (bytes) => filled(bytes, "SELECT ", () => "'a' -- b\n 'c'") },
  { name: "types", text: (bytes) => filled(bytes, "SELECT ", () => "'1'::int") },
  {
    name: "constants in IN",
    text: (bytes) => filled(bytes, `SELECT 1 FROM ${accounts} WHERE aid IN (`, (n) => String(n), ",", ")"),
  },
  { name: "control characters", text: (bytes) => `SELECT '${"\x01".repeat(bytes - 9)}'` },
  {
    name: "a syntax error at the end",
    text: (bytes) => filled(bytes, "SELECT ", () => "1+1", ",", " FROM FROM"),
  },
];
