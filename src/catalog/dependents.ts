import { relationKey, type Dependent } from "./catalog.ts";
import { firstOfDatabase as own } from "./system-queries.ts";

// pg_depend speaks of parts: a view's rule, a constraint, a default, an index. Each is told of the relation or type that
// it is a part of. What depends automatically (deptype a, i) goes without CASCADE and belongs to its table; a column's
// sequence alone is a relation of its own.
const parts = `
  select 'pg_class'::regclass::oid as classid, c.oid as objid, coalesce(i.indrelid, c.oid) as top,
      case when i.indrelid is not null then 'none' when c.relkind = 'S' then 'sequence' else 'column' end as how
    from pg_class c left join pg_index i on i.indexrelid = c.oid where c.oid >= ${own}
  union all
  select 'pg_type'::regclass, t.oid, coalesce(nullif(coalesce(e.typrelid, t.typrelid), 0), e.oid, t.oid), 'other'
    from pg_type t left join pg_type e on e.typarray = t.oid where t.oid >= ${own}
  union all
  select 'pg_rewrite'::regclass, oid, ev_class, case rulename when '_RETURN' then 'whole' else 'other' end
    from pg_rewrite where oid >= ${own}
  union all
  select 'pg_attrdef'::regclass, oid, adrelid, 'column' from pg_attrdef where oid >= ${own}
  union all
  select 'pg_constraint'::regclass, oid, coalesce(nullif(conrelid, 0), contypid),
      case when contype = 'f' then 'foreign key' when conrelid <> 0 then 'column' else 'other' end
    from pg_constraint where oid >= ${own}
  union all
  select 'pg_trigger'::regclass, oid, tgrelid, case when tgisinternal then 'none' else 'other' end
    from pg_trigger where oid >= ${own}
  union all
  select 'pg_policy'::regclass, oid, polrelid, 'other' from pg_policy where oid >= ${own}`;
const edges = `
  select r.top as ref, p.top as dep,
      case when p.how = 'column' and d.classid = 'pg_class'::regclass and d.objsubid = 0 then 'whole'
        else coalesce(p.how, 'other') end as how
    from pg_depend d join part r on (r.classid, r.objid) = (d.refclassid, d.refobjid)
    left join part p on (p.classid, p.objid) = (d.classid, d.objid)
   where d.refobjid >= ${own} and (d.deptype = 'n' or p.how = 'sequence') and p.top is distinct from r.top
     and p.how is distinct from 'none'
  union select inhparent, inhrelid, 'child' from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where c.relkind not in ('i', 'I')
  union select confrelid, conrelid, 'foreign key' from pg_constraint where contype = 'f' and conrelid <> confrelid`;
const named = `
  select c.oid, n.nspname, c.relname as name, n.nspname ~ '^pg_(toast_)?temp_' as temporary
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid >= ${own} and c.relkind not in ('i', 'I', 't')
  union all
  select t.oid, n.nspname, t.typname, n.nspname ~ '^pg_(toast_)?temp_'
    from pg_type t join pg_namespace n on n.oid = t.typnamespace where t.oid >= ${own} and t.typrelid = 0`;

/** A SELECT of one value. What is temporary is left out: it is a session's own, and comes and goes. */
export const dependents = `
  with part as materialized (${parts}), named as materialized (${named}),
    edge as (
      select r.nspname as schema, r.name, e.how, d.nspname as of_schema, d.name as of_name
        from (${edges}) e join named r on r.oid = e.ref left join named d on d.oid = e.dep
       where not r.temporary and d.temporary is not true
      union
      select n.nspname, '', 'other', null, null from pg_depend d join pg_namespace n on n.oid = d.refobjid
       where d.refclassid = 'pg_namespace'::regclass and d.deptype = 'n'
         and d.classid not in ('pg_class'::regclass, 'pg_type'::regclass) and n.nspname !~ '^pg_')
  select json_agg(json_build_array(schema, name, how, of_schema, of_name) order by edge) from edge`;

/** A SELECT of one value: the table that an index is on, and the one whose column a sequence belongs to. */
export const tablesOf = `
  select json_agg(json_build_array(n.nspname, c.relname, tn.nspname, t.relname) order by n.nspname, c.relname)
    from (select indexrelid as of_table, indrelid as tab from pg_index
      union all select objid, refobjid from pg_depend
       where classid = 'pg_class'::regclass and objsubid = 0 and deptype in ('a', 'i')
         and refclassid = 'pg_class'::regclass and refobjsubid > 0) o
    join pg_class c on c.oid = o.of_table and c.relkind in ('i', 'I', 'S') join pg_namespace n on n.oid = c.relnamespace
    join pg_class t on t.oid = o.tab join pg_namespace tn on tn.oid = t.relnamespace
   where c.oid >= ${own} and t.relkind <> 't' and n.nspname !~ '^pg_(toast_)?temp_'`;

/** A SELECT of one value. */
export const builtinTypes = `
  select json_agg(typname order by typname) from pg_type where typnamespace = 'pg_catalog'::regnamespace`;

export type TableOfRow = readonly [schema: string, name: string, ofSchema: string, ofName: string];

export type DependentRow = readonly [
  schema: string,
  name: string,
  how: Dependent["how"],
  ofSchema: string | null,
  ofName: string | null,
];

/** By key: the key of the table. */
export function readTablesOf(rows: readonly TableOfRow[]): ReadonlyMap<string, string> {
  return new Map(
    rows.map(([schema, name, ofSchema, ofName]) => [
      relationKey(schema, name),
      relationKey(ofSchema, ofName),
    ]),
  );
}

/** By the key of what they depend on. */
export function readDependents(rows: readonly DependentRow[]): ReadonlyMap<string, readonly Dependent[]> {
  const byKey = Map.groupBy(rows, ([schema, name]) => relationKey(schema, name));
  return new Map([...byKey].map(([key, own]) => [key, own.map(dependentOf)]));
}

function dependentOf([, , how, schema, name]: DependentRow): Dependent {
  if (schema === null || name === null) return { how: "other", key: undefined };
  return { how, key: relationKey(schema, name) };
}
