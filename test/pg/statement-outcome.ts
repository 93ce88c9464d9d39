import { finished } from "node:stream/promises";
import { Client, DatabaseError, type ClientConfig, type QueryArrayResult } from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";

/** What came of a statement: its rows as text, or the error. */
export type Outcome =
  | { readonly kind: "rows"; readonly rows: readonly (readonly unknown[])[] }
  | { readonly kind: "error"; readonly code: string; readonly message: string };

/** A client that knows the state of its transaction without asking. */
export type StatefulClient = {
  /** Runs a statement as a tool would send it: by itself, or with values for its parameters. */
  run(sql: string, values: readonly unknown[]): Promise<Outcome>;
  inTransaction(): boolean;
  end(): Promise<void>;
};

export async function connectStateful(config: ClientConfig): Promise<StatefulClient> {
  const client = new Client(config);
  let status = "I";
  const { connection } = client as unknown as {
    connection: { on(event: string, listener: (message: { status: string }) => void): void };
  };
  client.on("error", () => {});
  connection.on("readyForQuery", (message) => (status = message.status));
  await client.connect();
  return {
    inTransaction: () => status !== "I",
    end: () => client.end(),
    run: async (sql, values) => {
      try {
        return { kind: "rows", rows: await rowsOf(client, sql, values) };
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        return { kind: "error", code: error.code ?? "", message: error.message };
      }
    },
  };
}

const asText = { getTypeParser: () => String };

async function rowsOf(client: Client, sql: string, values: readonly unknown[]): Promise<unknown[][]> {
  if (/^\s*copy\b/i.test(sql)) return [[await copied(client, sql)]];
  const query = { text: sql, rowMode: "array", types: asText } as const;
  const result = (await client.query(values.length > 0 ? { ...query, values: [...values] } : query)) as
    | QueryArrayResult
    | QueryArrayResult[];
  return (Array.isArray(result) ? result : [result]).flatMap(({ rows }) => rows as unknown[][]);
}

/** The text of COPY TO; nothing goes in by COPY FROM. */
async function copied(client: Client, sql: string): Promise<string> {
  if (/\bfrom\s+stdin/i.test(sql)) {
    const incoming = client.query(copyFrom(sql));
    incoming.end();
    await finished(incoming);
    return "";
  }
  const outgoing = client.query(copyTo(sql));
  let text = "";
  outgoing.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await finished(outgoing);
  return text;
}
