import type { Socket } from "node:net";
import type { Problem } from "../errors.ts";
import { beginLogin, type Gate, type Login } from "./login.ts";

const crowded: Problem = { code: "too_many_connections", message: "too many connections are logging in" };
const stopping: Problem = { code: "session_ended", message: "the proxy is shutting down" };

/** Where connections come in: bounds how many may be there without having logged in. */
export class Entrance {
  readonly #gate: Gate;
  /** In the order of their coming. */
  readonly #logins = new Set<Login>();

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  /** Takes an accepted connection. When too many wait, the oldest goes: an honest login takes milliseconds. */
  admit(socket: Socket): void {
    const { metrics, config } = this.#gate;
    metrics.connections.accepted++;
    const login: Login = beginLogin(socket, this.#gate, () => this.#logins.delete(login));
    this.#logins.add(login);
    void login.settled.finally(() => this.#logins.delete(login));
    if (this.#logins.size <= config.limits.maxUnauthenticated) return;
    for (const oldest of this.#logins) {
      metrics.connections.rejected++;
      this.#logins.delete(oldest);
      oldest.abort(crowded);
      return;
    }
  }

  /** Ends those that have not logged in. */
  close(): void {
    for (const login of this.#logins) login.abort(stopping);
  }
}
