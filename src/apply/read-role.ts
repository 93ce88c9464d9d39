import type { AdminQuery } from "./admin-query.ts";

/** One role of the server, as far as apply cares. */
export type RoleFacts = {
  readonly name: string;
  readonly canlogin: boolean;
  readonly inherit: boolean;
  readonly superuser: boolean;
  readonly createrole: boolean;
  readonly createdb: boolean;
  readonly replication: boolean;
  readonly bypassrls: boolean;
  /** Its comment; ours tells that apply made it. */
  readonly comment: string | null;
  /** Settings of its own (ALTER ROLE … SET), for one database or all. */
  readonly has_settings: boolean;
  /** The stored password; null: none, or we may not see it. */
  readonly verifier: string | null;
  readonly members_of: readonly Membership[];
  /** What it owns in this database or on the server, described. */
  readonly owns: readonly string[];
};

export type Membership = {
  readonly role: string;
  readonly admin: boolean;
  readonly inherit: boolean;
  readonly set: boolean;
};

/** The roles of these names that exist. */
export async function readRoles(query: AdminQuery, names: readonly string[]): Promise<RoleFacts[]> {
  const [server] = await query<{ major: number; sees_passwords: boolean }>(`
    select current_setting('server_version_num')::int / 10000 as major,
      has_table_privilege('pg_authid', 'select') as sees_passwords`);
  // Options of a membership came with 16; before it, the member's own INHERIT decided.
  const options =
    server!.major >= 16
      ? "'inherit', m.inherit_option, 'set', m.set_option"
      : "'inherit', r.rolinherit, 'set', true";
  const verifier = server!.sees_passwords
    ? "(select a.rolpassword from pg_authid a where a.oid = r.oid)"
    : "null";
  return query<RoleFacts>(
    `select r.rolname as name, r.rolcanlogin as canlogin, r.rolinherit as inherit, r.rolsuper as superuser,
       r.rolcreaterole as createrole, r.rolcreatedb as createdb, r.rolreplication as replication,
       r.rolbypassrls as bypassrls, shobj_description(r.oid, 'pg_authid') as comment,
       exists (select from pg_db_role_setting s where s.setrole = r.oid) as has_settings, ${verifier} as verifier,
       coalesce((select json_agg(json_build_object('role', g.rolname, 'admin', m.admin_option, ${options})
           order by g.rolname) from pg_auth_members m join pg_roles g on g.oid = m.roleid where m.member = r.oid),
         '[]') as members_of,
       coalesce((select json_agg(pg_describe_object(d.classid, d.objid, d.objsubid)) from (
           select * from pg_shdepend where refclassid = 'pg_authid'::regclass and refobjid = r.oid and deptype = 'o'
             and dbid in (0, (select oid from pg_database where datname = current_database())) limit 5) d), '[]') as owns
       from pg_roles r where r.rolname = any($1) order by 1`,
    [names],
  );
}
