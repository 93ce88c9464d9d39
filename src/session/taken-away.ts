import {
  indexRevocations,
  noRevocations,
  revocationMessage,
  revokedBy,
  type Revocation,
  type Revocations,
  type Subject,
} from "../access/revocations.ts";
import type { Recorder } from "../audit/recorder.ts";
import type { StoreConfig } from "../config/config.ts";
import { RolegateError, type Problem } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { checkSchema } from "../store/migrate.ts";
import { revocationReader, type RevocationsFound } from "../store/revocations.ts";
import type { Store } from "../store/store.ts";
import { storeUnavailable } from "../store/unavailable.ts";
import type { Reader, Watch } from "../store/watch.ts";
import type { LiveSession, LiveSessions } from "./live-sessions.ts";

/** Milliseconds after which what is known counts as old: the time between two looks, and what one may take. */
const oldAfter = 3_000;

/** Behind the loss of the store, how long logins wait for it, in milliseconds: a replica takes over in about that time. */
const patience = 5_000;

const lost: Problem = {
  code: "session_ended",
  message: "rolegate's store is not available, so it is not known whether the session's access was revoked",
};

type TakenAwayOptions = {
  readonly sessions: LiveSessions;
  readonly recorder: Recorder;
  readonly metrics: Metrics;
  readonly log: Logger;
};

/** What was taken away, as the store says, and who may still come in or go on. */
export class TakenAway {
  readonly #policy: Pick<StoreConfig, "whenDown" | "grace">;
  readonly #options: TakenAwayOptions;
  readonly #watch: Watch;
  #inForce: Revocations = noRevocations;
  #known: ReadonlyMap<string, Revocation> = new Map();
  /** When what is known was true, by the monotonic clock; undefined: the store has never been read. */
  #currentAt: number | undefined;
  /** When the store was lost; undefined: it is there. */
  #lostAt: number | undefined;
  /** Ends the sessions. */
  #grace: NodeJS.Timeout | undefined;
  readonly #waiting = new Set<() => void>();

  /** @param others who reads on the same connection */
  constructor(
    { store }: { readonly store: Store },
    policy: Pick<StoreConfig, "whenDown" | "grace">,
    options: TakenAwayOptions,
    others: readonly Reader[] = [],
  ) {
    this.#policy = policy;
    this.#options = options;
    const revocations = revocationReader((found) => this.#take(found));
    const reader: Reader = {
      channel: revocations.channel,
      read: async (query, fresh) => {
        if (fresh) await checkSchema(query);
        await revocations.read(query, fresh);
      },
    };
    this.#watch = store.watch([reader, ...others], {
      current: (since) => this.#current(since),
      lost: (error) => this.#lost(error),
    });
    options.sessions.require((session, now) => this.#standing(session, now));
  }

  /** False: rolegate serves without the store, too. */
  get needed(): boolean {
    return this.#policy.whenDown === "refuse";
  }

  health(): { readonly store: "ok" | "failing" } {
    return { store: this.#lostAt === undefined && this.#currentAt !== undefined ? "ok" : "failing" };
  }

  /**
   * Resolves if the subject may come in, by what was known at the time or later; waits a moment for a store that is away.
   * @throws RolegateError access_revoked, store_unavailable
   */
  async admit(subject: Subject): Promise<void> {
    if (!this.#isKnown() && !(await this.#knownSoon())) throw storeUnavailable(undefined);
    this.check(subject);
  }

  /** @throws RolegateError access_revoked; store_unavailable where a session would be ended for it at once */
  check(subject: Subject): void {
    // Admitted in time, and slow since: the sessions were reviewed without this one.
    if (this.#graceIsOver()) throw storeUnavailable(undefined);
    const revocation = revokedBy(this.#inForce, subject, Date.now());
    if (revocation !== undefined)
      throw new RolegateError({ code: "access_revoked", message: revocationMessage(revocation) });
  }

  close(): void {
    clearTimeout(this.#grace);
    for (const wake of this.#waiting) wake();
  }

  #isKnown(): boolean {
    if (this.#currentAt === undefined) return false;
    if (this.#policy.whenDown === "continue") return true;
    return this.#lostAt === undefined && performance.now() - this.#currentAt < oldAfter;
  }

  #knownSoon(): Promise<boolean> {
    this.#watch.look();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve(this.#isKnown());
      };
      const away = this.#lostAt === undefined ? 0 : performance.now() - this.#lostAt;
      const timer = setTimeout(wake, Math.max(0, patience - away));
      this.#waiting.add(wake);
    });
  }

  #standing(session: LiveSession, now: number): { problem: Problem; grace: number } | undefined {
    const { identity, id, role, nextRole, connection } = session;
    const roles = nextRole === undefined ? [role] : [role, nextRole];
    const subject = { identity, session: id, roles, database: connection.database };
    const revocation = revokedBy(this.#inForce, subject, now);
    if (revocation !== undefined) {
      this.#options.metrics.store.ended++;
      return { problem: { code: "session_ended", message: revocationMessage(revocation) }, grace: 0 };
    }
    return this.#graceIsOver() ? { problem: lost, grace: 0 } : undefined;
  }

  /** Nobody knows of revocations, for longer than sessions may go on without. */
  #graceIsOver(): boolean {
    if (this.#policy.whenDown === "continue" || this.#lostAt === undefined) return false;
    return performance.now() - this.#lostAt >= this.#policy.grace;
  }

  #take({ inForce: found, lifted }: RevocationsFound): void {
    const { recorder, metrics, sessions, log } = this.#options;
    const vanished = this.#vanished(found, lifted);
    if (vanished.length > 0)
      log.warn(
        { count: vanished.length },
        "revocations have vanished from the store; they stay in force here",
      );
    const inForce = [...found, ...vanished];
    for (const revocation of inForce)
      if (!this.#known.has(keyOf(revocation))) recorder.revocation("revocation", revocation);
    for (const { id, made, by, reason } of lifted) {
      const revocation = this.#known.get(keyOf({ id, at: made }));
      if (revocation !== undefined) recorder.revocation("revocation lifted", { ...revocation, by, reason });
    }
    this.#known = new Map(inForce.map((revocation) => [keyOf(revocation), revocation]));
    this.#inForce = indexRevocations(inForce);
    metrics.store.revocations = inForce.length;
    sessions.review(Date.now());
  }

  /**
   * What is no more in the store though nobody has lifted it: a replica that took over lacks the last moments, a backup more.
   * To be forgotten is not to be given back.
   */
  #vanished(found: readonly Revocation[], lifted: RevocationsFound["lifted"]): readonly Revocation[] {
    const there = new Set([...found.map(keyOf), ...lifted.map(({ id, made }) => keyOf({ id, at: made }))]);
    const now = Date.now();
    return [...this.#known].flatMap(([key, revocation]) =>
      !there.has(key) && (revocation.until === undefined || revocation.until > now) ? revocation : [],
    );
  }

  #current(since: number): void {
    const { recorder, metrics, log } = this.#options;
    this.#currentAt = since;
    metrics.store.up = 1;
    if (this.#lostAt !== undefined) {
      const seconds = Math.round((performance.now() - this.#lostAt) / 1000);
      this.#lostAt = undefined;
      clearTimeout(this.#grace);
      recorder.storeFound(seconds);
      log.info({ seconds }, "the store is back");
    }
    for (const wake of this.#waiting) wake();
  }

  #lost(error: unknown): void {
    const { recorder, metrics, log, sessions } = this.#options;
    metrics.store.up = 0;
    metrics.store.failures++;
    if (this.#lostAt !== undefined) return;
    const { whenDown, grace } = this.#policy;
    this.#lostAt = performance.now();
    recorder.storeLost(whenDown);
    log.error({ err: error, whenDown }, "the store is not available");
    if (whenDown === "refuse") this.#grace = setTimeout(() => sessions.review(Date.now()), grace + 1).unref();
  }
}

/** A store that lacks the last moments gives the same numbers to others. */
function keyOf({ id, at }: Pick<Revocation, "id" | "at">): string {
  return `${id} ${at}`;
}
