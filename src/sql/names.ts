import { refuse } from "../errors.ts";

/**
 * Every keyword of PostgreSQL 15 to 18 (src/include/parser/kwlist.h) that is not unreserved: as a
 * bare name each of them means, or may mean, something else.
 */
const keywords = new Set(
  `
  all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean
  both case cast char character check coalesce collate collation column concurrently constraint create
  cross current_catalog current_date current_role current_schema current_time current_timestamp
  current_user dec decimal default deferrable desc distinct do else end except exists extract false
  fetch float for foreign freeze from full grant greatest group grouping having ilike in initially
  inner inout int integer intersect interval into is isnull join json json_array json_arrayagg
  json_exists json_object json_objectagg json_query json_scalar json_serialize json_table json_value
  lateral leading least left like limit localtime localtimestamp merge_action national natural nchar
  none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay
  placing position precision primary real references returning right row select session_user setof
  similar smallint some substring symmetric system_user table tablesample then time timestamp to
  trailing treat trim true union unique user using values varchar variadic verbose when where window
  with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot
  xmlserialize xmltable
  `
    .trim()
    .split(/\s+/),
);

/**
 * The name as the server's grammar reads it back exactly: bare where that is sure to work, else in quotes.
 * @throws RolegateError `encoding_invalid` for what cannot be a name: empty, with a NUL byte, or with a lone surrogate
 */
export function quoteIdentifier(name: string): string {
  if (name === "") refuse("encoding_invalid", "a name is empty");
  checkEncoding(name, "name");
  if (/^[a-z_][a-z0-9_]*$/.test(name) && !keywords.has(name)) return name;
  return `"${name.replaceAll('"', '""')}"`;
}

/** `schema.name`, both quoted where they need it. */
export function quoteQualified(schema: string, name: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/**
 * The text as a string constant, for servers with `standard_conforming_strings` on: a backslash in it is itself.
 * @throws RolegateError `encoding_invalid` for a NUL byte or a lone surrogate
 */
export function quoteLiteral(text: string): string {
  checkEncoding(text, "value");
  return `'${text.replaceAll("'", "''")}'`;
}

/** NAMEDATALEN - 1: what the server keeps of a name, in bytes of UTF-8. */
const longestName = 63;

/** The name as the server cuts it: at most 63 bytes, never in the middle of a character. */
export function truncateName(name: string): string {
  const bytes = Buffer.from(name);
  if (bytes.length <= longestName) return name;
  let end = longestName;
  while (((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return bytes.toString("utf8", 0, end);
}

function checkEncoding(text: string, what: string): void {
  if (text.includes("\0")) refuse("encoding_invalid", `a ${what} holds a NUL byte`);
  if (!text.isWellFormed()) refuse("encoding_invalid", `a ${what} is not valid Unicode`);
}
