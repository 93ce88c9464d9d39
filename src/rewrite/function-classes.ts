/**
 * What the server's own functions may do beyond computing a value, by name. A name that stands here is
 * refused (or blanked) in every overload. Immutable and stable functions of pg_catalog that do not stand here
 * are allowed; volatile ones only if they stand under `harmless`. Everything outside pg_catalog is refused
 * unless the role file names it.
 *
 * Sources: pg_proc of PostgreSQL 15 to 18; what each function was seen to do when called with canary values.
 */
export const functionClasses = {
  /** Volatile, yet nothing but a value comes of them; and letting go of the session's own locks, which pools do. */
  harmless: [
    "array_sample array_shuffle bernoulli clock_timestamp gen_random_uuid pg_collation_actual_version",
    "pg_advisory_unlock_all pg_database_collation_actual_version pg_is_in_recovery pg_jit_available pg_partition_ancestors pg_partition_tree",
    "random random_normal system timeofday uuidv4 uuidv7",
  ],
  /** Run SQL text that is given as an argument: past every rule. */
  "runs SQL": ["query_to_xml query_to_xml_and_xmlschema query_to_xmlschema ts_rewrite ts_stat"],
  /** Read a relation, cursor or large object that a value names. */
  "reads by name": [
    "currtid2 cursor_to_xml cursor_to_xmlschema database_to_xml database_to_xml_and_xmlschema database_to_xmlschema",
    "lo_get loread pg_sequence_last_value pg_get_sequence_data schema_to_xml schema_to_xml_and_xmlschema schema_to_xmlschema",
    "table_to_xml table_to_xml_and_xmlschema table_to_xmlschema",
  ],
  /** Show statistics, other sessions, or the text of statements. */
  "shows others": [
    "current_query pg_blocking_pids pg_cursor pg_get_replication_slots pg_listening_channels pg_lock_status pg_mcv_list_items",
    "pg_prepared_statement pg_prepared_xact pg_safe_snapshot_blocking_pids pg_stat_have_stats pg_get_wait_events",
    "pg_get_publication_tables pg_get_multixact_members",
  ],
  /** Change the session, the role or a setting. */
  "changes the session": [
    "set_config setseed pg_notify pg_export_snapshot pg_stat_clear_snapshot pg_stat_force_next_flush",
  ],
  /** Move a sequence or show where it stands. */
  sequence: ["currval lastval nextval setval"],
  /** Hold something beyond the statement, or hold the connection up. */
  "holds a resource": [
    "pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_shared",
    "pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_sleep pg_sleep_for pg_sleep_until pg_try_advisory_lock",
    "pg_try_advisory_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared",
    "pg_current_xact_id txid_current",
  ],
  /** Reach other sessions, files, the log, replication or the server as a whole. */
  "reaches the server": [
    "inet_client_addr inet_client_port inet_server_addr inet_server_port pg_config pg_read_binary_file pg_read_file",
    "pg_relation_filenode pg_relation_filepath pg_filenode_relation pg_show_all_file_settings pg_stat_file",
    "pg_cancel_backend pg_terminate_backend pg_conf_load_time pg_event_trigger_ddl_commands pg_event_trigger_dropped_objects",
  ],
} as const;

export type FunctionClass = keyof typeof functionClasses;

/** Prefixes of families that are refused whole, whatever a later version adds to them. */
const refusedPrefixes: readonly (readonly [string, FunctionClass])[] = [
  ["pg_stat_get_", "shows others"],
  ["pg_stat_reset", "reaches the server"],
  ["pg_logical_", "reaches the server"],
  ["pg_replication_", "reaches the server"],
  ["pg_ls_", "reaches the server"],
  ["pg_wal_", "reaches the server"],
  ["binary_upgrade_", "reaches the server"],
  ["lo_", "reads by name"],
];

/** pg_wal_lsn_diff only subtracts; psql and monitoring queries use it. */
const notRefused: ReadonlySet<string> = new Set(["pg_wal_lsn_diff"]);

const byName: ReadonlyMap<string, FunctionClass> = new Map(
  (Object.keys(functionClasses) as FunctionClass[]).flatMap((kind) =>
    functionClasses[kind].flatMap((line) => line.split(" ").map((name) => [name, kind] as const)),
  ),
);

/** The class of one of the server's own functions; undefined: none of these. */
export function functionClass(name: string): FunctionClass | undefined {
  const known = byName.get(name);
  if (known !== undefined || notRefused.has(name)) return known;
  return refusedPrefixes.find(([prefix]) => name.startsWith(prefix))?.[1];
}

/**
 * Sizes follow the number of rows, hidden ones included, and need no privilege. Tools ask for them beside things
 * that are fine to know (`\dt+`), so the call is answered with NULL instead of a refusal.
 */
export const blankedFunctions: ReadonlySet<string> = new Set([
  "pg_database_size",
  "pg_indexes_size",
  "pg_relation_size",
  "pg_table_size",
  "pg_tablespace_size",
  "pg_total_relation_size",
]);
