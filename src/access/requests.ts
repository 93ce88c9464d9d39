import type { Identity } from "../identity/identity.ts";
import { ruleText, type AccessEntry, type OnRequest } from "./access-entry.ts";
import type { AccessConnection } from "./condition.ts";

/** A request for a role. What was asked for never changes; decisions are only added. Times are the store's clock. */
export type AccessRequest = {
  readonly id: number;
  readonly kind: OnRequest["kind"];
  /** `ruleText` of the entry of `access` under which it was asked. */
  readonly rule: string;
  /** Whoever asked, as they were then. */
  readonly requester: Identity;
  /** From where, with the database that was asked for. */
  readonly connection: AccessConnection;
  readonly role: string;
  readonly database: string;
  /** Milliseconds. */
  readonly duration: number;
  readonly reason: string;
  /** How many people have to approve it; none where it is in force at once. */
  readonly approvals: number;
  /** Milliseconds since the epoch. */
  readonly askedAt: number;
  /** In the order in which they were taken. */
  readonly decisions: readonly Decision[];
};

export type DecisionKind = "approve" | "deny" | "withdraw";

export type Decision = {
  readonly kind: DecisionKind;
  readonly by: Person;
  readonly comment: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
};

/** A name, and who vouches for it: the same name from another issuer is another's claim. */
export type Person = { readonly name: string; readonly origin: string };

export type RequestState =
  | { readonly kind: "pending"; readonly approved: number; readonly until: number }
  | { readonly kind: "in force"; readonly since: number; readonly until: number }
  | { readonly kind: "denied" | "withdrawn"; readonly decision: Decision }
  /** Nobody decided it in time; or it was in force, and its time is over. */
  | { readonly kind: "lapsed" | "expired"; readonly at: number };

/** For how long a request can be decided, in milliseconds. */
export const decideWithin = 24 * 3_600_000;

export function personOf({ name, credential }: Identity): Person {
  const { kind } = credential;
  return { name, origin: kind === "password" ? kind : `${kind} ${credential.issuer}` };
}

/** True for the same name from the same source: only they have what was granted. */
export function isSamePerson(one: Person, other: Person): boolean {
  return one.name === other.name && one.origin === other.origin;
}

/**
 * Names of which this is equal count as one person wherever two are asked for: the same name from two sources, in
 * capitals, or in another form of Unicode, is no second pair of eyes.
 */
export function likeness(name: string): string {
  return name.normalize("NFKC").toLowerCase().normalize("NFKC");
}

/** @param now milliseconds since the epoch, by the store's clock. */
export function stateOf(request: AccessRequest, now: number): RequestState {
  const { decisions, duration, askedAt } = request;
  const ending = decisions.find(({ kind }) => kind !== "approve");
  if (ending !== undefined)
    return { kind: ending.kind === "deny" ? "denied" : "withdrawn", decision: ending };
  const since = inForceSince(request);
  if (since !== undefined) {
    const until = since + duration;
    return now < until ? { kind: "in force", since, until } : { kind: "expired", at: until };
  }
  const until = askedAt + decideWithin;
  return now < until
    ? { kind: "pending", approved: approvers(request).size, until }
    : { kind: "lapsed", at: until };
}

/** True if the request is in force, for that entry and that identity. */
export function grants(request: AccessRequest, entry: AccessEntry, identity: Identity, now: number): boolean {
  return (
    request.role === entry.role &&
    request.database === entry.database &&
    isSamePerson(personOf(request.requester), personOf(identity)) &&
    isUnder(request, entry) &&
    stateOf(request, now).kind === "in force"
  );
}

/** The entry of `access` under which it was asked; undefined if there is none any more that says the same. */
export function entryOf(request: AccessRequest, entries: readonly AccessEntry[]): AccessEntry | undefined {
  return entries.find((entry) => isUnder(request, entry));
}

function isUnder({ kind, rule, duration }: AccessRequest, entry: AccessEntry): boolean {
  const { onRequest } = entry;
  return onRequest?.kind === kind && duration <= onRequest.maxDuration && ruleText(entry) === rule;
}

/** When the last approval that it needs was given. */
function inForceSince(request: AccessRequest): number | undefined {
  if (request.kind === "break-glass") return request.askedAt;
  const times = [...approvers(request).values()];
  return times[Math.max(1, request.approvals) - 1];
}

/** Each person's first approval, in the order of time; what came too late does not count. */
function approvers({ decisions, askedAt }: AccessRequest): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const { kind, by, at } of decisions) {
    const person = likeness(by.name);
    if (kind === "approve" && at < askedAt + decideWithin && !times.has(person)) times.set(person, at);
  }
  return times;
}
