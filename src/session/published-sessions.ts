import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Logger } from "../log.ts";
import {
  hideSessions,
  sayGone,
  sayHere,
  showSessions,
  type Instance,
  type PublishedSession,
} from "../store/sessions.ts";
import type { Store } from "../store/store.ts";
import type { LiveSession, LiveSessions } from "./live-sessions.ts";

/** Milliseconds between two looks at what has changed. */
const every = 1_000;

/** Milliseconds after which it is said that the instance is there, though nothing has changed. */
const sayHereEvery = 4_000;

/** Keeps the store told which sessions are open here. */
export class PublishedSessions {
  readonly #store: Store;
  readonly #sessions: LiveSessions;
  readonly #log: Logger;
  readonly #instance: Instance = { id: randomUUID(), host: hostname(), pid: process.pid };
  readonly #timer: NodeJS.Timeout;
  /** What the store was told, by id; undefined: it is to be told all. */
  #told: ReadonlyMap<string, string> | undefined;
  #saidHere = -Infinity;
  #running: Promise<void> | undefined;

  constructor(store: Store, sessions: LiveSessions, log: Logger) {
    this.#store = store;
    this.#sessions = sessions;
    this.#log = log;
    this.#timer = setInterval(() => this.#tick(), every).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
    await sayGone((sql, values) => this.#store.query(sql, values), this.#instance).catch(() => {});
  }

  #tick(): void {
    // One that takes long is not followed by others that wait for it.
    this.#running ??= this.#publish()
      .catch((error: unknown) => {
        this.#told = undefined;
        this.#log.debug({ err: error }, "the sessions could not be published");
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #publish(): Promise<void> {
    const open = new Map([...this.#sessions].map((session) => [session.id, session]));
    const now = new Map([...open].map(([id, { role, state }]) => [id, `${state} ${role}`]));
    const told = this.#told ?? new Map<string, string>();
    const changed = [...now.keys()].filter((id) => now.get(id) !== told.get(id));
    const gone = [...told.keys()].filter((id) => !now.has(id));
    const due = this.#told === undefined || performance.now() - this.#saidHere >= sayHereEvery;
    if (!due && changed.length === 0 && gone.length === 0) return;
    const instance = this.#instance;
    await this.#store.transaction(async (query) => {
      const all = (await sayHere(query, instance)) || this.#told === undefined;
      const shown = (all ? [...now.keys()] : changed).map((id) => published(open.get(id)!));
      if (all) await hideSessions(query, instance, { allBut: [...now.keys()] });
      else if (gone.length > 0) await hideSessions(query, instance, { gone });
      if (shown.length > 0) await showSessions(query, instance, shown);
    });
    this.#saidHere = performance.now();
    this.#told = now;
  }
}

function published({ id, identity, role, connection, client, begun, state }: LiveSession): PublishedSession {
  const { name, method, credential } = identity;
  const { database } = connection;
  return {
    id,
    identity: name,
    method,
    credential,
    role,
    database,
    client,
    begun: new Date(begun).toISOString(),
    state,
  };
}
