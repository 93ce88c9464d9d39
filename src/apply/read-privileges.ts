import { quoteIdentifier, quoteQualified } from "../sql/names.ts";
import type { Privilege } from "./privilege.ts";
import type { AdminQuery } from "./admin-query.ts";

const sql = `
  with granted as (
    select 'DATABASE' as object, null as schema, d.datname as name, null as arguments, null as column, d.datdba as owner, a.*
      from pg_database d, aclexplode(d.datacl) a where d.datname = current_database()
    union all
    select 'SCHEMA', null, n.nspname, null, null, n.nspowner, a.* from pg_namespace n, aclexplode(n.nspacl) a
    union all
    select case c.relkind when 'S' then 'SEQUENCE' else 'TABLE' end, n.nspname, c.relname, null, null, c.relowner, a.*
      from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a
    union all
    select 'TABLE', n.nspname, c.relname, null, t.attname, c.relowner, a.*
      from pg_attribute t join pg_class c on c.oid = t.attrelid join pg_namespace n on n.oid = c.relnamespace,
        aclexplode(t.attacl) a
     where not t.attisdropped
    union all
    select 'ROUTINE', n.nspname, p.proname, oidvectortypes(p.proargtypes), null, p.proowner, a.*
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace, aclexplode(p.proacl) a
  )
  select object, schema, name, arguments, "column", privilege_type as privilege, is_grantable as grantable
    from granted where grantee = $1::regrole and grantee <> owner order by 1, 2, 3, 4, 5, 6`;

type Row = {
  readonly object: Privilege["object"];
  readonly schema: string | null;
  readonly name: string;
  readonly arguments: string | null;
  readonly column: string | null;
  readonly privilege: string;
  readonly grantable: boolean;
};

/** What was granted to a role in this database, ownership and PUBLIC apart. The role must exist. */
export async function readPrivileges(query: AdminQuery, role: string): Promise<Privilege[]> {
  const rows = await query<Row>(sql, [quoteIdentifier(role)]);
  return rows.map(({ object, schema, name, arguments: list, column, privilege, grantable }) => ({
    object,
    name:
      (schema === null ? quoteIdentifier(name) : quoteQualified(schema, name)) +
      (list === null ? "" : `(${list})`),
    column: column ?? undefined,
    privilege,
    grantable,
  }));
}
