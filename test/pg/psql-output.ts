import type { Client, DatabaseError, FieldDef, QueryArrayResult } from "pg";

/** smallint, integer, bigint, numeric, real, double precision, oid: what psql puts at the right. */
const numbers: ReadonlySet<number> = new Set([20, 21, 23, 26, 700, 701, 1700]);

/** The table that psql prints of a result (`\pset format aligned`). */
function aligned({ fields, rows }: Pick<QueryArrayResult, "fields" | "rows">): string {
  const cells = (rows as (string | null)[][]).map((row) => row.map((value) => value ?? ""));
  const widths = fields.map(({ name }, at) => Math.max(name.length, ...cells.map((row) => row[at]!.length)));
  const head = fields.map(({ name }, at) => centred(name, widths[at]!)).join("|");
  const rule = widths.map((width) => "-".repeat(width + 2)).join("+");
  const body = cells.map((row) =>
    row.map((value, at) => ` ${side(value, widths[at]!, fields[at]!)} `).join("|"),
  );
  const count = `(${rows.length} ${rows.length === 1 ? "row" : "rows"})`;
  return [head, rule, ...body, count].map((line) => line.trimEnd()).join("\n");
}

function centred(text: string, width: number): string {
  const before = Math.floor((width - text.length) / 2);
  return ` ${" ".repeat(before)}${text}${" ".repeat(width - text.length - before)} `;
}

function side(value: string, width: number, { dataTypeID }: FieldDef): string {
  return numbers.has(dataTypeID) ? value.padStart(width) : value.padEnd(width);
}

/** What psql prints of an error. */
export function shownError({ message, detail, hint, where }: DatabaseError): string {
  const parts = { ERROR: message, DETAIL: detail, HINT: hint, CONTEXT: where };
  return Object.entries(parts)
    .flatMap(([name, text]) => (text === undefined ? [] : [`${name}:  ${text}`]))
    .join("\n");
}

const asSent = { getTypeParser: () => String };

/** Runs SQL and gives what psql would print: a table for each result with columns, the tag for all others. */
export async function psqlOutput(client: Client, sql: string): Promise<string> {
  const tags: string[] = [];
  const { connection } = client as unknown as { connection: NodeJS.EventEmitter };
  const keep = ({ text }: { text: string }): void => void tags.push(text);
  connection.on("commandComplete", keep);
  try {
    const answer = (await client.query({ text: sql, rowMode: "array", types: asSent })) as
      | QueryArrayResult
      | QueryArrayResult[];
    const results = Array.isArray(answer) ? answer : [answer];
    return results.map((result, at) => (result.fields.length > 0 ? aligned(result) : tags[at])).join("\n");
  } finally {
    connection.off("commandComplete", keep);
  }
}
