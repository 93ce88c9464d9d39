import { Client, DatabaseError } from "pg";

export type Answer =
  | {
      readonly kind: "rows";
      readonly columns: readonly string[];
      readonly rows: readonly (readonly string[])[];
    }
  | { readonly kind: "error"; readonly error: DatabaseError };

/** One of the demo's people, at the proxy's port. */
export type Visitor = {
  /** What the server answers, values as text. */
  ask(sql: string): Promise<Answer>;
  leave(): Promise<void>;
};

/** Connects as `user`; a token goes where the password would. */
export async function visit(port: number, user: string, password: string): Promise<Visitor> {
  const types = { getTypeParser: () => (value: string) => value };
  const client = new Client({
    host: "127.0.0.1",
    port,
    user,
    password,
    database: "shop",
    application_name: "rolegate demo",
    ssl: false,
    types,
  });
  await client.connect();
  return {
    ask: async (sql) => {
      try {
        const { fields, rows } = await client.query<(string | null)[]>({ text: sql, rowMode: "array" });
        const shown = rows.map((row) => row.map((value) => value ?? ""));
        return { kind: "rows", columns: fields.map(({ name }) => name), rows: shown };
      } catch (error) {
        if (error instanceof DatabaseError) return { kind: "error", error };
        throw error;
      }
    },
    leave: () => client.end(),
  };
}
