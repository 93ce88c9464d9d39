import type { Socket } from "node:net";
import type { Problem } from "../../errors.ts";
import { networkOf } from "../../net/network-of.ts";
import { beginLogin, type Gate, type Login } from "./login.ts";
import { Strangers } from "./strangers.ts";

const crowded: Problem = { code: "too_many_connections", message: "too many connections are logging in" };
const stopping: Problem = { code: "session_ended", message: "the proxy is shutting down" };

/** Connections that were told why they are closed, and have not closed their side yet. */
const mostLeaving = 64;

/** Where connections come in: bounds how many may be there without having logged in. */
export class Entrance {
  readonly #gate: Gate;
  /** Under way. */
  readonly #logins = new Set<Login>();
  /** Of these, those that have not proved who they are. */
  readonly #strangers = new Strangers<Login>();
  /** Strangers whose login is over, in that order: whoever does not go would else take a place from those who may come in. */
  readonly #leaving = new Set<Login>();

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  /**
   * Takes an accepted connection. When too many wait, of all or from one network, the oldest goes: an honest login takes
   * milliseconds.
   */
  admit(socket: Socket): void {
    const { metrics, config, trustedProxies } = this.#gate;
    const { remoteAddress } = socket;
    metrics.connections.accepted++;
    // Reset before it was accepted: what it sent could still be read, and would stand on record without an address.
    if (remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const proxied = trustedProxies?.(remoteAddress) === true;
    const login: Login = beginLogin(socket, this.#gate, {
      proxied,
      located: (address) => this.#locate(login, address),
      authenticated: () => void this.#strangers.delete(login),
    });
    this.#logins.add(login);
    this.#strangers.add(login);
    socket.once("close", () => {
      this.#strangers.delete(login);
      this.#leaving.delete(login);
    });
    void login.settled.finally(() => {
      this.#logins.delete(login);
      this.#leave(login);
    });
    if (!proxied) this.#locate(login, remoteAddress);
    this.#turnAway(this.#strangers.beyond(config.limits.maxUnauthenticated));
  }

  #locate(login: Login, address: string): void {
    const { maxUnauthenticated, maxUnauthenticatedPerNetwork } = this.#gate.config.limits;
    const network = networkOf(address);
    this.#strangers.locate(login, network);
    const most = maxUnauthenticatedPerNetwork ?? Math.ceil(maxUnauthenticated / 2);
    this.#turnAway(this.#strangers.beyondOf(network, most));
  }

  #turnAway(login: Login | undefined): void {
    if (login === undefined) return;
    this.#gate.metrics.connections.rejected++;
    login.abort(crowded);
    this.#leave(login);
  }

  /** Ends those that have not logged in; resolves when none is under way any more. */
  async close(): Promise<void> {
    for (const login of this.#logins) login.abort(stopping);
    await Promise.all([...this.#logins].map(({ settled }) => settled));
  }

  #leave(login: Login): void {
    if (!this.#strangers.delete(login)) return;
    this.#leaving.add(login);
    if (this.#leaving.size <= mostLeaving) return;
    for (const oldest of this.#leaving) {
      this.#leaving.delete(oldest);
      oldest.destroy();
      return;
    }
  }
}
