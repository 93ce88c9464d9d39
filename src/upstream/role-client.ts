import type { UpstreamTarget } from "../config/config.ts";
import { within } from "./deadline.ts";
import { HandshakeConnection } from "./handshake-connection.ts";
import { LoginClient } from "./login-client.ts";
import { startupParameters } from "./startup-message.ts";
import type { UpstreamLogin } from "./target.ts";
import { unavailable } from "./unavailable.ts";
import { loginFacts, unfitLogin, type LoginFacts, type WantedRole } from "./verify-login.ts";

/** Runs one statement with a role in force and nothing writable, and gives its rows. */
export type RoleQuery = <Row extends object>(sql: string) => Promise<readonly Row[]>;

/** Bytes of the longest row to take: a catalog comes in one. */
const longest = 256 * 1024 * 1024;

/**
 * Asks the database something as a role, on a connection of its own, opened as a session's is.
 * @param deadline milliseconds for the login
 * @throws RolegateError upstream_unavailable, its `cause` saying why; and what `work` throws
 */
export async function askAs<Answer>(
  target: UpstreamTarget,
  login: UpstreamLogin,
  { role, unrestricted }: WantedRole,
  deadline: number,
  work: (query: RoleQuery) => Promise<Answer>,
): Promise<Answer> {
  const settings = new Map([["default_transaction_read_only", "on"]]);
  const session = { role, settings, applicationName: "rolegate check" };
  const parameters = startupParameters(login.user, target.database, session);
  const connection = new HandshakeConnection(target, Infinity, longest);
  const client = new LoginClient(target, login, parameters, connection);
  client.on("error", () => {});
  const begin = async (): Promise<void> => {
    await client.connect();
    const { rows } = await client.query<LoginFacts>(loginFacts());
    const problem = unfitLogin(rows[0], login.user, { role, unrestricted });
    if (problem !== undefined) throw new Error(problem);
  };
  try {
    await within(deadline, "the login", begin());
  } catch (error) {
    connection.socketInUse.destroy();
    throw unavailable(error);
  }
  try {
    return await work(async <Row extends object>(sql: string) => (await client.query<Row>(sql)).rows);
  } finally {
    await client.end();
  }
}
