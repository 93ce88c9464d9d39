import type { UpstreamTarget } from "../config/config.ts";
import { reset } from "../net/reset.ts";
import { terminate } from "../wire/frontend-rewrite.ts";
import { sendCancel } from "./cancel.ts";
import type { UpstreamConnection } from "./connection.ts";
import { within } from "./deadline.ts";
import { HandshakeConnection } from "./handshake-connection.ts";
import { LoginClient } from "./login-client.ts";
import { startupParameters, type SessionStart } from "./startup-message.ts";
import type { UpstreamLogin } from "./target.ts";
import { unavailable } from "./unavailable.ts";
import { loginFacts, unfitLogin, type LoginFacts } from "./verify-login.ts";

/** How long Terminate may take to get out before the socket is closed without it. */
const closeDeadline = 2_000; // ms

/** The settings on which judging relies, with the values that they may have; the server reports all of them. */
const required = {
  server_encoding: ["UTF8"],
  client_encoding: ["UTF8", "SQL_ASCII"],
  standard_conforming_strings: ["on"],
} as const;

/** The server does not know the login, or another password of it (invalid_password, invalid_authorization_specification). */
const wrongPassword: ReadonlySet<unknown> = new Set(["28P01", "28000"]);

/**
 * Opens a connection with `session.role` in force: pg does the handshake and one query that shows what the login is
 * worth, then its socket is taken over, paused and with no byte lost. A password that turns out to be wrong is asked for
 * anew, once: it may have been rotated since.
 * @param deadline milliseconds for all of it
 * @throws RolegateError upstream_unavailable, its `cause` for the log alone; nothing stays open then
 */
export async function connectUpstream(
  target: UpstreamTarget,
  login: UpstreamLogin,
  session: SessionStart,
  deadline: number,
): Promise<UpstreamConnection> {
  const until = performance.now() + deadline;
  const left = () => Math.max(1, Math.ceil(until - performance.now()));
  const { user, password } = login;
  try {
    if (typeof password === "string") return await open(target, { user, password }, session, left());
    const given = await within(left(), "the login's password", password());
    try {
      return await open(target, { user, password: given }, session, left());
    } catch (error) {
      if (!wrongPassword.has((error as { readonly code?: unknown }).code)) throw error;
      const renewed = await within(left(), "the login's password", password({ renew: true }));
      if (renewed === given) throw error;
      return await open(target, { user, password: renewed }, session, left());
    }
  } catch (error) {
    throw unavailable(error);
  }
}

async function open(
  target: UpstreamTarget,
  login: UpstreamLogin,
  session: SessionStart,
  deadline: number,
): Promise<UpstreamConnection> {
  let connection: HandshakeConnection | undefined;
  try {
    const parameters = startupParameters(login.user, target.database, session);
    const opened = (connection = new HandshakeConnection(target, 2));
    const reported = new Map<string, string>();
    opened.on("parameterStatus", (message: { parameterName: string; parameterValue: string }) =>
      reported.set(message.parameterName, message.parameterValue),
    );
    const client = new LoginClient(target, login, parameters, opened);
    const settings = await within(deadline, "the login", logIn(client, login.user, session));
    for (const [name, value] of Object.entries(required))
      if (!value.some((allowed) => allowed === reported.get(name)))
        throw new Error(`the server's ${name} is not ${value.join(" or ")}`);
    return takeOver(opened, target, { parameters: reported, settings });
  } catch (error) {
    connection?.socketInUse.destroy();
    throw error;
  }
}

async function logIn(
  client: LoginClient,
  user: string,
  { role, unrestricted = false, asked = [] }: SessionStart,
): Promise<ReadonlyMap<string, string>> {
  // After a failure pg may report once more, to nobody: without a listener that would end the process.
  client.on("error", () => {});
  await client.connect();
  const { rows } = await client.query<LoginFacts>(loginFacts(asked));
  const problem = unfitLogin(rows[0], user, { role, unrestricted });
  if (problem !== undefined) throw new Error(problem);
  return new Map(
    asked.map((name) => {
      const value = (rows[0]!.settings as Readonly<Record<string, unknown>> | null)?.[name];
      if (typeof value !== "string") throw new Error(`the server does not tell the value of ${name}`);
      return [name, value];
    }),
  );
}

function takeOver(
  { socketInUse: socket, transport, cancelKey: key }: HandshakeConnection,
  target: UpstreamTarget,
  known: Pick<UpstreamConnection, "parameters" | "settings">,
): UpstreamConnection {
  return {
    socket,
    processId: key?.processId,
    ...known,
    cancel: async () => {
      if (!socket.destroyed && key !== undefined) await sendCancel(target, key);
    },
    abandon: async () => {
      // In this order: a statement that is cancelled first makes room for the next one.
      reset(socket, transport);
      if (key !== undefined) await sendCancel(target, key);
    },
    close: () => {
      if (socket.destroyed) return;
      if (socket.writable) socket.end(terminate);
      const timer = setTimeout(() => socket.destroy(), closeDeadline).unref();
      socket.once("close", () => clearTimeout(timer));
      // A paused socket would never see the server's end.
      socket.resume();
    },
  };
}
