import type { UpstreamTarget } from "../config/config.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { readCatalog, type CatalogReading } from "../catalog/load.ts";
import { RolegateError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { within } from "./deadline.ts";
import { HandshakeConnection } from "./handshake-connection.ts";
import { LoginClient } from "./login-client.ts";
import { startupParameters } from "./startup-message.ts";
import type { UpstreamLogin } from "./target.ts";
import { unavailable } from "./unavailable.ts";

export type CatalogSource = {
  /** The newest reading. */
  current(): Catalog;
  /**
   * What the database contains now or later: the reading begins after the call. Calls share a reading, and there is
   * at most one a second, so a client that names what does not exist waits rather than makes the server work.
   * @throws RolegateError upstream_unavailable; what was known stays
   */
  refresh(): Promise<Catalog>;
  close(): Promise<void>;
};

type CatalogSourceOptions = {
  /** Milliseconds between two looks of its own accord. */
  readonly pollEvery?: number;
  /** Milliseconds that a reading may take, with the login where one is needed. */
  readonly deadline?: number;
};

/** Bytes of the longest row to take: about 30 for each column, so that millions of them fit. */
const longest = 256 * 1024 * 1024;

/** Milliseconds between the beginnings of two readings. */
const atMostEvery = 1_000;

/**
 * Reads the catalog and keeps it up to date on a connection of its own.
 * @param role the catalogs are world-readable: any role will do
 * @throws RolegateError upstream_unavailable if the first reading fails
 */
export async function openCatalogSource(
  target: UpstreamTarget,
  login: UpstreamLogin,
  role: string,
  log: Logger,
  options: CatalogSourceOptions = {},
): Promise<CatalogSource> {
  const source = new PolledCatalog(() => openReader(target, login, role), log, options);
  try {
    await source.refresh();
  } catch (error) {
    await source.close();
    throw error;
  }
  return source;
}

class PolledCatalog implements CatalogSource {
  readonly #open: () => Reader;
  readonly #log: Logger;
  readonly #deadline: number;
  readonly #timer: NodeJS.Timeout;
  readonly #closing = new AbortController();
  #reader: Reader | undefined;
  #reading: CatalogReading | undefined;
  #lastBegan = -Infinity;
  /** The reading under way, and the one that has not begun yet. */
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<Catalog> | undefined;

  constructor(open: () => Reader, log: Logger, options: CatalogSourceOptions) {
    this.#open = open;
    this.#log = log;
    this.#deadline = options.deadline ?? 10_000;
    this.#timer = setInterval(() => void this.#poll(), options.pollEvery ?? 30_000).unref();
  }

  current(): Catalog {
    if (this.#reading === undefined) throw new Error("the catalog has not been read yet");
    return this.#reading.catalog;
  }

  refresh(): Promise<Catalog> {
    if (this.#next !== undefined) return this.#next;
    const next = this.#afterTheOthers();
    this.#next = next;
    this.#running = next.catch(() => {});
    return next;
  }

  async #afterTheOthers(): Promise<Catalog> {
    const { signal } = this.#closing;
    try {
      await this.#running;
      const wait = this.#lastBegan + atMostEvery - performance.now();
      if (wait > 0) await pause(wait, signal);
      signal.throwIfAborted();
    } catch (error) {
      throw unavailable(error);
    } finally {
      this.#next = undefined; // who calls from now on wants a later reading
    }
    this.#lastBegan = performance.now();
    return this.#read();
  }

  async #read(): Promise<Catalog> {
    try {
      const reading = await within(this.#deadline, "reading the catalog", this.#readOnce());
      if (reading !== this.#reading) this.#log.debug({ version: reading.catalog.version }, "catalog read");
      this.#reading = reading;
      return reading.catalog;
    } catch (error) {
      this.#drop();
      // One of the catalog's own says what is wrong with the server.
      const known = error instanceof RolegateError && error.problem.code === "upstream_unavailable";
      throw known ? error : unavailable(error);
    }
  }

  async #readOnce(): Promise<CatalogReading> {
    const reader = (this.#reader ??= this.#open());
    await reader.ready;
    return readCatalog(async (sql) => {
      const { rows } = await reader.client.query<string[]>({ text: sql, rowMode: "array" });
      return rows[0] ?? [];
    }, this.#reading);
  }

  async #poll(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#log.warn({ err: error }, "the catalog could not be read");
    }
  }

  #drop(): void {
    this.#reader?.connection.socketInUse.destroy();
    this.#reader = undefined;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closing.abort();
    this.#drop();
    await this.#running;
  }
}

/** Resolves after `ms` milliseconds, or as soon as the signal comes. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

type Reader = {
  readonly client: LoginClient;
  readonly connection: HandshakeConnection;
  readonly ready: Promise<unknown>;
};

/** A connection that sees only pg_catalog, as `readCatalog` needs it. */
function openReader(target: UpstreamTarget, login: UpstreamLogin, role: string): Reader {
  // Compiling the one large statement took 15 s where running it takes 1.
  const settings = new Map([
    ["search_path", "pg_catalog, pg_temp"],
    ["jit", "off"],
  ]);
  const session = { role, settings, applicationName: "rolegate catalog" };
  const parameters = startupParameters(login.user, target.database, session);
  const connection = new HandshakeConnection(target, Infinity, longest);
  const client = new LoginClient(target, login, parameters, connection);
  // A connection that breaks shows at the next reading, which then opens another.
  client.on("error", () => {});
  return { client, connection, ready: client.connect() };
}
