import type { Config, DatabaseConfig } from "../config/config.ts";
import { refuse, RolegateError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { Database } from "./database.ts";
import { SlowJudge } from "./slow-judge.ts";

/** The databases of a configuration: opened at the start, or when somebody wants one that could not be reached then. */
export class Databases {
  #config: Config;
  readonly #log: Logger;
  readonly #metrics: Metrics;
  readonly #open = new Map<string, Database>();
  readonly #opening = new Map<string, Promise<Database>>();
  readonly #slowJudge: SlowJudge;

  constructor(config: Config, log: Logger, metrics: Metrics) {
    this.#config = config;
    this.#log = log;
    this.#metrics = metrics;
    this.#slowJudge = new SlowJudge({
      failed: (error) => log.error({ err: error }, "a statement could not be judged"),
    });
  }

  /** @throws Error for roles that are wrong; a database that is out of reach is only logged. */
  async openAll(): Promise<void> {
    const names = [...this.#config.databases.keys()];
    const outcomes = await Promise.allSettled(names.map((name) => this.get(name)));
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === "fulfilled") continue;
      const error: unknown = outcome.reason;
      if (!(error instanceof RolegateError)) throw error;
      this.#log.warn({ err: error, database: names[index] }, "the database is not available yet");
    }
  }

  /** @throws RolegateError unknown_database, upstream_unavailable */
  async get(name: string): Promise<Database> {
    const config = this.#now(name);
    const database = this.#open.get(name) ?? (await this.#opened(name, config));
    // The configuration may have changed since it was opened, and it was not yet among those that were made ready for that.
    for (let now = this.#now(name); database.config !== now; now = this.#now(name))
      (await database.prepare(now))();
    return database;
  }

  async #opened(name: string, config: DatabaseConfig): Promise<Database> {
    let opening = this.#opening.get(name);
    if (opening === undefined) {
      opening = Database.open(config, this.#log, this.#metrics, this.#slowJudge);
      this.#opening.set(name, opening);
    }
    try {
      const database = await opening;
      this.#open.set(name, database);
      return database;
    } finally {
      this.#opening.delete(name);
    }
  }

  /**
   * Compiles the roles of a changed configuration.
   * @returns puts it in force
   * @throws Error for a role file that a server's grammar does not accept
   */
  async prepare(config: Config): Promise<() => void> {
    const prepared: (() => void)[] = [];
    for (const [name, database] of this.#open) {
      const now = config.databases.get(name);
      if (now !== undefined && now.roles.size > 0) prepared.push(await database.prepare(now));
    }
    return () => {
      this.#config = config;
      for (const apply of prepared) apply();
    };
  }

  #now(name: string): DatabaseConfig {
    return this.#config.databases.get(name) ?? unknown(name);
  }

  /** By `database NAME`. */
  health(): Record<string, "ok" | "failing"> {
    const names = [...this.#config.databases.keys()];
    return Object.fromEntries(
      names.map((name) => [`database ${name}`, this.#open.has(name) ? "ok" : "failing"]),
    );
  }

  async close(): Promise<void> {
    this.#slowJudge.close();
    await Promise.all([...this.#open.values()].map((database) => database.close()));
  }
}

function unknown(name: string): never {
  return refuse("unknown_database", `database "${name}" does not exist`);
}
