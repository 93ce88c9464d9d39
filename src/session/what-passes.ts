import { relationKey, type Catalog } from "../catalog/catalog.ts";
import { withParents } from "../catalog/parents.ts";
import type { Grants } from "../policy/grants.ts";
import type { Quotable } from "../rewrite/quotable.ts";
import { seesAll } from "../rewrite/reading/virtual-table.ts";
import { originOf, type Origin } from "./origin.ts";

/** What the rules have to do with a message of the server's. */
export type Cover = {
  /** The server read another text than the client wrote: positions would point into that. */
  readonly rewritten: boolean;
  /** The statement's relations have rows or columns that the client must not see (rewrite/verdict.ts). */
  readonly hides: boolean;
  readonly quotable: Quotable;
  /** HINTs of ours, by SQLSTATE. */
  readonly hints: ReadonlyMap<string, string>;
  /** No row was looked at yet: what is quoted is the client's own text, or its parameters. */
  readonly early: boolean;
  /** What the statement was judged with; undefined: no statement of the client's is running. */
  readonly rules: { readonly grants: Grants; readonly catalog: Catalog } | undefined;
};

type Fields = ReadonlyMap<string, string>;

/** What the client gets of a message. */
export type Passing = {
  /** The codes of the fields that it does not get. */
  readonly hidden: string;
  /** What it gets in their place. */
  readonly given: Readonly<Record<string, string>>;
  /** Something that the database said was kept from it on account of the rules. */
  readonly withheld: boolean;
};

/**
 * What a client may get of a message of the server's. Where the role sees everything that the statement touches, all of
 * it. Elsewhere what the server itself would show under row security and column grants, and no more: DETAIL prints rows
 * and keys, the context statements and values, and the internal query is one that the client never wrote.
 */
export function whatPasses(fields: Fields, cover: Cover): Passing {
  if (!cover.hides && seesNamed(fields, cover)) return everything(fields, cover);
  const state = fields.get("C") ?? "";
  const origin = originOf(fields.get("W") ?? "");
  if (messagePasses(fields, origin, cover)) return partsOf(fields, origin, cover);
  // RAISE … USING can put anything into the names of schema, table, column, type and constraint.
  const hidden = `${alwaysHidden(cover)}RMDHWqp${origin.kind === "raise" || origin.kind === "unknown" ? "stcdn" : ""}`;
  return { hidden, given: inPlaceOf(state, origin, cover), withheld: true };
}

/**
 * The same of a notice; undefined: the client gets nothing of it. What the server says by itself names objects and
 * quotes no rows, so there it is the parts alone that tell.
 */
export function noticePasses(fields: Fields, cover: Cover): Passing | undefined {
  if (!cover.hides && seesNamed(fields, cover)) return everything(fields, cover);
  const origin = originOf(fields.get("W") ?? "");
  const passes = origin.kind === "raise" ? isAllowed(origin, cover) : origin.kind !== "unknown";
  return passes ? partsOf(fields, origin, cover) : undefined;
}

/**
 * File and line of the server's source, which tell its exact build; and a position in a text that the client did not write.
 * The routine stays: by it postgres.js knows that a plan is out of date, and prepares the statement anew.
 */
function alwaysHidden({ rewritten }: Cover): string {
  return rewritten ? "FLP" : "FL";
}

function everything(fields: Fields, cover: Cover): Passing {
  const hint = cover.hints.get(fields.get("C") ?? "");
  if (hint === undefined) return { hidden: alwaysHidden(cover), given: {}, withheld: false };
  return { hidden: `${alwaysHidden(cover)}H`, given: { H: hint }, withheld: false };
}

/** What passes beside the message itself. */
function partsOf(fields: Fields, origin: Origin, cover: Cover): Passing {
  const state = fields.get("C") ?? "";
  const hint = cover.hints.get(state);
  const spoken = origin.kind === "raise";
  const own = isClientsOwn(state, fields, origin, cover);
  const kept = [
    ...(spoken || own || isGivenKey(state, fields, origin, cover) ? ["D"] : []),
    ...(own || origin.kind === "input" ? ["W"] : []),
    // The server proposes columns of the real table for one that it does not find.
    ...(hint !== undefined || state === "42703" ? [] : ["H"]),
  ];
  const telling = ["D", "W", "q", "p", "H"].filter((code) => !kept.includes(code));
  return {
    hidden: alwaysHidden(cover) + telling.join(""),
    given: hint === undefined ? {} : { H: hint },
    withheld: telling.some((code) => fields.has(code)),
  };
}

/** False if the message is about a relation of which the role does not see everything, such as one that a trigger writes to. */
function seesNamed(fields: Fields, { rules }: Cover): boolean {
  const schema = fields.get("s");
  const table = fields.get("t");
  if (schema === undefined || table === undefined || rules === undefined) return true;
  if (schema === "pg_catalog" || schema.startsWith("pg_temp")) return true;
  const { grants, catalog } = rules;
  if (grants.unrestricted !== undefined) return true;
  // The server names the partition; the statement, and the role file, its table.
  const grant =
    withParents(catalog, relationKey(schema, table))
      .map((key) => grants.tables.get(key))
      .find((found) => found !== undefined) ?? grants.schemas.get(schema);
  return grant?.select !== undefined && seesAll(grant.select);
}

/** Classes of errors whose messages name objects and never a value of a row (documentation, appendix A). */
const namingClasses: ReadonlySet<string> = new Set("21 23 24 25 26 34 3B 40 44 53 55 57".split(" "));

/** Messages that quote nothing, in classes where others do. */
const fixedMessages: readonly RegExp[] = [
  /^division by zero$/,
  /^(?:smallint|integer|bigint|oid|date|time|timestamp|interval|money) out of range$/,
  /^value out of range: (?:overflow|underflow)$/,
  /^numeric field overflow$/,
  /^value too long for type (?:character|character varying)\(\d+\)$/,
  /^invalid input syntax for type jsonb?$/,
  /^cannot cast jsonb [a-z ]+ to type [a-z ]+$/,
];

function messagePasses(fields: Fields, origin: Origin, cover: Cover): boolean {
  const state = fields.get("C") ?? "";
  const quotesNothing =
    namingClasses.has(state.slice(0, 2)) ||
    state === "42501" ||
    fixedMessages.some((fixed) => fixed.test(fields.get("M") ?? ""));
  switch (origin.kind) {
    case "statement":
      return quotesNothing || !cover.quotable.raises || isBeforeRows(fields, cover);
    case "input":
      return quotesNothing || !cover.quotable.raises || origin.value || isBeforeRows(fields, cover);
    case "function":
      return quotesNothing;
    case "raise":
      return isAllowed(origin, cover);
    case "unknown":
      return false;
    default:
      return origin satisfies never;
  }
}

/** Only the analysis of a text knows positions in it; nothing that runs does. */
function isBeforeRows(fields: Fields, { early }: Cover): boolean {
  return early || fields.has("P");
}

/** DETAIL and context say what was wrong with a constant or a parameter of the client's. */
function isClientsOwn(state: string, fields: Fields, { kind }: Origin, cover: Cover): boolean {
  return state.startsWith("22") && isBeforeRows(fields, cover) && (kind === "statement" || kind === "input");
}

/** `Key (email)=(x) already exists.`, `Key (customer_id)=(9) is not present in table "customers".` */
const plainKey = /^Key \(([a-z_][a-z0-9_$]*(?:, [a-z_][a-z0-9_$]*)*)\)=\(/;

/**
 * A unique or foreign key that the statement itself gave, in columns that the role sees as they are. Nothing else may
 * have had a hand in it: what a trigger or a cascade writes comes with a context.
 */
function isGivenKey(state: string, fields: Fields, { kind }: Origin, { quotable, rules }: Cover): boolean {
  if (rules === undefined) return false;
  if ((state !== "23505" && state !== "23503") || (kind !== "statement" && kind !== "input")) return false;
  const detail = fields.get("D") ?? "";
  // The key of a row that others refer to is that of another relation than the message names.
  if (state === "23503" && !detail.includes(" is not present in table ")) return false;
  const named = relationKey(fields.get("s") ?? "", fields.get("t") ?? "");
  const given = withParents(rules.catalog, named)
    .map((key) => quotable.given.get(key))
    .find((columns) => columns !== undefined);
  const columns = plainKey.exec(detail)?.[1]?.split(", ") ?? [];
  return given !== undefined && columns.length > 0 && columns.every((column) => given.has(column));
}

/** Whoever allows a function by name lets it speak. A bare name is allowed if every function is that it could mean. */
function isAllowed({ schema, name }: Origin & { kind: "raise" }, { rules }: Cover): boolean {
  if (rules === undefined) return false;
  const { grants, catalog } = rules;
  const meant = (catalog.functions.get(name) ?? []).filter(
    (found) => schema === undefined || found.schema === schema,
  );
  return (
    meant.length > 0 &&
    meant.every((found) => grants.functions.has(name) || grants.functions.has(`${found.schema}.${name}`))
  );
}

/** What PostgreSQL's table of SQLSTATEs calls the classes whose messages can quote. */
const classNames: Readonly<Record<string, string>> = {
  "0A": "feature not supported",
  "22": "data exception",
  "42": "invalid reference",
  P0: "error raised by a function",
  XX: "internal error",
};

function inPlaceOf(state: string, origin: Origin, { rules }: Cover): Record<string, string> {
  const called = classNames[state.slice(0, 2)] ?? "error";
  const by = origin.kind === "raise" ? ` in function ${shownName(origin)}` : "";
  const role = rules === undefined ? "The role" : `Role "${rules.grants.role}"`;
  return {
    M: `${called}${by}: the database's own words are withheld`,
    D: `${role} does not see everything that the statement touches, and the words may quote it. They are on record.`,
    ...(origin.kind === "raise" && rules !== undefined
      ? { H: `They pass where ${rules.grants.file} names the function under functions.allow.` }
      : {}),
  };
}

function shownName({ schema, name }: Origin & { kind: "raise" }): string {
  return schema === undefined ? name : `${schema}.${name}`;
}
