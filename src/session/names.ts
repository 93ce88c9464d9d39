import { refuse } from "../errors.ts";
import type { Runnable } from "./judged.ts";

/** What a name stands for, and the group of messages in which it began to. */
export type Named = {
  readonly runnable: Runnable;
  readonly group: number;
  /** A cursor WITH HOLD, which outlives its transaction. */
  readonly held?: boolean;
};

/**
 * More than any driver's cache holds. Each costs memory here and in the server, so a session that goes beyond it ends;
 * statements are refused a little before.
 */
export const mostNames = 10_000;

/**
 * Cursors WITH HOLD outside a transaction: far more than a client keeps open. CLOSE is not followed, so the oldest are
 * forgotten; describing or executing such a name as a portal is then refused, and FETCH goes on.
 */
export const mostHeld = 1_000;

/** The unnamed statement or portal: it is replaced without being closed, so it follows rules of its own. */
export const unnamed = "";

/**
 * The prepared statements, or the portals, that the server has, by name in byte form. Kept at the time a message is
 * sent, so that the next one can be judged without waiting, and taken back when the server reports that it did not
 * happen. A group is what one Sync or Query ends: within it an error skips the rest, so names that changed in it can
 * be relied on; names that changed in an earlier group whose outcome is not known are unsettled, and whoever asks
 * for one has to wait.
 *
 * INVARIANT: a name that the server knows is known here or unsettled, so that nothing runs unjudged.
 */
export class Names {
  #unnamed: Runnable | undefined;
  #unnamedGroup = 0;
  #unnamedChange = 0;
  readonly #named = new Map<string, Named>();
  /** Closed, in which group. */
  readonly #closed = new Map<string, number>();
  #changes = 0;

  get size(): number {
    return this.#named.size;
  }

  get(name: string): Runnable | undefined {
    return name === unnamed ? this.#unnamed : this.#named.get(name)?.runnable;
  }

  /** Changed in a group before `group` that is not settled: what the name stands for is not known yet. */
  isUnsettled(name: string, settled: number, group: number): boolean {
    const changed =
      name === unnamed ? this.#unnamedGroup : (this.#named.get(name)?.group ?? this.#closed.get(name) ?? 0);
    return changed > settled && changed < group;
  }

  /** For `undo`: what a named one stands for now. The unnamed one's past is not kept. */
  before(name: string): Named | undefined {
    return name === unnamed ? undefined : this.#named.get(name);
  }

  /** @returns the number of the change, for `undo`. */
  set(name: string, runnable: Runnable, group: number, held = false): number {
    if (name === unnamed) {
      this.#unnamed = runnable;
      this.#unnamedGroup = group;
      this.#unnamedChange = ++this.#changes;
    } else {
      // Behind all others: the order in which they are forgotten.
      if (held) this.#named.delete(name);
      this.#named.set(name, { runnable, group, held });
      if (this.#named.size > mostNames) tooMany();
    }
    return this.#changes;
  }

  /** The same statement under a verdict of today. */
  renew(name: string, runnable: Runnable): void {
    const known = this.#named.get(name);
    if (name === unnamed) this.#unnamed = runnable;
    else if (known !== undefined) this.#named.set(name, { ...known, runnable });
  }

  /** @returns the number of the change, for `undo`. */
  close(name: string, group: number): number {
    if (name === unnamed) {
      this.#unnamed = undefined;
      this.#unnamedGroup = group;
      this.#unnamedChange = ++this.#changes;
    } else {
      this.#named.delete(name);
      // Also where there was nothing to close: should this be undone, no later group may have given the name away.
      this.#closed.set(name, group);
      if (this.#closed.size > mostNames) tooMany();
    }
    return this.#changes;
  }

  /**
   * The server did not do it, so the name stands for what it stood for. The unnamed one then stands for nothing: a
   * failed Parse or Bind destroys it on the server too, and where it was only skipped, forgetting it is the safe side.
   */
  undo(name: string, previous: Named | undefined, change: number): void {
    if (name === unnamed) {
      if (this.#unnamedChange === change) this.#unnamed = undefined;
    } else if (previous === undefined) {
      this.#named.delete(name);
    } else {
      this.#named.set(name, previous);
      this.#closed.delete(name);
    }
  }

  /** Everything up to this group has its outcome. */
  settle(settled: number): void {
    if (this.#closed.size === 0) return;
    for (const [name, group] of this.#closed) if (group <= settled) this.#closed.delete(name);
  }

  /** Forgets what groups up to `settled` left behind, but what is held: portals, when their transaction has ended. */
  forgetUntil(settled: number): void {
    if (this.#unnamedGroup <= settled) this.#unnamed = undefined;
    if (this.#named.size === 0) return;
    for (const [name, { group, held }] of this.#named)
      if (group <= settled && held !== true) this.#named.delete(name);
    for (const name of this.#named.keys()) {
      if (this.#named.size <= mostHeld) break;
      if (this.#named.get(name)?.held === true) this.#named.delete(name);
    }
  }

  clear(): void {
    this.#unnamed = undefined;
    this.#named.clear();
    this.#closed.clear();
  }
}

function tooMany(): never {
  refuse("statement_too_complex", `more than ${mostNames} named statements or portals at one time`);
}
