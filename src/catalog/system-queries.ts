/** Schemas of temporary objects: no role of ours has one, and others' come and go. */
export const temporary = "'^pg_(toast_)?temp_'";

/** The first OID that a database gives out itself (transam.h); what is below belongs to the server. */
export const firstOfDatabase = 16_384;

/** The schemas of the server itself. */
export function isCatalog(schema: string): string {
  return `${schema} in ('pg_catalog', 'information_schema')`;
}

/** The extension that an object belongs to, or NULL. */
export function extensionOf(catalog: string, object: string): string {
  return `
  (select e.extname from pg_depend d join pg_extension e on e.oid = d.refobjid
    where d.classid = '${catalog}'::regclass and d.objid = ${object} and d.deptype = 'e'
      and d.refclassid = 'pg_extension'::regclass limit 1)`;
}
