/** GIDSIZE of PostgreSQL's xact.h, less the byte that ends it. */
export const longestGid = 199;

/**
 * What the identifiers of an identity's prepared transactions begin with. Any session of the same database role may finish a
 * prepared transaction, and all identities of a role share that one; so each gets identifiers of its own. The colon is
 * escaped in the name, so no prefix begins another identity's.
 */
export function gidPrefix(identity: string): string {
  return `rolegate:${identity.replaceAll("%", "%25").replaceAll(":", "%3A")}:`;
}

/** The same as SQL, by the setting that rolegate gives each session. */
export const gidPrefixSql =
  "pg_catalog.concat('rolegate:', pg_catalog.replace(pg_catalog.replace(" +
  "pg_catalog.current_setting('rolegate.identity'), '%', '%25'), ':', '%3A'), ':')";
