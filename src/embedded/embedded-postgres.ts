import type { ChildProcess } from "node:child_process";
import { createCluster, spawnServer, type Cluster, type EmbeddedPostgresOptions } from "./cluster.ts";
import { freePort } from "./free-port.ts";
import { stopServer, untilReady } from "./server-process.ts";
import { release } from "./watchdog.ts";

/**
 * A PostgreSQL server of our own on 127.0.0.1, with a data directory that goes when it stops. Every server has
 * its own port and directory, so any number run side by side; one whose parent was killed stops by itself.
 */
export class EmbeddedPostgres {
  readonly host = "127.0.0.1";
  readonly port: number;
  readonly superuser = "postgres";
  readonly password: string;
  /** Holds the data, the log (`log`) and the Unix socket. */
  readonly directory: string;
  readonly #command: () => ChildProcess;
  readonly #watchdog: ChildProcess;
  #server: ChildProcess;

  private constructor(cluster: Cluster, port: number, command: () => ChildProcess, server: ChildProcess) {
    this.port = port;
    this.password = cluster.password;
    this.directory = cluster.directory;
    this.#command = command;
    this.#watchdog = cluster.watchdog;
    this.#server = server;
  }

  /**
   * Makes a cluster (locale C, UTF8, SCRAM) and starts it.
   * @throws with the end of the server's log when it does not come up.
   */
  static async start(options: EmbeddedPostgresOptions = {}): Promise<EmbeddedPostgres> {
    const cluster = await createCluster(options);
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      const command = () => spawnServer(cluster, port, options);
      const server = command();
      const failure = await untilReady(cluster, server);
      if (failure === undefined) return new EmbeddedPostgres(cluster, port, command, server);
      // Someone else may have taken the port since we looked.
      if (attempt < 5 && failure.includes("could not bind")) continue;
      await release(cluster.watchdog);
      throw new Error(`PostgreSQL did not start: ${failure}`);
    }
  }

  /** The URL with which the superuser connects. */
  url(database: string): string {
    return `postgres://${this.superuser}:${this.password}@${this.host}:${this.port}/${database}`;
  }

  /** Stops the server (connections are ended with 57P01) and starts it again on the same data and port. */
  async restart(): Promise<void> {
    await stopServer(this.#server, "SIGINT");
    this.#server = this.#command();
    const failure = await untilReady({ directory: this.directory }, this.#server);
    if (failure !== undefined) throw new Error(`PostgreSQL did not start again: ${failure}`);
  }

  /** Ends every connection, stops the server and removes the directory. */
  async stop(): Promise<void> {
    await stopServer(this.#server, "SIGINT");
    await release(this.#watchdog);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
