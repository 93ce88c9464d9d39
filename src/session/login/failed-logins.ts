import { createHash } from "node:crypto";
import { RateLimiterMemory } from "rate-limiter-flexible";
import type { FailedLoginLimits } from "../../config/config.ts";
import { networkOf } from "../../net/network-of.ts";

/** What is counted of failures by, before and after which a login comes. */
export type Guesser = {
  /** As the client gave it, whether there is such a name or not. */
  readonly user: string;
  /** IP address, without port. */
  readonly address: string;
};

/** How a login may go on. Times in milliseconds. */
export type Standing =
  | { readonly kind: "free" }
  | { readonly kind: "slow"; readonly delay: number }
  /** `reason`: for the record. */
  | { readonly kind: "locked"; readonly reason: string; readonly left: number };

const usualDelay = 5_000;
/** The first delay, which doubles with each failure. */
const firstDelay = 250;

/**
 * Counts failed logins by name and network together, by network, and by name from wherever. The first two lock; the last one
 * only slows down, or a stranger could lock somebody out of their own network. Nothing here depends on whether a name
 * exists.
 */
export class FailedLogins {
  readonly #limits: FailedLoginLimits;
  readonly #maxDelay: number;
  /** Failures with one name from one network that cost nothing yet: a person mistypes a password. */
  readonly #freeFailures: number;
  readonly #users: Failures;
  readonly #networks: Failures;
  readonly #everywhere: Failures;

  /** @param authenticationTimeout in milliseconds: no delay may use it up */
  constructor(limits: FailedLoginLimits, authenticationTimeout: number) {
    this.#limits = limits;
    this.#maxDelay = limits.maxDelay ?? Math.min(usualDelay, authenticationTimeout / 2);
    this.#freeFailures = Math.ceil(limits.perUser / 3);
    this.#users = new Failures(limits.perUser, limits);
    this.#networks = new Failures(limits.perNetwork, limits);
    this.#everywhere = new Failures(limits.perUserEverywhere, limits);
  }

  async standing(guesser: Guesser): Promise<Standing> {
    if (this.#trusts(guesser)) return { kind: "free" };
    const network = networkOf(guesser.address);
    const [here, byNetwork, everywhere] = await Promise.all([
      this.#users.of(`${network} ${guesser.user}`),
      this.#networks.of(network),
      this.#everywhere.of(guesser.user),
    ]);
    if (byNetwork.count >= this.#limits.perNetwork)
      return { kind: "locked", reason: `failed logins from ${network}`, left: byNetwork.left };
    if (here.count >= this.#limits.perUser)
      return { kind: "locked", reason: `failed logins with this name from ${network}`, left: here.left };
    if (everywhere.count >= this.#limits.perUserEverywhere) return { kind: "slow", delay: this.#maxDelay };
    const beyond = here.count - this.#freeFailures;
    if (beyond < 0) return { kind: "free" };
    return { kind: "slow", delay: Math.min(this.#maxDelay, firstDelay * 2 ** beyond) };
  }

  async failed(guesser: Guesser): Promise<void> {
    if (this.#trusts(guesser)) return;
    const network = networkOf(guesser.address);
    await Promise.all([
      this.#users.add(`${network} ${guesser.user}`),
      this.#networks.add(network),
      this.#everywhere.add(guesser.user),
    ]);
  }

  /** Who has proved it mistyped before: from this network the name begins anew. */
  async succeeded({ user, address }: Guesser): Promise<void> {
    await this.#users.forget(`${networkOf(address)} ${user}`);
  }

  #trusts({ address }: Guesser): boolean {
    return this.#limits.trusted?.(address) === true;
  }
}

/** So many keys are kept of one kind: clients choose them. Those that failed least recently go. */
const mostKeys = 20_000;

/** Failures by key, each kept for a time; from the bound on for the time of the lock. */
class Failures {
  readonly #bound: number;
  readonly #lockSeconds: number;
  readonly #limiter: RateLimiterMemory;
  /** Those that the limiter may have, in the order of their last failure. */
  readonly #keys = new Set<string>();

  constructor(bound: number, { within, lockFor }: FailedLoginLimits) {
    this.#bound = bound;
    this.#lockSeconds = lockFor / 1000;
    this.#limiter = new RateLimiterMemory({ points: bound, duration: within / 1000 });
  }

  async of(key: string): Promise<{ readonly count: number; readonly left: number }> {
    const known = await this.#limiter.get(digest(key));
    // It goes with a timer, which may be late.
    if (known === null || known.msBeforeNext <= 0) return { count: 0, left: 0 };
    return { count: known.consumedPoints, left: known.msBeforeNext };
  }

  async add(key: string): Promise<void> {
    const short = digest(key);
    this.#keys.delete(short);
    this.#keys.add(short);
    const { consumedPoints } = await this.#limiter.penalty(short);
    if (consumedPoints === this.#bound) await this.#limiter.block(short, this.#lockSeconds);
    if (this.#keys.size <= mostKeys) return;
    for (const oldest of this.#keys) return this.#forget(oldest);
  }

  async forget(key: string): Promise<void> {
    await this.#forget(digest(key));
  }

  async #forget(short: string): Promise<void> {
    this.#keys.delete(short);
    await this.#limiter.delete(short);
  }
}

/** Of one length, however long a name is. */
function digest(key: string): string {
  return createHash("sha256").update(key).digest("base64");
}
