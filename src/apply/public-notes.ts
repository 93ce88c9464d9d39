import type { AdminQuery } from "./admin-query.ts";

const sql = `
  select 'everybody may ' || lower(privilege) || ' ' || object || ' (granted to PUBLIC), and so may every role' as note
    from (
      select string_agg(distinct a.privilege_type, ', ') as privilege,
        format('%I.%I', n.nspname, c.relname) as object
        from pg_class c join pg_namespace n on n.oid = c.relnamespace,
          aclexplode(coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))) a
       where a.grantee = 0 and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' group by 2
      union all
      select 'create objects in schema', quote_ident(n.nspname)
        from pg_namespace n, aclexplode(n.nspacl) a
       where a.grantee = 0 and a.privilege_type = 'CREATE' and n.nspname !~ '^pg_'
      union all
      select 'create temporary tables in database', quote_ident(d.datname)
        from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
       where a.grantee = 0 and a.privilege_type = 'TEMPORARY' and d.datname = current_database()
    ) open order by object`;

/** What PUBLIC may do here, a line each: it belongs to no role, so apply leaves it, and no role can be without it. */
export async function publicNotes(query: AdminQuery): Promise<string[]> {
  return (await query<{ note: string }>(sql)).map(({ note }) => note);
}
