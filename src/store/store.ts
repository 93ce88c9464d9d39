import { Pool, type PoolClient, type QueryResultRow } from "pg";
import type { Logger } from "../log.ts";
import type { LoginClient } from "../upstream/login-client.ts";
import { within } from "../upstream/deadline.ts";
import { destroyClient, storeClient, type StoreAddress } from "./connection.ts";
import { isUnavailable, storeError } from "./unavailable.ts";
import { Watch, type Reader, type WatchEvents } from "./watch.ts";

/** Runs a statement of ours, with `$1` for values, and gives its rows. */
export type Query = <Row extends QueryResultRow>(sql: string, values?: readonly unknown[]) => Promise<Row[]>;

/** Statements of the store are rare and small. */
const mostConnections = 4;

/** For a connection, and for a statement, in milliseconds. */
const deadline = 5_000;

/** rolegate's own database: what all instances share. */
export class Store {
  readonly #address: StoreAddress;
  readonly #log: Logger;
  readonly #pool: Pool;
  #watch: Watch | undefined;

  constructor(address: StoreAddress, log: Logger) {
    this.#address = address;
    this.#log = log;
    // pg's pool calls it with `new` and options of its own; what a constructor returns is what `new` gives.
    function StoreClient(): LoginClient {
      return storeClient(address);
    }
    this.#pool = new Pool({
      Client: StoreClient as unknown as new () => LoginClient,
      max: mostConnections,
      connectionTimeoutMillis: deadline,
      idleTimeoutMillis: 30_000,
      allowExitOnIdle: true,
    });
    this.#pool.on("error", (error) => log.debug({ err: error }, "an idle connection to the store was lost"));
  }

  /**
   * One statement, or with values one prepared on the spot.
   * @throws RolegateError store_unavailable; pg's DatabaseError where the store answers with an error
   */
  query<Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.#with((query) => query<Row>(sql, values));
  }

  /** What `work` asks in one transaction, which is rolled back if it throws. @throws as `query` */
  transaction<Result>(work: (query: Query) => Promise<Result>): Promise<Result> {
    return this.#with(async (query) => {
      await query("begin");
      try {
        const result = await work(query);
        await query("commit");
        return result;
      } catch (error) {
        await query("rollback").catch(() => {});
        throw error;
      }
    });
  }

  /**
   * Keeps readers up to date: each is called at once, when its channel is notified, and every half second, on a connection of
   * their own and one after the other. To be called once.
   */
  watch(readers: readonly Reader[], events: WatchEvents): Watch {
    if (this.#watch !== undefined) throw new Error("the store is watched already");
    this.#watch = new Watch(this.#address, readers, events, this.#log);
    return this.#watch;
  }

  async #with<Result>(work: (query: Query) => Promise<Result>): Promise<Result> {
    const client = await this.#connect();
    let broken = false;
    try {
      return await work(queryOn(client));
    } catch (error) {
      broken = isUnavailable(error);
      throw error;
    } finally {
      if (broken) destroyClient(client as unknown as LoginClient);
      client.release(broken);
    }
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw storeError(error);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#watch?.close(), this.#pool.end()]);
  }
}

/** Statements on a connection, each with the deadline. @throws as `Store.query` */
export function queryOn(client: Pick<PoolClient, "query">): Query {
  return async <Row extends QueryResultRow>(sql: string, values: readonly unknown[] = []) => {
    const running = values.length === 0 ? client.query<Row>(sql) : client.query<Row>(sql, [...values]);
    // It may fail after its deadline, when nobody waits for it any more.
    running.catch(() => {});
    try {
      return (await within(deadline, "a statement of the store", running)).rows;
    } catch (error) {
      throw storeError(error);
    }
  };
}
