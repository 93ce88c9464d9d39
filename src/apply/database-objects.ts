import { relationKey } from "../catalog/catalog.ts";
import { quoteIdentifier, quoteQualified } from "../sql/names.ts";
import type { AdminQuery } from "./admin-query.ts";

type Name = { readonly schema: string; readonly name: string };

/** What grants need to know of a database beside its catalog. */
export type DatabaseObjects = {
  /** By relation (`relationKey`): the sequences that its columns' defaults take numbers from. */
  readonly defaultSequences: ReadonlyMap<string, readonly Name[]>;
  /** By relation: the schemas, other than pg_catalog, of its columns' types. */
  readonly typeSchemas: ReadonlyMap<string, readonly string[]>;
  /** Functions and procedures outside pg_catalog, one for each list of arguments, as GRANT takes it. */
  readonly routines: readonly (Name & { readonly arguments: string })[];
  /** By kind and name as a privilege has them (`TABLE public.orders`): the role that owns it. */
  readonly owners: ReadonlyMap<string, string>;
};

type OfRelation<Value> = { readonly of_schema: string; readonly of_name: string } & Value;

const defaultSequences = `
  select distinct n.nspname as of_schema, c.relname as of_name, sn.nspname as schema, s.relname as name
    from pg_attrdef ad join pg_class c on c.oid = ad.adrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_depend d on d.classid = 'pg_attrdef'::regclass and d.objid = ad.oid and d.refclassid = 'pg_class'::regclass
    join pg_class s on s.oid = d.refobjid and s.relkind = 'S' join pg_namespace sn on sn.oid = s.relnamespace
   order by 1, 2, 3, 4`;
const typeSchemas = `
  select distinct n.nspname as of_schema, c.relname as of_name, tn.nspname as schema
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_type t on t.oid = a.atttypid join pg_namespace tn on tn.oid = t.typnamespace
   where a.attnum > 0 and tn.nspname <> 'pg_catalog' and n.nspname <> 'information_schema' order by 1, 2, 3`;
const routines = `
  select n.nspname as schema, p.proname as name, oidvectortypes(p.proargtypes) as arguments
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname <> 'pg_catalog' order by 1, 2, 3`;

const owners = `
  select 'SCHEMA' as object, null as schema, n.nspname as name, pg_get_userbyid(n.nspowner) as owner from pg_namespace n
  union all
  select case c.relkind when 'S' then 'SEQUENCE' else 'TABLE' end, n.nspname, c.relname, pg_get_userbyid(c.relowner)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind not in ('i', 'I', 't', 'c')`;

/** Reads them as they are now. */
export async function readDatabaseObjects(query: AdminQuery): Promise<DatabaseObjects> {
  return {
    defaultSequences: byRelation(await query<OfRelation<Name>>(defaultSequences), (row) => row),
    typeSchemas: byRelation(await query<OfRelation<{ schema: string }>>(typeSchemas), ({ schema }) => schema),
    routines: await query<Name & { arguments: string }>(routines),
    owners: new Map(
      (await query<{ object: string; schema: string | null; name: string; owner: string }>(owners)).map(
        ({ object, schema, name, owner }) => [
          `${object} ${schema === null ? quoteIdentifier(name) : quoteQualified(schema, name)}`,
          owner,
        ],
      ),
    ),
  };
}

function byRelation<Row extends OfRelation<object>, Value>(
  rows: readonly Row[],
  value: (row: Row) => Value,
): Map<string, Value[]> {
  const groups = Map.groupBy(rows, (row) => relationKey(row.of_schema, row.of_name));
  return new Map([...groups].map(([key, own]) => [key, own.map(value)]));
}
