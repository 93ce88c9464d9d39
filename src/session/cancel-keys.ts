import { randomBytes, randomInt, timingSafeEqual } from "node:crypto";
import { networkOf } from "../net/network-of.ts";
import type { CancelKey } from "../wire/cancel-request.ts";

/**
 * After so many wrong keys in a second a network is not listened to for the rest of it. By network, for one that floods
 * must not keep the others from cancelling, and one that has many addresses must not have as many guesses: a key of
 * protocol 3.0 has 32 bits.
 */
const wrongPerSecond = 100;

/** The cancel keys of the open sessions. */
export class CancelKeys {
  readonly #sessions = new Map<number, { readonly key: Buffer; readonly cancel: () => void }>();
  /** Of the second at hand, by network. */
  readonly #wrong = new Map<string, number>();
  #second = 0;

  /**
   * Makes a key for a session.
   * @param processId the server's of the session's connection, which clients take for theirs: they compare
   *   notifications with it and end it by pg_terminate_backend. Another one is given if it is undefined or, from
   *   another server, in use.
   * @param bytes the length of the key
   */
  issue(processId: number | undefined, bytes: number, cancel: () => void): CancelKey {
    let given = processId ?? randomInt(1, 0x7fffffff);
    while (this.#sessions.has(given)) given = randomInt(1, 0x7fffffff);
    const key = randomBytes(bytes);
    this.#sessions.set(given, { key, cancel });
    return { processId: given, key };
  }

  revoke(processId: number): void {
    this.#sessions.delete(processId);
  }

  /** Cancels what the session of that key runs; does nothing for a wrong one. @returns true if the key was right. */
  cancel(processId: number, key: Buffer, { address, now }: { address: string; now: number }): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#wrong.clear();
    }
    const network = networkOf(address);
    const wrong = this.#wrong.get(network) ?? 0;
    if (wrong >= wrongPerSecond) return false;
    const session = this.#sessions.get(processId);
    if (session === undefined || session.key.length !== key.length || !timingSafeEqual(session.key, key)) {
      this.#wrong.set(network, wrong + 1);
      return false;
    }
    session.cancel();
    return true;
  }
}
