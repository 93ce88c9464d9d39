import type { AccessConnection } from "../access/condition.ts";
import {
  decideWithin,
  likeness,
  personOf,
  stateOf,
  type AccessRequest,
  type Decision,
  type DecisionKind,
  type Person,
} from "../access/requests.ts";
import type { Identity } from "../identity/identity.ts";
import type { Query } from "./store.ts";
import type { Reader } from "./watch.ts";

/** A request that is still to be made. */
export type NewRequest = Omit<AccessRequest, "id" | "askedAt" | "decisions">;

/** A decision that is still to be taken. */
export type NewDecision = Omit<Decision, "at">;

export type RequestsFound = {
  /** Those that are not over, and what became of those that were known; undefined: as before. */
  readonly requests: readonly AccessRequest[] | undefined;
  /** The store's clock, and when it was asked (milliseconds of the monotonic clock). */
  readonly clock: { readonly store: number; readonly asked: number };
};

/** For how many milliseconds what is over is still read, so that everybody learns how it ended. */
const readAfterEnd = 60_000;

/** Reads the store's clock at every look, and the requests when they have changed. */
export function requestReader(found: (requests: RequestsFound) => void): Reader {
  let version: string | undefined;
  let known: readonly number[] = [];
  /** The newest of the last reading: what came since is told of even if it is over already. */
  let newest: string | null = null;
  return {
    channel: "rolegate_requests",
    read: async (query, fresh) => {
      const asked = performance.now();
      const [look] = await query<{ version: string; now: Date; newest: string }>(
        `select version::text, clock_timestamp() as now, (select coalesce(max(id), 0)::text from rolegate.requests) as newest
         from rolegate.versions where topic = 'requests'`,
      );
      if (look === undefined) throw new Error("the store has no version of its requests");
      const clock = { store: look.now.getTime(), asked };
      // A new connection may have led to another server: a replica that took over, a backup that was restored.
      if (!fresh && look.version === version) return found({ requests: undefined, clock });
      const requests = await select(
        query,
        `r.over_at > clock_timestamp() and not exists (
           select from rolegate.request_decisions e where e.request = r.id and e.kind <> 'approve')
         or r.id = any($1::bigint[]) or r.id > $2`,
        [known, newest],
      );
      // Whoever asks and withdraws again and again must not make every reading longer than the one before.
      const now = clock.store - readAfterEnd;
      known = requests
        .filter((request) => (overSince(request, clock.store) ?? now) >= now)
        .map(({ id }) => id);
      newest = look.newest;
      // An older version than what was read with it: the next look reads once more, and loses nothing.
      version = look.version;
      return found({ requests, clock });
    },
  };
}

/** When it was decided against, or its time was over; undefined: it is pending or in force. */
function overSince(request: AccessRequest, now: number): number | undefined {
  const state = stateOf(request, now);
  switch (state.kind) {
    case "denied":
    case "withdrawn":
      return state.decision.at;
    case "expired":
    case "lapsed":
      return state.at;
    case "pending":
    case "in force":
      break;
  }
  return undefined;
}

/**
 * Makes everybody else who wants to change something wait until the transaction's end.
 * @returns the store's clock from then on, in milliseconds since the epoch
 */
export async function lockRequests(query: Query): Promise<number> {
  await query("select from rolegate.versions where topic = 'requests' for update");
  // Asked behind the lock: what comes later in the order of changes must not be earlier by the clock.
  const [row] = await query<{ now: Date }>("select clock_timestamp() as now");
  return row!.now.getTime();
}

/** @param now of `lockRequests` */
export async function insertRequest(query: Query, request: NewRequest, now: number): Promise<AccessRequest> {
  const { kind, rule, requester, connection, role, database, duration, reason, approvals } = request;
  const { name, origin } = personOf(requester);
  const [row] = await query<{ id: string }>(
    `insert into rolegate.requests (kind, rule, requester_name, requester_origin, requester, connection, role,
       database, duration_ms, reason, approvals, asked_at, over_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) returning id::text`,
    [
      kind,
      rule,
      name,
      origin,
      JSON.stringify(requester),
      JSON.stringify(connection),
      role,
      database,
      duration,
      reason,
      approvals,
      new Date(now),
      new Date(now + (approvals > 0 ? decideWithin : 0) + duration),
    ],
  );
  return { ...request, id: Number(row!.id), askedAt: now, decisions: [] };
}

/** @param now of `lockRequests` */
export async function insertDecision(
  query: Query,
  request: number,
  { kind, by, comment }: NewDecision,
  now: number,
): Promise<void> {
  await query(
    `insert into rolegate.request_decisions (request, kind, name, origin, person, comment, decided_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [request, kind, by.name, by.origin, likeness(by.name), comment, new Date(now)],
  );
}

export async function readRequest(query: Query, id: number): Promise<AccessRequest | undefined> {
  const [request] = await select(query, "r.id = $1", [id]);
  return request;
}

/** How many of somebody's requests are neither decided against nor over, and how many were made in the last 24 hours. */
export async function countRequests(
  query: Query,
  { name, origin }: Person,
): Promise<{ readonly open: number; readonly lately: number }> {
  const [row] = await query<{ open: number; lately: number }>(
    `select count(*) filter (where over_at > clock_timestamp() and not exists (
         select from rolegate.request_decisions e where e.request = r.id and e.kind <> 'approve'))::int as open,
       count(*) filter (where asked_at > clock_timestamp() - interval '24 hours')::int as lately
     from rolegate.requests r where requester_name = $1 and requester_origin = $2`,
    [name, origin],
  );
  return row!;
}

/** Those that are not over, and somebody's own last ones, in the order of their making. */
export function listRequests(query: Query, { name, origin }: Person): Promise<readonly AccessRequest[]> {
  return select(
    query,
    `r.over_at > clock_timestamp() and not exists (
       select from rolegate.request_decisions e where e.request = r.id and e.kind <> 'approve')
     or r.id in (select id from rolegate.requests where requester_name = $1 and requester_origin = $2
       order by id desc limit 20)`,
    [name, origin],
  );
}

type Row = {
  readonly id: string;
  readonly kind: AccessRequest["kind"];
  readonly rule: string;
  readonly requester: Identity;
  readonly connection: AccessConnection;
  readonly role: string;
  readonly database: string;
  readonly duration: number;
  readonly reason: string;
  readonly approvals: number;
  readonly asked_at: Date;
  readonly decisions: readonly {
    readonly kind: DecisionKind;
    readonly name: string;
    readonly origin: string;
    readonly comment: string;
    readonly at: number;
  }[];
};

async function select(
  query: Query,
  where: string,
  values: readonly unknown[],
): Promise<readonly AccessRequest[]> {
  const rows = await query<Row>(
    `select r.id::text, r.kind, r.rule, r.requester, r.connection, r.role, r.database,
       r.duration_ms::float8 as duration, r.reason, r.approvals, r.asked_at,
       coalesce((select json_agg(json_build_object('kind', d.kind, 'name', d.name, 'origin', d.origin,
           'comment', d.comment, 'at', floor(extract(epoch from d.decided_at) * 1000)) order by d.id)
         from rolegate.request_decisions d where d.request = r.id), '[]') as decisions
     from rolegate.requests r where ${where} order by r.id`,
    values,
  );
  return rows.map(({ id, asked_at: askedAt, decisions, ...request }) => ({
    ...request,
    id: Number(id),
    askedAt: askedAt.getTime(),
    decisions: decisions.map(({ kind, name, origin, comment, at }) => ({
      kind,
      by: { name, origin },
      comment,
      at,
    })),
  }));
}
