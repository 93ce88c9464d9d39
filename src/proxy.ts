import type { Socket } from "node:net";
import { Recorder } from "./audit/recorder.ts";
import type { Config, ListenTlsConfig } from "./config/config.ts";
import { readMockSecret } from "./config/mock-secret.ts";
import { startAdmin, type Admin, type Health } from "./console/admin.ts";
import { RolegateError } from "./errors.ts";
import type { Logger } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import { listen } from "./net/listen.ts";
import { loadTlsServer, type TlsServer } from "./net/tls.ts";
import { AccessNow } from "./session/access-now.ts";
import { reviewAccess } from "./session/access-review.ts";
import { CancelKeys } from "./session/cancel-keys.ts";
import { Databases } from "./session/databases.ts";
import { Entrance } from "./session/login/entrance.ts";
import { FailedLogins } from "./session/login/failed-logins.ts";
import { watchKeySets } from "./session/login/watch-key-sets.ts";
import { LiveSessions } from "./session/live-sessions.ts";
import { Requests } from "./session/requests.ts";
import { TakenAway } from "./session/taken-away.ts";
import { openStore, type OpenStore } from "./store/open.ts";

export type Proxy = {
  readonly address: string;
  readonly port: number;
  /** Undefined: nothing is served there. */
  readonly adminPort: number | undefined;
  /**
   * Shows this certificate to whoever connects from now on; sessions go on as they are.
   * @throws Error of node:crypto for a certificate or key that TLS cannot use; the one before it stays then
   */
  renewTls(tls: ListenTlsConfig): void;
  /**
   * Takes no new clients, ends the sessions at their next idle moment or after `deadline` milliseconds, and
   * writes the last line of the record.
   */
  close(deadline?: number): Promise<void>;
};

/** How long sessions may finish what they are at when the proxy stops, in milliseconds. */
const drainDeadline = 10_000;

/**
 * Builds everything from the configuration and listens.
 * @throws the system's error if it cannot listen or the record cannot be written; Error for a role that the
 *   server's grammar refuses. A database that cannot be reached is tried again when somebody wants it.
 */
export async function startProxy(config: Config, { log }: { readonly log: Logger }): Promise<Proxy> {
  const metrics = createMetrics();
  watchKeySets(config.identities.jwt, log, metrics);
  const recorder = Recorder.open({ directory: config.audit.directory, log, counts: metrics.audit });
  let tls = config.listen.tls && loadTls(config.listen.tls);
  const databases = new Databases(config, log, metrics);
  const sessions = new LiveSessions();
  let stopping = false;
  let store: OpenStore | undefined;
  let takenAway: TakenAway | undefined;
  const health = (): Health => {
    const needed = {
      audit: recorder.failure === undefined ? "ok" : "failing",
      ...databases.health(),
      ...(takenAway?.needed === true && takenAway.health()),
    } as const;
    const failing = Object.values(needed).includes("failing");
    const checks = { ...needed, ...takenAway?.health() };
    return { status: stopping ? "stopping" : failing ? "failing" : "ok", checks };
  };
  let requests: Requests | undefined;
  const access = new AccessNow(config.access, log, () => requests);
  const endReview = reviewAccess(sessions, access);
  let admin: Admin | undefined;
  try {
    if (config.store !== undefined) {
      store = await openStore(config.store, log);
      const options = { sessions, recorder, metrics, log };
      requests = new Requests(store.store, { ...options, entries: () => config.access });
      takenAway = new TakenAway(store, config.store, options, [requests.reader]);
    }
    await databases.openAll();
    const entrance = new Entrance({
      config,
      tls: () => tls,
      trustedProxies: config.listen.trustedProxies,
      recorder,
      metrics,
      log,
      sessions,
      failedLogins: new FailedLogins(config.limits.failedLogins, config.limits.authenticationTimeout),
      mockSecret: readMockSecret(config.identities.mockSecret, (error) =>
        log.warn(
          { err: error },
          "the secret for unknown names cannot be kept: a restart changes their salts, and theirs alone",
        ),
      ),
      requests,
      takenAway,
      access,
      cancelKeys: new CancelKeys(),
      database: (name) => databases.get(name),
    });
    if (config.admin !== undefined) admin = await startAdmin(config.admin, { metrics, health });
    const listener = await listen({
      host: config.listen.address.host,
      port: config.listen.address.port,
      maxConnections: config.limits.maxConnections,
      onConnection: (socket: Socket) => entrance.admit(socket),
      onError: (error) => log.error({ err: error }, "a connection could not be accepted"),
    });
    log.info({ address: listener.address, port: listener.port }, "listening");
    return {
      address: listener.address,
      port: listener.port,
      adminPort: admin?.port,
      renewTls: (renewed) => {
        tls = loadTls(renewed);
      },
      close: async (deadline = drainDeadline) => {
        stopping = true;
        await listener.close();
        const entered = entrance.close();
        await sessions.drain(deadline);
        endReview();
        await entered;
        requests?.close();
        takenAway?.close();
        await Promise.all([databases.close(), admin?.close(), store?.close()]);
        await recorder.close();
      },
    };
  } catch (error) {
    endReview();
    requests?.close();
    takenAway?.close();
    await Promise.all([databases.close(), admin?.close(), store?.close()]);
    await recorder.close();
    throw error instanceof RolegateError ? new Error(error.message, { cause: error.cause }) : error;
  }
}

function loadTls({ key, ...material }: ListenTlsConfig): TlsServer {
  return loadTlsServer({ ...material, key: key() });
}
