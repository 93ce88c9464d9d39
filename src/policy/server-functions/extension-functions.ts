/** Functions of PostgreSQL's own extensions that a role file should name only in full knowledge of what they do. */
const groups: readonly { readonly extension: string; readonly does: string; readonly names: string }[] = [
  {
    extension: "dblink",
    does: "runs SQL on a connection of its own, here or elsewhere",
    names: `
      dblink dblink_build_sql_delete dblink_build_sql_insert dblink_build_sql_update dblink_cancel_query dblink_close
      dblink_connect dblink_connect_u dblink_disconnect dblink_exec dblink_fetch dblink_get_pkey dblink_get_result
      dblink_open dblink_send_query
    `,
  },
  {
    extension: "tablefunc",
    does: "runs SQL that is given as text",
    names: "connectby crosstab crosstab2 crosstab3 crosstab4",
  },
  { extension: "xml2", does: "runs SQL that is given as text", names: "xpath_table" },
  { extension: "xml2", does: "reads what a stylesheet names", names: "xslt_process" },
  {
    extension: "pageinspect",
    does: "shows the pages of any relation, rows that nobody may see included",
    names: `
      brin_metapage_info brin_page_items brin_revmap_data bt_metap bt_multi_page_stats bt_page_items bt_page_stats
      fsm_page_contents get_raw_page gin_leafpage_items gist_page_items gist_page_items_bytea hash_bitmap_info
      hash_page_items hash_page_stats heap_page_item_attrs heap_page_items page_header tuple_data_split
    `,
  },
  {
    extension: "pg_walinspect",
    does: "shows what was written to any relation",
    names: "pg_get_wal_block_info pg_get_wal_record_info pg_get_wal_records_info pg_get_wal_stats",
  },
  {
    extension: "pg_logicalinspect",
    does: "reads files of replication",
    names: "pg_get_logical_snapshot_info pg_get_logical_snapshot_meta",
  },
  { extension: "pgrowlocks", does: "shows the rows of any table that others lock", names: "pgrowlocks" },
  {
    extension: "pgstattuple",
    does: "counts the rows of any relation",
    names: "pg_relpages pgstatginindex pgstathashindex pgstatindex pgstattuple pgstattuple_approx",
  },
  {
    extension: "pg_visibility",
    does: "counts the pages and rows of any relation",
    names: `
      pg_check_frozen pg_check_visible pg_truncate_visibility_map pg_visibility pg_visibility_map
      pg_visibility_map_summary
    `,
  },
  { extension: "pg_freespacemap", does: "shows how full any relation is", names: "pg_freespace" },
  {
    extension: "pg_buffercache",
    does: "shows or empties what the server keeps in memory",
    names: `
      pg_buffercache_evict pg_buffercache_evict_all pg_buffercache_evict_relation pg_buffercache_numa_pages
      pg_buffercache_pages pg_buffercache_summary pg_buffercache_usage_counts
    `,
  },
  {
    extension: "pg_prewarm",
    does: "reads any relation into memory",
    names: "autoprewarm_dump_now autoprewarm_start_worker pg_prewarm",
  },
  {
    extension: "amcheck",
    does: "reads any relation and tells of its rows in errors",
    names: "bt_index_check bt_index_parent_check gin_index_check verify_heapam",
  },
  {
    extension: "pg_surgery",
    does: "changes rows past every rule",
    names: "heap_force_freeze heap_force_kill",
  },
  {
    extension: "pg_stat_statements",
    does: "shows the statements of others",
    names: "pg_stat_statements pg_stat_statements_info pg_stat_statements_reset",
  },
  {
    extension: "postgres_fdw",
    does: "shows or ends connections to other servers",
    names: "postgres_fdw_disconnect postgres_fdw_disconnect_all postgres_fdw_get_connections",
  },
  {
    extension: "sslinfo",
    does: "shows the certificate of rolegate's own connection",
    names: `
      ssl_client_dn ssl_client_dn_field ssl_client_serial ssl_extension_info ssl_issuer_dn ssl_issuer_field
    `,
  },
  {
    extension: "adminpack",
    does: "reads and writes files of the server",
    names: "pg_file_rename pg_file_sync pg_file_unlink pg_file_write pg_logdir_ls",
  },
  { extension: "lo", does: "removes large objects, which no rule is about", names: "lo_manage" },
];

const effects: ReadonlyMap<string, string> = new Map(
  groups.flatMap(({ extension, does, names }) =>
    names
      .trim()
      .split(/\s+/)
      .map((name) => [`${extension}.${name}`, does] as const),
  ),
);

/** What a function of an extension does that a rule does not hold back; undefined: nothing that is known. */
export function extensionEffect(extension: string, name: string): string | undefined {
  return effects.get(`${extension}.${name}`);
}
