import { createHash } from "node:crypto";
import { refuse } from "../errors.ts";
import {
  builtinTypes,
  dependents,
  readDependents,
  readTablesOf,
  tablesOf,
  type DependentRow,
  type TableOfRow,
} from "./dependents.ts";
import {
  relationKey,
  type Catalog,
  type Column,
  type Relation,
  type RelationKind,
  type RowEvent,
} from "./catalog.ts";
import { functionOf, functions, type FunctionRow } from "./functions.ts";
import { readMadeObjects } from "./made-objects.ts";
import { casts, operators, types, type CastRow, type OperatorRow, type TypeRow } from "./made-queries.ts";
import { temporary } from "./system-queries.ts";

const relationKinds: Readonly<Record<string, RelationKind>> = {
  r: "table",
  p: "partitioned table",
  v: "view",
  m: "materialized view",
  f: "foreign table",
  S: "sequence",
  i: "index",
  I: "index",
  t: "toast table",
  c: "composite type",
};

/**
 * Runs the SQL and gives the one row's columns as text. The connection's search_path must be `pg_catalog, pg_temp`
 * and nothing else: format_type qualifies what the path does not show, and operators must be the server's own.
 */
export type CatalogQuery = (sql: string) => Promise<readonly string[]>;

/** A catalog, and what tells whether the next one differs. */
export type CatalogReading = { readonly catalog: Catalog; readonly hash: string };

// One statement, so that all of it is one snapshot; aggregated to text on the server, so that an unchanged catalog
// costs a hash here and no parsing.
const schemas = `
  select json_agg(nspname order by nspname) from pg_namespace where nspname !~ ${temporary}`;

// With -1 for the modifier format_type says bpchar where the bare name, character, would mean a length of one.
const columns = `
  select json_agg(json_build_array(a.attname, format_type(a.atttypid, -1), t.typtype, a.attnotnull::int,
      (a.attgenerated <> '')::int, format_type(a.atttypid, a.atttypmod),
      (a.attidentity <> '' or (a.atthasdef and a.attgenerated = '') or t.typdefault is not null)::int,
      (a.attgenerated = 'v')::int, a.attcollation::int8)
      order by a.attnum)
    from pg_attribute a join pg_type t on t.oid = a.atttypid
   where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and c.relkind not in ('i', 'I', 't')`;
// pg_am.dat: 2 is heap.
const relations = `
  select json_agg(json_build_array(c.oid::int8, n.nspname, c.relname, c.relkind, (c.relam = 2)::int, (${columns}))
      order by n.nspname, c.relname)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname !~ ${temporary}`;

const keys = `
  select json_agg(json_build_array(k.conrelid::int8, (select json_agg(a.attname order by a.attnum) from pg_attribute a
      where a.attrelid = k.conrelid and a.attnum = any(k.conkey))) order by k.conrelid::int8)
    from pg_constraint k join pg_class c on c.oid = k.conrelid
   where k.contype = 'p' and not k.condeferrable
     and (c.relkind = 'p' or not exists (select from pg_inherits i where i.inhparent = c.oid))`;

// pg_trigger.h: 1 is FOR EACH ROW, 2 BEFORE, 4 INSERT, 8 DELETE, 16 UPDATE, 64 INSTEAD OF.
const triggers = `
  select json_agg(json_build_array(root::int8, bits) order by root::int8) from (
    with recursive tree(root, relation) as (
      select tgrelid, tgrelid from pg_trigger
      union select i.inhparent, i.inhrelid from pg_inherits i
      union select t.root, i.inhrelid from tree t join pg_inherits i on i.inhparent = t.relation)
    select root, bit_or(tgtype::int & 28) as bits from tree join pg_trigger on tgrelid = relation
     where tgtype & 1 = 1 and tgtype & 66 <> 0 and tgenabled <> 'D' group by root) t`;

// pg_rewrite.h: 2 is UPDATE, 3 INSERT, 4 DELETE.
const rules = `
  select json_agg(json_build_array(ev_class::int8, ev_type::text::int) order by oid)
    from pg_rewrite where is_instead and ev_type in ('2', '3', '4') and ev_enabled <> 'D'`;

const texts = Object.entries({
  schemas,
  relations,
  keys,
  triggers,
  rules,
  functions,
  operators,
  types,
  casts,
  builtinTypes,
  tablesOf,
  dependents,
}).map(([name, select]) => `coalesce((${select})::text, '[]') as ${name.toLowerCase()}`);
const sql = `select current_setting('server_version_num') as version,
  current_setting('server_encoding') as encoding, ${texts.join(", ")}`;

type ColumnRow = readonly [
  name: string,
  type: string,
  kind: string,
  notNull: number,
  generated: number,
  declared: string,
  filled: number,
  virtual: number,
  collation: number,
];
type KeyRow = readonly [oid: number, columns: readonly string[]];
type TriggerRow = readonly [oid: number, bits: number];
type RuleRow = readonly [oid: number, event: number];
type RelationRow = readonly [
  oid: number,
  schema: string,
  name: string,
  kind: string,
  heap: number,
  columns: readonly ColumnRow[] | null,
];
/**
 * Reads what the database contains.
 * @param last the reading before, given back as it is if nothing has changed; else the new version is its plus one
 * @throws RolegateError upstream_unavailable for a server whose major version has no parser here, or whose encoding
 *   is not UTF8
 */
export async function readCatalog(query: CatalogQuery, last?: CatalogReading): Promise<CatalogReading> {
  const row = await query(sql);
  const hash = createHash("sha256").update(row.join("\0")).digest("base64");
  if (hash === last?.hash) return last;
  return { hash, catalog: catalogFromRows(row, (last?.catalog.version ?? 0) + 1) };
}

const readFrom = new WeakMap<Catalog, readonly string[]>();

/** What a catalog was made of: with these another thread can make its own. */
export function catalogRows(catalog: Catalog): { rows: readonly string[]; version: number } {
  const rows = readFrom.get(catalog);
  if (rows === undefined) throw new Error("the catalog was not read from a database");
  return { rows, version: catalog.version };
}

export function catalogFromRows(rows: readonly string[], version: number): Catalog {
  const catalog = catalogOf(rows, version);
  readFrom.set(catalog, rows);
  return catalog;
}

function catalogOf(row: readonly string[], version: number): Catalog {
  const [number = "", encoding = "", ...texts] = row;
  const serverMajor = Math.floor(Number(number) / 10_000);
  if (!(serverMajor >= 15 && serverMajor <= 18))
    refuse("upstream_unavailable", "the server's version is not one of 15 to 18", {
      detail: `server_version_num is ${number}`,
    });
  if (encoding !== "UTF8")
    refuse("upstream_unavailable", "the server's encoding is not UTF8", { detail: `it is ${encoding}` });
  const [
    schemas,
    relations,
    keys,
    triggers,
    rules,
    functions,
    operators,
    types,
    casts,
    builtin,
    owned,
    dependentRows,
  ] = texts.map((text) => JSON.parse(text) as unknown) as [
    readonly string[],
    readonly RelationRow[],
    readonly KeyRow[],
    readonly TriggerRow[],
    readonly RuleRow[],
    readonly FunctionRow[],
    readonly OperatorRow[],
    readonly TypeRow[],
    readonly CastRow[],
    readonly string[],
    readonly TableOfRow[],
    readonly DependentRow[],
  ];
  const facts = {
    keys: new Map(keys),
    triggers: new Map(triggers),
    rules: Map.groupBy(rules, ([oid]) => oid),
  };
  return {
    version,
    serverMajor,
    schemas: new Set(schemas),
    relations: new Map(relations.map((row) => [relationKey(row[1], row[2]), relationOf(row, facts)])),
    functions: Map.groupBy(functions.map(functionOf), ({ name }) => name),
    ...readMadeObjects(types, casts, operators),
    builtinTypes: new Set(builtin),
    tablesOf: readTablesOf(owned),
    dependents: readDependents(dependentRows),
  };
}

/** What the server does by itself to rows of relations, by OID. */
type Facts = {
  readonly keys: ReadonlyMap<number, readonly string[]>;
  readonly triggers: ReadonlyMap<number, number>;
  readonly rules: ReadonlyMap<number, readonly RuleRow[]>;
};

function relationOf(
  [oid, schema, name, kindCode, heap, columns]: RelationRow,
  { keys, triggers, rules }: Facts,
): Relation {
  const kind = relationKinds[kindCode];
  // A kind of a later server: no rule can speak of it, so nothing may resolve to it.
  if (kind === undefined) refuse("upstream_unavailable", `relation kind ${kindCode} is not known`);
  const bits = triggers.get(oid) ?? 0;
  const events = Object.keys(triggerBits) as RowEvent[];
  const rowTriggers = new Set(events.filter((event) => (bits & triggerBits[event]) !== 0));
  // An update that moves a row to another partition inserts it there.
  if (kind === "partitioned table" && rowTriggers.has("insert")) rowTriggers.add("update");
  return {
    oid,
    schema,
    name,
    kind,
    heap: heap === 1,
    columns: (columns ?? []).map(columnOf),
    primaryKey: keys.get(oid) ?? [],
    rowTriggers,
    insteadRules: new Set((rules.get(oid) ?? []).map(([, event]) => ruleEvents[event]!)),
  };
}

const triggerBits: Readonly<Record<RowEvent, number>> = { insert: 4, delete: 8, update: 16 };
const ruleEvents: Readonly<Record<number, RowEvent>> = { 2: "update", 3: "insert", 4: "delete" };

function columnOf(row: ColumnRow): Column {
  const [name, type, typeKind, notNull, generated, declared, filled, virtual, collation] = row;
  return {
    name,
    type,
    typeKind,
    declared,
    notNull: notNull === 1,
    generated: generated === 1,
    filled: filled === 1,
    virtual: virtual === 1,
    collation,
  };
}
