import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../log.ts";
import type { LoginClient } from "../upstream/login-client.ts";
import { within } from "../upstream/deadline.ts";
import { destroyClient, storeClient, type StoreAddress } from "./connection.ts";
import { queryOn, type Query } from "./store.ts";

/** Who wants to know of a change. */
export type Reader = {
  /** Notified by whoever changes something. What a notification says is anybody's word: it only makes us look. */
  readonly channel: string;
  /**
   * Looks, and takes what it finds. If it throws, the connection is given up and made anew.
   * @param fresh the first look on its connection
   */
  readonly read: (query: Query, fresh: boolean) => Promise<void>;
};

export type WatchEvents = {
  /** All readers have read; what they know is not older than `since` (milliseconds of the monotonic clock). */
  readonly current: (since: number) => void;
  /** The store cannot be read. */
  readonly lost: (error: unknown) => void;
};

/** Milliseconds between two looks that nobody asked for: what a lost notification costs. */
const pollEvery = 500;

/** Milliseconds between two looks, however many notifications come. */
const lookAtMostEvery = 20;

/** For connecting, and for one look of all readers. */
const deadline = 2_000;

/** Before connecting again. */
const backoff = [50, 100, 200, 400, 800, 1_500] as const;

/**
 * One connection that listens, and looks on its own every half second: a connection that is dead shows at the next look, and
 * is replaced.
 */
export class Watch {
  readonly #address: StoreAddress;
  readonly #readers: readonly Reader[];
  readonly #events: WatchEvents;
  readonly #log: Logger;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #client: LoginClient | undefined;
  /** Something may have changed since the look began that was the last. */
  #notified = false;
  #wake: (() => void) | undefined;

  constructor(address: StoreAddress, readers: readonly Reader[], events: WatchEvents, log: Logger) {
    this.#address = address;
    this.#readers = readers;
    this.#events = events;
    this.#log = log;
    this.#running = this.#run();
  }

  /** Looks as soon as possible. */
  look(): void {
    this.#notified = true;
    this.#wake?.();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake?.();
    this.#drop();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const client = await this.#connect();
        for (let fresh = true; ; fresh = false) {
          await this.#lookNow(client, fresh);
          failures = 0;
          await this.#pause();
          if (signal.aborted) return;
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#events.lost(error);
        this.#log.debug({ err: error }, "the store cannot be watched; it is tried again");
      } finally {
        this.#drop();
      }
      await sleep(backoff[Math.min(failures, backoff.length - 1)], undefined, { signal }).catch(() => {});
    }
  }

  async #connect(): Promise<LoginClient> {
    const client = (this.#client = storeClient(this.#address));
    client.on("notification", () => this.look());
    client.once("end", () => this.look());
    const listen = this.#readers.map(({ channel }) => `listen ${channel}`).join(";");
    await within(
      deadline,
      "connecting to the store",
      client.connect().then(() => client.query(listen)),
    );
    return client;
  }

  async #lookNow(client: LoginClient, fresh: boolean): Promise<void> {
    this.#notified = false;
    const since = performance.now();
    const query = queryOn(client);
    const reading = (async () => {
      for (const { read } of this.#readers) await read(query, fresh);
    })();
    reading.catch(() => {});
    await within(deadline, "looking into the store", reading);
    this.#events.current(since);
  }

  /** Until something may have changed, or the next look is due. */
  async #pause(): Promise<void> {
    await sleep(lookAtMostEvery);
    if (this.#notified || this.#closing.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pollEvery);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  #drop(): void {
    if (this.#client !== undefined) destroyClient(this.#client);
    this.#client = undefined;
  }
}
