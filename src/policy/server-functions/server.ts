import type { FunctionGroup } from "./function-group.ts";

/** What goes past the session: SQL and names in values, files, other processes, replication, stored statistics. */
export const administrationFunctions: readonly FunctionGroup[] = [
  {
    class: "runs SQL",
    names: "query_to_xml query_to_xml_and_xmlschema query_to_xmlschema ts_stat",
  },
  // The query that gives targets and substitutes is its second argument.
  {
    class: "runs SQL",
    names: "ts_rewrite/2",
  },
  {
    class: "reads by name",
    names: `
      currtid2 cursor_to_xml cursor_to_xmlschema database_to_xml database_to_xml_and_xmlschema
      database_to_xmlschema schema_to_xml schema_to_xml_and_xmlschema schema_to_xmlschema table_to_xml
      table_to_xml_and_xmlschema table_to_xmlschema
    `,
  },
  // The files of the database, and changes of every table as replication sees them.
  {
    class: "reads files",
    names: `
      lo_export lo_import pg_logical_slot_get_binary_changes pg_logical_slot_get_changes
      pg_logical_slot_peek_binary_changes pg_logical_slot_peek_changes pg_read_binary_file pg_read_file
      pg_read_file_old
    `,
  },
  {
    class: "reaches the server",
    names: `
      brin_desummarize_range brin_summarize_new_values brin_summarize_range gin_clean_pending_list
      pg_backup_start pg_backup_stop pg_cancel_backend pg_clear_attribute_stats pg_clear_relation_stats
      pg_config pg_copy_logical_replication_slot pg_copy_physical_replication_slot
      pg_create_logical_replication_slot pg_create_physical_replication_slot pg_create_restore_point
      pg_current_logfile pg_drop_replication_slot pg_filenode_relation pg_get_loaded_modules pg_hba_file_rules
      pg_ident_file_mappings pg_import_system_collations pg_log_backend_memory_contexts pg_log_standby_snapshot
      pg_logical_emit_message pg_ls_archive_statusdir pg_ls_dir pg_ls_logdir pg_ls_logicalmapdir
      pg_ls_logicalsnapdir pg_ls_replslotdir pg_ls_summariesdir pg_ls_tmpdir pg_ls_waldir pg_nextoid pg_promote
      pg_relation_filenode pg_relation_filepath pg_reload_conf pg_replication_origin_advance
      pg_replication_origin_create pg_replication_origin_drop pg_replication_origin_session_reset
      pg_replication_origin_session_setup pg_replication_origin_xact_reset pg_replication_origin_xact_setup
      pg_replication_slot_advance pg_restore_attribute_stats pg_restore_relation_stats pg_rotate_logfile
      pg_rotate_logfile_old pg_show_all_file_settings pg_stat_file pg_stat_reset pg_stat_reset_backend_stats
      pg_stat_reset_replication_slot pg_stat_reset_shared pg_stat_reset_single_function_counters
      pg_stat_reset_single_table_counters pg_stat_reset_slru pg_stat_reset_subscription_stats
      pg_stop_making_pinned_objects pg_switch_wal pg_sync_replication_slots pg_terminate_backend
      pg_wal_replay_pause pg_wal_replay_resume
    `,
  },
];
