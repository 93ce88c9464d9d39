import type { Revocation, RevocationKind } from "../access/revocations.ts";
import type { Query } from "./store.ts";
import type { Reader } from "./watch.ts";

/** What is to be taken away; who does it is not its own word. */
export type NewRevocation = Pick<
  Revocation,
  "kind" | "value" | "issuer" | "database" | "reason" | "by" | "until"
>;

/** A revocation that holds no more, because somebody said so. */
export type Lifting = { readonly id: string; readonly by: string; readonly reason: string };

/** A revocation as the store keeps it, in force or not. */
export type StoredRevocation = Revocation & {
  readonly lifted: (Lifting & { readonly at: number }) | undefined;
};

/** What a reading found. */
export type RevocationsFound = {
  readonly inForce: readonly Revocation[];
  /** Of those that were known as in force. */
  readonly lifted: readonly (Lifting & { readonly made: number })[];
};

const columns = `r.id::text, r.kind, r.value, r.issuer, r.database, r.reason, r.made_by, r.made_at, r.until,
  r.lifted_by, r.lifted_at, r.lift_reason`;

type Row = {
  readonly id: string;
  readonly kind: RevocationKind;
  readonly value: string;
  readonly issuer: string | null;
  readonly database: string | null;
  readonly reason: string;
  readonly made_by: string;
  readonly made_at: Date;
  readonly until: Date | null;
  readonly lifted_by: string | null;
  readonly lifted_at: Date | null;
  readonly lift_reason: string | null;
};

/** Reads what is in force when it has changed, and tells; the table counts, and never what a notification says. */
export function revocationReader(found: (revocations: RevocationsFound) => void): Reader {
  let version: string | undefined;
  const known = new Set<string>();
  return {
    channel: "rolegate_revocations",
    read: async (query, fresh) => {
      const [now] = await query<{ version: string }>(
        "select version::text from rolegate.versions where topic = 'revocations'",
      );
      // A new connection may have led to another server: a replica that took over, a backup that was restored.
      if (!fresh && now?.version === version) return;
      const rows = await query<Row & { version: string }>(
        `select v.version::text, ${columns} from rolegate.versions v left join rolegate.revocations r on
           r.lifted_at is null and (r.until is null or r.until > now()) or r.lifted_at is not null and r.id = any($1)
         where v.topic = 'revocations'`,
        [[...known]],
      );
      const [first] = rows;
      if (first === undefined) throw new Error("the store has no version of its revocations");
      const stored = rows.filter(({ id }) => id !== null).map(revocationOf);
      const inForce = stored.filter(({ lifted }) => lifted === undefined);
      const lifted = stored.flatMap((one) => (one.lifted ? { ...one.lifted, made: one.at } : []));
      for (const { id } of inForce) known.add(id);
      for (const { id } of lifted) known.delete(id);
      found({ inForce, lifted });
      version = first.version;
    },
  };
}

/** Takes something away. @returns its id */
export async function revoke(query: Query, revocation: NewRevocation): Promise<string> {
  const { kind, value, issuer, database, reason, by, until } = revocation;
  const [row] = await query<{ id: string }>(
    `insert into rolegate.revocations (kind, value, issuer, database, reason, made_by, until)
     values ($1, $2, $3, $4, $5, $6, $7) returning id::text`,
    [kind, value, issuer, database, reason, by, until === undefined ? undefined : new Date(until)],
  );
  return row!.id;
}

/** Takes it back. @returns undefined: there is none of this id that is in force */
export async function lift(query: Query, { id, by, reason }: Lifting): Promise<Revocation | undefined> {
  const [row] = await query<Row>(
    `update rolegate.revocations r set lifted_by = $2, lifted_at = now(), lift_reason = $3
     where id = $1 and lifted_at is null returning ${columns}`,
    [id, by, reason],
  );
  return row && revocationOf(row);
}

/** In the order of their making; without `all` those that are in force. */
export async function listRevocations(query: Query, all: boolean): Promise<readonly StoredRevocation[]> {
  const rows = await query<Row>(
    `select ${columns} from rolegate.revocations r
     where $1 or r.lifted_at is null and (r.until is null or r.until > now()) order by r.id`,
    [all],
  );
  return rows.map(revocationOf);
}

function revocationOf(row: Row): StoredRevocation {
  const { id, kind, value, reason } = row;
  return {
    id,
    kind,
    value,
    issuer: row.issuer ?? undefined,
    database: row.database ?? undefined,
    reason,
    by: row.made_by,
    at: row.made_at.getTime(),
    until: row.until?.getTime(),
    lifted:
      row.lifted_at === null
        ? undefined
        : { id, by: row.lifted_by ?? "", reason: row.lift_reason ?? "", at: row.lifted_at.getTime() },
  };
}
