import type { EventEmitter } from "node:events";
import { Client, DatabaseError } from "pg";
import { isThisMachine } from "../identity/loopback.ts";
import { ownDatabase } from "../config/read-databases.ts";

/** Where and as whom a command talks to a running rolegate: as any client does. */
export type OwnConnection = {
  /** To rolegate's own database, for node-postgres. */
  readonly url: string;
  /** Whether a password may go there as it is: to this machine, or to a server whose certificate is verified. */
  readonly trusted: boolean;
  /** The database that the URL or the environment names for other work; undefined: none. */
  readonly database: string | undefined;
};

/** What rolegate answers, by column. */
export type OwnRow = Readonly<Record<string, string>>;

/** Where rolegate listens unless it is told otherwise. */
const usual = { host: "127.0.0.1", port: "6432" };

const fromEnvironment = {
  sslmode: "PGSSLMODE",
  sslrootcert: "PGSSLROOTCERT",
  sslcert: "PGSSLCERT",
  sslkey: "PGSSLKEY",
};

/**
 * @param given `postgres://user@host:port/database`; what it leaves out comes from PGHOST, PGPORT, PGUSER, PGDATABASE,
 *   PGSSLMODE, PGSSLROOTCERT, PGSSLCERT and PGSSLKEY, the password from PGPASSWORD or the password file.
 * @throws Error for a URL that is none; it is not quoted, for it may hold a password
 */
export function ownConnection(given: string | undefined, env: NodeJS.ProcessEnv): OwnConnection {
  const url = URL.parse(given ?? "postgres://");
  if (url === null || !/^postgres(?:ql)?:$/.test(url.protocol))
    throw new Error("--url: expected postgres://user@host:port/database");
  const parameters = url.searchParams;
  for (const [name, variable] of Object.entries(fromEnvironment)) {
    const value = env[variable];
    if (value !== undefined && value !== "" && !parameters.has(name)) parameters.set(name, value);
  }
  // Else node-postgres gives some modes another meaning than every other client does.
  if (parameters.has("sslmode")) parameters.set("uselibpqcompat", "true");
  const user = url.username || encodeURIComponent(env["PGUSER"] ?? "");
  const login = `${user}${url.password === "" ? "" : `:${url.password}`}`;
  const host = url.hostname || (env["PGHOST"] ?? usual.host);
  const port = url.port || (env["PGPORT"] ?? usual.port);
  const verified = /^verify-(?:full|ca)$/.test(parameters.get("sslmode") ?? "");
  return {
    trusted: verified || isThisMachine(host.replaceAll(/[[\]]/g, "")),
    url: `postgres://${login}${login === "" ? "" : "@"}${host}:${port}/${ownDatabase}?${parameters.toString()}`,
    database: decodeURIComponent(url.pathname.slice(1)) || env["PGDATABASE"],
  };
}

/**
 * Has one command done.
 * @throws DatabaseError for rolegate's refusal, another Error where it cannot be asked
 */
export async function tell({ url, trusted }: OwnConnection, command: string): Promise<readonly OwnRow[]> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
    application_name: "rolegate",
  });
  client.on("error", () => {});
  if (!trusted) keepPassword(client);
  try {
    await client.connect();
  } catch (error) {
    // Not a DatabaseError: who cannot log in was not refused the command.
    throw new Error(`cannot log in to rolegate: ${messageOf(error)}`, { cause: error });
  }
  try {
    const { rows } = await client.query<OwnRow>(command);
    return rows;
  } finally {
    await client.end().catch(() => {});
  }
}

/** Whoever answers can ask for the password itself, or for a hash that is as good, and tokens are asked for in this way. */
function keepPassword(client: Client): void {
  const inside = client as unknown as Record<string, unknown> & { readonly connection: EventEmitter };
  const refuse = (): void => {
    const message = "the server asks for the password itself; that needs sslmode=verify-full or verify-ca";
    inside.connection.emit("error", new Error(message));
  };
  inside["_handleAuthCleartextPassword"] = inside["_handleAuthMD5Password"] = refuse;
}

/** A refusal with its DETAIL and HINT, on lines of their own. */
export function refusalLines(error: unknown): readonly string[] | undefined {
  if (!(error instanceof DatabaseError)) return undefined;
  const { message, detail, hint } = error;
  return [message, ...(detail ? [`DETAIL: ${detail}`] : []), ...(hint ? [`HINT: ${hint}`] : [])];
}

function messageOf(error: unknown): string {
  // With several addresses there is one error for each, and no message.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}
