import { randomBytes, randomInt, timingSafeEqual } from "node:crypto";
import type { CancelKey } from "../wire/cancel-request.ts";

/**
 * After so many wrong keys in a second an address is not listened to for the rest of it. By address, for one that floods
 * must not keep the others from cancelling; and 63 random bits are out of reach of any number of addresses.
 */
const wrongPerSecond = 100;

/** The cancel keys of the open sessions. Process ids are random: they tell nothing of how many sessions there are. */
export class CancelKeys {
  readonly #sessions = new Map<number, { readonly key: Buffer; readonly cancel: () => void }>();
  /** Of the second at hand, by address. */
  readonly #wrong = new Map<string, number>();
  #second = 0;

  /** Makes a key for a session. `bytes`: its length. */
  issue(bytes: number, cancel: () => void): CancelKey {
    let processId = randomInt(1, 0x7fffffff);
    while (this.#sessions.has(processId)) processId = randomInt(1, 0x7fffffff);
    const key = randomBytes(bytes);
    this.#sessions.set(processId, { key, cancel });
    return { processId, key };
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
    const wrong = this.#wrong.get(address) ?? 0;
    if (wrong >= wrongPerSecond) return false;
    const session = this.#sessions.get(processId);
    if (session === undefined || session.key.length !== key.length || !timingSafeEqual(session.key, key)) {
      this.#wrong.set(address, wrong + 1);
      return false;
    }
    session.cancel();
    return true;
  }
}
