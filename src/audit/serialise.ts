import { createHash } from "node:crypto";
import { asJson } from "./escape.ts";
import type {
  DatabaseMessage,
  DecisionFacts,
  FailedLogin,
  RequestFacts,
  RevocationFacts,
  SessionFacts,
  StatementFacts,
} from "./entry.ts";

/**
 * Longest SQL that a line holds, in UTF-16 code units. The protocol lets a client send 1 GB in one Query, and
 * escapes can make six bytes of one: whole, one statement could stop every session for seconds and fill the disk.
 * What is cut is still on record: its length, and the SHA-256 that proves which text it was.
 */
export const longestText = 1024 * 1024;

/** NAMEDATALEN - 1: the server cuts application_name there, so no more of it was ever in force. */
const longestApplicationName = 63;

/** Names are shorter; only a hostile startup packet is longer. */
const longestName = 256;

const longestMessage = 4096;

/**
 * The part of a statement's line that its verdict decides, as a piece of JSON (`"role":…,"sql":…`, no braces).
 * It costs a few microseconds: make it once and keep it beside the verdict.
 */
export function serialiseStatement(facts: StatementFacts): string {
  return `${serialiseFacts(facts)},${serialiseTexts(facts.sql, facts.sent)}`;
}

/** The beginning of that: what is told of the statement. */
export function serialiseFacts(facts: Omit<StatementFacts, "sql" | "sent">): string {
  const { role, verdict, kind, relations, rules, refusal } = facts;
  return (
    `"role":${asJson(role)},"verdict":${asJson(verdict)},"kind":${asJson(kind)},` +
    `"relations":${asJson(relations)},"rules":${asJson(rules)}` +
    (refusal ? `,"refusal":${serialiseRefusal(refusal)}` : "")
  );
}

/** The rest: its texts, the client's and the one that was sent where they differ. They cost as much as they are long. */
export function serialiseTexts(sql: string, sent: string | undefined): string {
  return serialiseText("sql", sql) + (sent === undefined ? "" : `,${serialiseText("sent", sent)}`);
}

/** What stands in every statement of a session, before the statement's own number. */
export function serialiseSession(facts: SessionFacts): string {
  return (
    `"session":${asJson(facts.session)},"identity":${asJson(facts.identity)},` +
    `"database":${asJson(facts.database)},"client":${asJson(facts.client)},` +
    `"applicationName":${asJson(clip(facts.applicationName, longestApplicationName))}`
  );
}

/** What proved an identity, as a further field; nothing for a password alone. An issuer's words are cut as names are. */
export function serialiseCredential({ credential }: SessionFacts): string {
  if (credential === undefined) return "";
  const parts = Object.entries(credential).map(
    ([name, value]) => `${asJson(name)}:${asJson(clip(value, longestName))}`,
  );
  return `,"credential":{${parts.join(",")}}`;
}

/** The fields of a failed login. Before authentication everything in it may be hostile, so everything is cut. */
export function serialiseFailedLogin(facts: FailedLogin): string {
  return (
    `"client":${asJson(facts.client)},"user":${asJson(clip(facts.user, longestName))},` +
    `"database":${asJson(clip(facts.database, longestName))},` +
    `"applicationName":${asJson(clip(facts.applicationName, longestApplicationName))},` +
    `"tls":${facts.tls},"sqlstate":${asJson(facts.sqlstate)},"reason":${asJson(clip(facts.reason, longestMessage))}`
  );
}

/** `identity` is whoever did it; nobody does what time does. */
export function serialiseRequest(facts: RequestFacts, decision: DecisionFacts | undefined): string {
  const { id, kind, requester, role, database, duration, reason } = facts;
  return (
    `"request":${id},"kind":${asJson(kind)},"requester":${asJson(requester.name)},"role":${asJson(role)},` +
    `"database":${asJson(database)},"seconds":${duration / 1000},"reason":${asJson(clip(reason, longestMessage))}` +
    (decision === undefined
      ? ""
      : `,"identity":${asJson(decision.by.name)},"comment":${asJson(clip(decision.comment, longestMessage))}`)
  );
}

/** Its texts are the operators', and as long as the store takes them. */
export function serialiseRevocation(facts: RevocationFacts): string {
  const { issuer, database } = facts;
  return (
    `"id":${asJson(facts.id)},"kind":${asJson(facts.kind)},"value":${asJson(clip(facts.value, longestMessage))}` +
    (issuer === undefined ? "" : `,"issuer":${asJson(clip(issuer, longestMessage))}`) +
    (database === undefined ? "" : `,"database":${asJson(clip(database, longestMessage))}`) +
    `,"by":${asJson(clip(facts.by, longestMessage))},"reason":${asJson(clip(facts.reason, longestMessage))}`
  );
}

/** Each field is cut: a database can quote a gigabyte back. */
export function serialiseMessage(told: DatabaseMessage): string {
  return asJson(Object.fromEntries(Object.entries(told).map(([name, text]) => [name, shortenedTo(text)])));
}

function shortenedTo(text: string): string {
  return text.length <= longestMessage ? text : `${clip(text, longestMessage)}…`;
}

function serialiseRefusal({ sqlstate, message }: { sqlstate: string; message: string }): string {
  return asJson({ sqlstate, message: clip(message, longestMessage) });
}

function serialiseText(field: "sql" | "sent", text: string): string {
  const kept = clip(text, longestText);
  if (kept.length === text.length) return `"${field}":${asJson(text)}`;
  const hash = createHash("sha256").update(text, "utf8").digest("hex");
  return `"${field}":${asJson(kept)},"${field}Truncated":${Buffer.byteLength(text)},"${field}Sha256":"${hash}"`;
}

/** The first `length` code units, one fewer where a surrogate pair would be cut in two. */
function clip(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
