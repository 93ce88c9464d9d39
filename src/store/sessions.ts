import type { Credential, Method } from "../identity/identity.ts";
import type { Query } from "./store.ts";

/** A session as the store shows it. */
export type PublishedSession = {
  readonly id: string;
  readonly identity: string;
  readonly method: Method;
  readonly credential: Credential;
  readonly role: string;
  readonly database: string;
  /** Address and port. */
  readonly client: string;
  /** ISO 8601. */
  readonly begun: string;
  readonly state: string;
};

export type ListedSession = PublishedSession & {
  /** Host and process of the instance. */
  readonly instance: string;
};

export type Instance = { readonly id: string; readonly host: string; readonly pid: number };

/** How long an instance that says nothing still counts. */
const staleAfter = "15 seconds";

/**
 * Says that an instance is there.
 * @returns true if the store did not know it: it is new, or the store has lost what it was told
 */
export async function sayHere(query: Query, { id, host, pid }: Instance): Promise<boolean> {
  const [row] = await query<{ inserted: boolean }>(
    `insert into rolegate.instances as i (id, host, pid) values ($1, $2, $3)
     on conflict (id) do update set seen_at = now() returning i.xmax = 0 as inserted`,
    [id, host, pid],
  );
  await query(`delete from rolegate.instances where seen_at < now() - interval '${staleAfter}'`);
  return row?.inserted === true;
}

/** Shows sessions, new ones and changed ones. */
export async function showSessions(
  query: Query,
  { id }: Instance,
  sessions: readonly PublishedSession[],
): Promise<void> {
  await query(
    `insert into rolegate.sessions (id, instance, identity, method, credential, role, database, client, begun_at, state)
     select s.id, $1, s.identity, s.method, s.credential, s.role, s.database, s.client, s.begun, s.state
     from json_to_recordset($2) as s(id uuid, identity text, method text, credential jsonb, role text, database text,
       client text, begun timestamptz, state text)
     on conflict (id) do update set role = excluded.role, state = excluded.state`,
    [id, JSON.stringify(sessions, storable)],
  );
}

/**
 * PostgreSQL's json takes neither NUL nor half a surrogate pair. An issuer can put them into the id of a token, whose session
 * would else keep all others of the instance from being shown.
 */
function storable(_key: string, value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed().replaceAll("\0", "\ufffd") : value;
}

/** Takes those away that are open no more: the ones named, or all others than those. */
export async function hideSessions(
  query: Query,
  { id }: Instance,
  which: { readonly gone: readonly string[] } | { readonly allBut: readonly string[] },
): Promise<void> {
  const condition = "gone" in which ? "id = any($2)" : "not id = any($2)";
  const ids = "gone" in which ? which.gone : which.allBut;
  await query(`delete from rolegate.sessions where instance = $1 and ${condition}`, [id, ids]);
}

/** The instance ends, and its sessions with it. */
export async function sayGone(query: Query, { id }: Instance): Promise<void> {
  await query("delete from rolegate.instances where id = $1", [id]);
}

/** The sessions of all instances that are there, the oldest first. */
export async function listSessions(query: Query): Promise<readonly ListedSession[]> {
  const rows = await query<Omit<ListedSession, "begun"> & { readonly begun: Date }>(
    `select s.id, s.identity, s.method, s.credential, s.role, s.database, s.client, s.begun_at as begun, s.state,
       i.host || ':' || i.pid as instance
     from rolegate.sessions s join rolegate.instances i on i.id = s.instance
     where i.seen_at > now() - interval '${staleAfter}' order by s.begun_at, s.id`,
  );
  return rows.map((row) => ({ ...row, begun: row.begun.toISOString() }));
}
