import type { Socket } from "node:net";
import { chooseRole } from "../../access/choose-role.ts";
import type { Subject } from "../../access/revocations.ts";
import type { Recorder } from "../../audit/recorder.ts";
import type { Config } from "../../config/config.ts";
import { ownDatabase } from "../../config/read-databases.ts";
import { problemOf, refuse, RolegateError, sqlstate, type Problem } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import type { Metrics } from "../../metrics.ts";
import type { TlsServer } from "../../net/tls.ts";
import { errorResponse } from "../../wire/error-fields.ts";
import { truncateName } from "../../sql/names.ts";
import { negotiateProtocolVersion } from "../../wire/negotiate-protocol-version.ts";
import { authenticate } from "./authenticate.ts";
import { useRole, type AccessNow } from "../access-now.ts";
import type { CancelKeys } from "../cancel-keys.ts";
import type { FailedLogins } from "./failed-logins.ts";
import { guarded } from "./guard.ts";
import type { Database } from "../database.ts";
import { ClientGone, Inbox } from "./inbox.ts";
import type { LiveSessions } from "../live-sessions.ts";
import type { TakenAway } from "../taken-away.ts";
import { LoginRefused } from "./login-refused.ts";
import { carrySettings, openRole } from "./open-role.ts";
import { readOpening, type ClientAddress, type Opening, type Startup } from "./opening.ts";
import { startOwnSession } from "../own-database/start.ts";
import type { Requests } from "../requests.ts";
import { startSession } from "./start-session.ts";
import { requestedSettings } from "./startup-settings.ts";

/** What all connections of one proxy share. */
export type Gate = {
  readonly config: Config;
  /** What is shown to clients over TLS from now on; undefined: there is none. */
  readonly tls: () => TlsServer | undefined;
  /** Undefined: no load balancer says where clients are. */
  readonly trustedProxies: Config["listen"]["trustedProxies"];
  readonly recorder: Recorder;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly cancelKeys: CancelKeys;
  readonly sessions: LiveSessions;
  /** Undefined: there is no store. */
  readonly takenAway: TakenAway | undefined;
  readonly access: AccessNow;
  readonly failedLogins: FailedLogins;
  /** From which the answers to names that do not exist are made. */
  readonly mockSecret: Buffer;
  /** Undefined: there is no store, and so nothing to ask for. */
  readonly requests: Requests | undefined;
  /** The database of that name, once it can be reached; rejects with a RolegateError. */
  readonly database: (name: string) => Promise<Database>;
};

/** A connection that is not logged in yet. */
export type Login = {
  /** Settles when the connection has become a session or has ended; never rejects. */
  readonly settled: Promise<void>;
  /** Ends it; the client is told why, and has a moment to read it. */
  readonly abort: (problem: Problem) => void;
  /** Closes the connection now. */
  readonly destroy: () => void;
};

/** What is known of an accepted connection, and who hears how it goes on. */
export type Arrival = {
  /** A load balancer is at the other end, and must say first where the client is. */
  readonly proxied: boolean;
  /** Called when it has. */
  readonly located: (address: string) => void;
  /** Called when the client has proved who it is. */
  readonly authenticated: () => void;
};

/** Takes an accepted connection through everything that comes before its first statement. */
export function beginLogin(socket: Socket, gate: Gate, { proxied, located, authenticated }: Arrival): Login {
  let inbox: Inbox | undefined;
  let over = false;
  const abort = (problem: Problem): void => {
    if (over) return;
    // Before the startup packet nobody is known to speak Postgres; and what waits for it ends with the socket.
    if (inbox === undefined) socket.destroy();
    else inbox.abort(problem);
  };
  const timer = setTimeout(
    () => abort({ code: "authentication_timeout", message: "the login took too long" }),
    gate.config.limits.authenticationTimeout,
  );
  const work = async (): Promise<void> => {
    const opening = await readOpening(socket, { tls: gate.tls(), proxied, located });
    switch (opening.kind) {
      case "cancel": {
        const { processId, key, client } = opening;
        gate.cancelKeys.cancel(processId, key, { address: client.address, now: Date.now() });
        return;
      }
      case "closed":
        if (proxied && opening.problem !== undefined)
          gate.log.warn({ reason: opening.problem.message }, "a load balancer's connection was closed");
        return;
      case "startup":
        inbox = new Inbox(opening.socket);
        await logIn(inbox, opening, gate, authenticated);
    }
  };
  const settled = work()
    .catch((error: unknown) => gate.log.error({ err: error }, "a login failed unexpectedly"))
    .finally(() => {
      over = true;
      clearTimeout(timer);
    });
  return { settled, abort, destroy: () => void socket.destroy() };
}

type Opened = Extract<Opening, { kind: "startup" }>;

async function logIn(inbox: Inbox, opened: Opened, gate: Gate, authenticated: () => void): Promise<void> {
  const { startup } = opened;
  try {
    await begin(inbox, opened, gate, authenticated);
    gate.metrics.logins.succeeded++;
  } catch (error) {
    if (error instanceof ClientGone) return;
    const problem = problemOf(error);
    if (problem.code === "upstream_unavailable")
      gate.log.warn({ err: error }, "the database is not available");
    else if (problem.code === "internal") gate.log.info({ err: error }, "a login was given up");
    gate.metrics.logins.failed++;
    gate.recorder.loginFailed({
      client: shownAddress(opened.client),
      user: startup.parameters.get("user") ?? "",
      database: databaseName(startup),
      applicationName: startup.parameters.get("application_name") ?? "",
      tls: opened.tls !== undefined,
      sqlstate: sqlstate(problem),
      reason: error instanceof LoginRefused ? error.reason : problem.message,
    });
    inbox.channel.end(errorResponse(problem, "FATAL"));
  }
}

/** Who is this, which role may they take, what may it do, and a connection with that role in force. */
async function begin(
  inbox: Inbox,
  { startup, tls, clientCertificate, client }: Opened,
  gate: Gate,
  authenticated: () => void,
): Promise<void> {
  const { config, metrics, takenAway } = gate;
  const { channel } = inbox;
  const { address } = client;
  const encrypted = tls !== undefined;
  if (config.listen.tls?.mode === "require" && !encrypted)
    throw new LoginRefused("tls_required", "the connection requires TLS", "plaintext");
  if (clientCertificate.kind === "invalid")
    throw new LoginRefused(
      "not_admitted",
      "the client certificate is not valid",
      `the client certificate is not valid: ${clientCertificate.reason}`,
    );
  const { minor, reply } = negotiateProtocolVersion(startup.minor, startup.protocolOptions);
  if (reply !== undefined) channel.write(reply);
  const user = startup.parameters.get("user") ?? "";
  // Cut as the server cuts it: there must be room for the settings in the startup packet.
  const applicationName = truncateName(startup.parameters.get("application_name") ?? "");
  const requested = requestedSettings(startup.parameters);

  const name = databaseName(startup);
  const identity = await guarded(inbox, { user, address }, gate, (admit) =>
    authenticate(inbox, {
      stranger: { user, database: name, address, encrypted, certified: clientCertificate.kind === "valid" },
      clientCertificate,
      identities: config.identities,
      certificateHash: tls?.certificateHash,
      mockSecret: gate.mockSecret,
      admit,
    }),
  );
  authenticated();
  const asRole = (role?: string): Subject => ({
    identity,
    roles: role === undefined ? [] : [role],
    database: name,
  });
  await takenAway?.admit(asRole());

  const connection = { address, tls: encrypted, database: name, applicationName };
  if (name === ownDatabase)
    return startOwnSession(inbox, { identity, user, connection, client: shownAddress(client), minor }, gate);
  if (!config.databases.has(name)) refuse("unknown_database", `database "${name}" does not exist`);
  const rolesNow = () => gate.access.rolesFor(identity, connection, Date.now());
  const { roles, askable } = rolesNow();
  const chosen = chooseRole(user, identity, roles, askable);
  if (chosen.kind === "refused") throw new RolegateError(chosen.problem);
  takenAway?.check(asRole(chosen.role));
  const database = await gate.database(name);
  const deadline = config.limits.upstreamTimeout;
  const role = await openRole(
    { database, identity, role: chosen.role, settings: requested, applicationName, deadline },
    metrics,
  );
  startSession(
    inbox,
    role,
    {
      identity,
      database,
      rolesNow,
      connection,
      client: shownAddress(client),
      minor,
      openRole: async (to, { role: before, parameters, change, record }) => {
        await takenAway?.admit(asRole(to));
        useRole(to, rolesNow(), record);
        return openRole(
          {
            database,
            identity,
            role: to,
            settings: change?.anew === true ? requested : carrySettings(before, parameters),
            applicationName: parameters.get("application_name") ?? applicationName,
            deadline,
          },
          metrics,
        );
      },
    },
    gate,
  );
}

/** As the server does: without a database or with an empty one, the one that is called like the user. */
function databaseName({ parameters }: Startup): string {
  return parameters.get("database") || parameters.get("user") || "";
}

/** `127.0.0.1:54321`, `[::1]:54321`. */
function shownAddress({ address, port }: ClientAddress): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
