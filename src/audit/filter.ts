import type { RecordLine } from "./line.ts";

/** What of the record is wanted; everything that is given must hold. */
export type Filter = {
  /** ISO 8601 in UTC, as in the record; inclusive. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly identity?: string | undefined;
  readonly role?: string | undefined;
  /** `public.orders`, or `orders` in any schema. */
  readonly relation?: string | undefined;
  /** A statement's kind (`SELECT`), or the name of an event (`login failed`); in any case. */
  readonly kind?: string | undefined;
  readonly verdict?: string | undefined;
  readonly session?: string | undefined;
  /** Of the SQL that the client sent and of that which the server got. */
  readonly grep?: RegExp | undefined;
};

/** Whether the line is wanted. Not asked of completions, which go with their statement. */
export function matches(filter: Filter, line: RecordLine): boolean {
  const { fields } = line;
  const { since, until, relation, kind, grep } = filter;
  if (since !== undefined && line.time < since) return false;
  if (until !== undefined && line.time > until) return false;
  if (filter.session !== undefined && fields["session"] !== filter.session) return false;
  if (filter.identity !== undefined && (fields["identity"] ?? fields["user"]) !== filter.identity)
    return false;
  if (filter.role !== undefined && fields["role"] !== filter.role) return false;
  if (filter.verdict !== undefined && fields["verdict"] !== filter.verdict) return false;
  if (relation !== undefined && !isAmong(fields["relations"], relation)) return false;
  if (kind !== undefined && nameOf(line).toLowerCase() !== kind.toLowerCase()) return false;
  return grep === undefined || isText(fields["sql"], grep) || isText(fields["sent"], grep);
}

/** What happened: a statement's kind, or the event's name. */
export function nameOf(line: RecordLine): string {
  const { kind, event } = line.fields;
  if (line.event === "statement" && typeof kind === "string") return kind;
  return typeof event === "string" ? event : "";
}

function isAmong(relations: unknown, wanted: string): boolean {
  if (!Array.isArray(relations)) return false;
  return relations.some((name: unknown) => {
    return name === wanted || (typeof name === "string" && name.endsWith(`.${wanted}`));
  });
}

function isText(value: unknown, pattern: RegExp): boolean {
  return typeof value === "string" && pattern.test(value);
}
