import { quoteLiteral } from "../sql/names.ts";

/**
 * What the session is on the server. One row, all names in pg_catalog: the client's search_path is already in force,
 * and its functions and operators must not run here.
 * @param settings whose values to tell too; empty for one that does not exist.
 */
export function loginFacts(settings: readonly string[] = []): string {
  const pairs = settings
    .map(quoteLiteral)
    .map((name) => `${name}, coalesce(pg_catalog.current_setting(${name}, true), '')`);
  return `
  select current_user as role, session_user as login, 
    l.rolinherit or pg_catalog.pg_has_role(l.oid, r.oid, 'USAGE') as inherits,
    l.rolsuper or l.rolcreaterole or l.rolcreatedb or l.rolreplication or l.rolbypassrls as login_privileged,
    r.rolsuper as role_super,
    exists (select from pg_catalog.pg_auth_members m
      where m.member operator(pg_catalog.=) l.oid
        and (m.roleid operator(pg_catalog.<>) r.oid or m.admin_option)) as other_roles,
    exists (select from pg_catalog.pg_shdepend d
      where d.refclassid operator(pg_catalog.=) 1260 and d.refobjid operator(pg_catalog.=) l.oid
        and d.deptype operator(pg_catalog.=) 'o') as owns,
    pg_catalog.json_build_object(${pairs.join(", ")}) as settings
  from pg_catalog.pg_roles l, pg_catalog.pg_roles r
  where l.rolname operator(pg_catalog.=) session_user and r.rolname operator(pg_catalog.=) current_user`;
}

export type LoginFacts = {
  readonly role: string;
  readonly login: string;
  readonly inherits: boolean;
  readonly login_privileged: boolean;
  readonly role_super: boolean;
  readonly other_roles: boolean;
  readonly owns: boolean;
  /** As pg reads a json value; anything from a server that lies. */
  readonly settings: unknown;
};

/** Whose connection it is to be. */
export type WantedRole = {
  readonly role: string;
  /** Nothing is kept from the role, so it may be a superuser. */
  readonly unrestricted: boolean;
};

/**
 * Why a session must not begin, or undefined. The login has to be worth nothing by itself: whoever gets past the
 * judge and leaves the role would otherwise have what the login has. Beside a superuser no login is worth more.
 */
export function unfitLogin(
  facts: LoginFacts | undefined,
  login: string,
  { role, unrestricted }: WantedRole,
): string | undefined {
  if (facts === undefined) return "the server does not say who the session is";
  if (facts.login !== login) return "the session does not belong to the login";
  if (facts.role !== role) return "the role is not in force";
  if (facts.role_super)
    return unrestricted ? undefined : `role ${role} is a superuser, and its file is not unrestricted`;
  if (facts.login === facts.role) return undefined;
  if (facts.login_privileged)
    return `login ${login} has SUPERUSER, CREATEROLE, CREATEDB, REPLICATION or BYPASSRLS`;
  if (facts.inherits) return `login ${login} inherits what role ${role} may do: it must be NOINHERIT`;
  if (facts.other_roles)
    return `login ${login} is a member of other roles than ${role}, or may grant that one`;
  if (facts.owns) return `login ${login} owns objects: it must own none`;
  return undefined;
}
