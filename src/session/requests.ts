import type { AccessEntry } from "../access/access-entry.ts";
import { ruleText } from "../access/access-entry.ts";
import { judgeAsk, type Ask, type Someone } from "../access/ask.ts";
import { decisionProblem, isOwn, unknownRequest } from "../access/decide.ts";
import {
  decideWithin,
  grants,
  isSamePerson,
  personOf,
  stateOf,
  type AccessRequest,
  type DecisionKind,
} from "../access/requests.ts";
import type { Recorder } from "../audit/recorder.ts";
import { refuse, RolegateError, type Problem } from "../errors.ts";
import type { Identity } from "../identity/identity.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import {
  countRequests,
  insertDecision,
  insertRequest,
  listRequests,
  lockRequests,
  readRequest,
  requestReader,
  type RequestsFound,
} from "../store/requests.ts";
import type { Store } from "../store/store.ts";
import type { Reader } from "../store/watch.ts";
import type { LiveSessions } from "./live-sessions.ts";
import { tellOf } from "./request-events.ts";

/** Of one person, that are neither decided against nor over. */
const mostOpen = 10;

/** Of one person in 24 hours, whatever became of them: they stay in the store, and everybody has to read them. */
const mostLately = 100;

/** Milliseconds: how long a session can outlive its grant, beside the statement that it is at. */
const sweepEvery = 500;

/** How long whoever changed something waits until this instance knows of it, in milliseconds. */
const patience = 2_000;

export type RequestsOptions = {
  /** As they are now: they can be read again while the proxy runs. */
  readonly entries: () => readonly AccessEntry[];
  readonly sessions: LiveSessions;
  readonly recorder: Recorder;
  readonly metrics: Metrics;
  readonly log: Logger;
};

/** The requests of the store as this instance knows them, and what they give. */
export class Requests {
  readonly #store: Pick<Store, "query" | "transaction">;
  readonly #options: RequestsOptions;
  readonly #sweeping: NodeJS.Timeout;
  #requests: ReadonlyMap<number, AccessRequest> = new Map();
  /**
   * Requests that are known to be over, until nothing could bring them back. A store that says otherwise has forgotten it (a
   * replica that took over lacks the last moments), or its clock went back: what was over gives nothing any more.
   */
  readonly #over = new Map<string, { readonly until: number }>();
  #clock: RequestsFound["clock"] | undefined;
  readonly #waiting = new Set<() => void>();
  /** To be read with the other readers of the store. */
  readonly reader: Reader;

  constructor(store: Pick<Store, "query" | "transaction">, options: RequestsOptions) {
    this.#store = store;
    this.#options = options;
    this.reader = requestReader((found) => this.#take(found));
    this.#sweeping = setInterval(() => this.#sweep(), sweepEvery).unref();
  }

  close(): void {
    clearInterval(this.#sweeping);
    for (const wake of this.#waiting) wake();
  }

  /** The request that is in force for an entry and this identity. */
  grantOf(identity: Identity): (entry: AccessEntry) => AccessRequest | undefined {
    const now = this.#now();
    return (entry) => {
      if (now === undefined) return undefined;
      for (const request of this.#requests.values())
        if (grants(request, entry, identity, now) && !this.#over.has(keyOf(request))) return request;
      return undefined;
    };
  }

  /** Why a role that a request gave is not there any more; undefined: none gave it. */
  whyLost(identity: Identity, role: string, database: string): Problem | undefined {
    const person = personOf(identity);
    const request = [...this.#requests.values()].findLast(
      (each) =>
        each.role === role && each.database === database && isSamePerson(personOf(each.requester), person),
    );
    return request && { code: "session_ended", message: lostMessage(request, this.now) };
  }

  /** @throws RolegateError request_not_allowed, request_invalid, request_settled, store_unavailable */
  async ask(ask: Ask, someone: Someone): Promise<AccessRequest> {
    const judged = judgeAsk(ask, someone, Date.now(), this.#options.entries());
    if (judged.kind === "refused") throw new RolegateError(judged.problem);
    const { entry, onRequest } = judged;
    const made = await this.#store.transaction(async (query) => {
      const now = await lockRequests(query);
      const { open, lately } = await countRequests(query, personOf(someone.identity));
      if (open >= mostOpen)
        refuse("request_invalid", `there are ${mostOpen} open requests already`, {
          hint: "WITHDRAW one of them.",
        });
      if (lately >= mostLately)
        refuse("request_invalid", `there were ${mostLately} requests in the last 24 hours`);
      const request = {
        ...ask,
        rule: ruleText(entry),
        requester: someone.identity,
        connection: { ...someone.connection, database: ask.database },
        approvals: onRequest.kind === "approval" ? onRequest.approvals : 0,
      };
      return insertRequest(query, request, now);
    });
    await this.#known(made);
    return made;
  }

  /** @throws RolegateError request_unknown, request_not_allowed, request_settled, store_unavailable */
  async decide(kind: DecisionKind, id: number, comment: string, someone: Someone): Promise<AccessRequest> {
    const decided = await this.#store.transaction(async (query) => {
      const now = await lockRequests(query);
      const request = await readRequest(query, id);
      const problem =
        request === undefined
          ? unknownRequest(id)
          : decisionProblem(kind, request, someone, now, this.#options.entries());
      if (request === undefined || problem !== undefined)
        throw new RolegateError(problem ?? unknownRequest(id));
      const decision = { kind, by: personOf(someone.identity), comment };
      await insertDecision(query, id, decision, now);
      return { ...request, decisions: [...request.decisions, { ...decision, at: now }] };
    });
    await this.#known(decided);
    return decided;
  }

  /** Somebody's own requests and those that they may decide, as the store has them now. */
  async list(someone: Someone): Promise<readonly AccessRequest[]> {
    const all = await listRequests(
      (sql, values) => this.#store.query(sql, values),
      personOf(someone.identity),
    );
    return all.filter((request) => isOwn(request, someone) || this.may("deny", request, someone));
  }

  may(kind: DecisionKind, request: AccessRequest, someone: Someone): boolean {
    return decisionProblem(kind, request, someone, this.now, this.#options.entries()) === undefined;
  }

  /** The store's clock; before it was ever asked, ours. */
  get now(): number {
    return this.#now() ?? Date.now();
  }

  /** Nothing is in force before the store was asked for the time: ours may be anything. */
  #now(): number | undefined {
    if (this.#clock === undefined) return undefined;
    // As of the question, so that an answer that took long ends a grant early, and never late.
    return this.#clock.store + (performance.now() - this.#clock.asked);
  }

  #take({ requests, clock }: RequestsFound): void {
    this.#clock = clock;
    if (requests === undefined) return;
    const before = this.#requests;
    this.#requests = new Map(requests.map((request) => [request.id, request]));
    for (const request of requests) {
      const known = before.get(request.id);
      tellOf(known && keyOf(known) === keyOf(request) ? known : undefined, request, this.#options);
      if (request.decisions.some(({ kind }) => kind !== "approve")) this.#isOver(request);
    }
    for (const wake of this.#waiting) wake();
    this.#options.sessions.review(Date.now());
  }

  /** What ends by itself. */
  #sweep(): void {
    const now = this.#now();
    if (now === undefined) return;
    const before = this.#over.size;
    for (const request of this.#requests.values()) {
      const { kind } = stateOf(request, now);
      if ((kind !== "expired" && kind !== "lapsed") || this.#over.has(keyOf(request))) continue;
      this.#isOver(request);
      this.#options.recorder.request(kind, request, undefined);
    }
    if (this.#over.size > before) this.#options.sessions.review(Date.now());
    for (const [key, { until }] of this.#over) if (until < now) this.#over.delete(key);
  }

  /** For a day longer than it could be decided and in force: by how much clocks of stores may differ. */
  #isOver(request: AccessRequest): void {
    const { askedAt, duration } = request;
    this.#over.set(keyOf(request), { until: askedAt + 2 * decideWithin + duration });
  }

  /** Resolves when this instance knows what was just written, or after a moment. */
  #known({ id, decisions }: AccessRequest): Promise<void> {
    const isKnown = (): boolean => (this.#requests.get(id)?.decisions.length ?? -1) >= decisions.length;
    if (isKnown()) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const wake = (): void => {
        if (isKnown()) done();
      };
      const timer = setTimeout(done, patience);
      this.#waiting.add(wake);
    });
  }
}

/** A store that was restored from a backup gives the same numbers to others. */
function keyOf({ id, askedAt }: AccessRequest): string {
  return `${id} ${askedAt}`;
}

function lostMessage(request: AccessRequest, now: number): string {
  const { id, role } = request;
  const state = stateOf(request, now);
  switch (state.kind) {
    case "denied":
    case "withdrawn":
      return `request ${id} for the role "${role}" was ${state.kind}`;
    case "expired":
      return `the time for which the role "${role}" was granted is over`;
    case "pending":
    case "in force":
    case "lapsed":
      break;
  }
  return `the role "${role}" is not granted any more`;
}
