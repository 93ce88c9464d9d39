import type { FunctionGroup } from "./function-group.ts";

/** Sizes, counters, other sessions and other transactions. */
export const statisticsFunctions: readonly FunctionGroup[] = [
  // Follow the number of rows, hidden ones included, and need no privilege. Tools ask for them beside things
  // that are fine to know (`\dt+`), so they give NULL instead of a refusal.
  {
    class: "counts",
    nullOf: "int8",
    names: `
      pg_database_size pg_indexes_size pg_relation_size pg_stat_get_analyze_count pg_stat_get_autoanalyze_count
      pg_stat_get_autovacuum_count pg_stat_get_bgwriter_buf_written_checkpoints
      pg_stat_get_bgwriter_buf_written_clean pg_stat_get_bgwriter_maxwritten_clean
      pg_stat_get_bgwriter_requested_checkpoints pg_stat_get_bgwriter_timed_checkpoints
      pg_stat_get_blocks_fetched pg_stat_get_blocks_hit pg_stat_get_buf_alloc pg_stat_get_buf_fsync_backend
      pg_stat_get_buf_written_backend pg_stat_get_checkpointer_buffers_written
      pg_stat_get_checkpointer_num_performed pg_stat_get_checkpointer_num_requested
      pg_stat_get_checkpointer_num_timed pg_stat_get_checkpointer_restartpoints_performed
      pg_stat_get_checkpointer_restartpoints_requested pg_stat_get_checkpointer_restartpoints_timed
      pg_stat_get_checkpointer_slru_written pg_stat_get_db_blocks_fetched pg_stat_get_db_blocks_hit
      pg_stat_get_db_checksum_failures pg_stat_get_db_conflict_all pg_stat_get_db_conflict_bufferpin
      pg_stat_get_db_conflict_lock pg_stat_get_db_conflict_logicalslot pg_stat_get_db_conflict_snapshot
      pg_stat_get_db_conflict_startup_deadlock pg_stat_get_db_conflict_tablespace pg_stat_get_db_deadlocks
      pg_stat_get_db_parallel_workers_launched pg_stat_get_db_parallel_workers_to_launch pg_stat_get_db_sessions
      pg_stat_get_db_sessions_abandoned pg_stat_get_db_sessions_fatal pg_stat_get_db_sessions_killed
      pg_stat_get_db_temp_bytes pg_stat_get_db_temp_files pg_stat_get_db_tuples_deleted
      pg_stat_get_db_tuples_fetched pg_stat_get_db_tuples_inserted pg_stat_get_db_tuples_returned
      pg_stat_get_db_tuples_updated pg_stat_get_db_xact_commit pg_stat_get_db_xact_rollback
      pg_stat_get_dead_tuples pg_stat_get_function_calls pg_stat_get_ins_since_vacuum pg_stat_get_live_tuples
      pg_stat_get_mod_since_analyze pg_stat_get_numscans pg_stat_get_tuples_deleted pg_stat_get_tuples_fetched
      pg_stat_get_tuples_hot_updated pg_stat_get_tuples_inserted pg_stat_get_tuples_newpage_updated
      pg_stat_get_tuples_returned pg_stat_get_tuples_updated pg_stat_get_vacuum_count
      pg_stat_get_xact_blocks_fetched pg_stat_get_xact_blocks_hit pg_stat_get_xact_function_calls
      pg_stat_get_xact_numscans pg_stat_get_xact_tuples_deleted pg_stat_get_xact_tuples_fetched
      pg_stat_get_xact_tuples_hot_updated pg_stat_get_xact_tuples_inserted
      pg_stat_get_xact_tuples_newpage_updated pg_stat_get_xact_tuples_returned pg_stat_get_xact_tuples_updated
      pg_table_size pg_tablespace_size pg_total_relation_size
    `,
  },
  {
    class: "counts",
    nullOf: "int4",
    names: "pg_stat_get_db_numbackends",
  },
  {
    class: "counts",
    nullOf: "float8",
    names: `
      pg_stat_get_checkpoint_sync_time pg_stat_get_checkpoint_write_time pg_stat_get_checkpointer_sync_time
      pg_stat_get_checkpointer_write_time pg_stat_get_db_active_time pg_stat_get_db_blk_read_time
      pg_stat_get_db_blk_write_time pg_stat_get_db_idle_in_transaction_time pg_stat_get_db_session_time
      pg_stat_get_function_self_time pg_stat_get_function_total_time pg_stat_get_total_analyze_time
      pg_stat_get_total_autoanalyze_time pg_stat_get_total_autovacuum_time pg_stat_get_total_vacuum_time
      pg_stat_get_xact_function_self_time pg_stat_get_xact_function_total_time
    `,
  },
  {
    class: "counts",
    nullOf: "timestamptz",
    names: `
      pg_last_xact_replay_timestamp pg_stat_get_bgwriter_stat_reset_time
      pg_stat_get_checkpointer_stat_reset_time pg_stat_get_db_checksum_last_failure
      pg_stat_get_db_stat_reset_time pg_stat_get_last_analyze_time pg_stat_get_last_autoanalyze_time
      pg_stat_get_last_autovacuum_time pg_stat_get_last_vacuum_time pg_stat_get_lastscan
      pg_stat_get_snapshot_timestamp
    `,
  },
  {
    class: "counts",
    nullOf: "pg_lsn",
    names: "pg_last_wal_receive_lsn pg_last_wal_replay_lsn",
  },
  // Which sessions wait for each other; pgAdmin's dashboard asks it of every one.
  {
    class: "counts",
    nullOf: "int4[]",
    names: "pg_blocking_pids pg_safe_snapshot_blocking_pids",
  },
  // current_query and the texts of cursors and prepared statements are the rewritten ones, with the rules in
  // them.
  {
    class: "shows others",
    names: `
      current_query pg_available_wal_summaries pg_control_checkpoint pg_control_init
      pg_control_recovery pg_control_system pg_current_wal_flush_lsn pg_current_wal_insert_lsn
      pg_current_wal_lsn pg_cursor pg_get_aios pg_get_backend_memory_contexts pg_get_multixact_members
      pg_get_publication_tables pg_get_replication_slots pg_get_shmem_allocations pg_get_shmem_allocations_numa
      pg_get_wal_summarizer_state pg_isolation_test_session_is_blocked pg_last_committed_xact pg_lock_status
      pg_mcv_list_items pg_notification_queue_usage pg_prepared_statement pg_prepared_xact
      pg_replication_origin_oid pg_replication_origin_progress pg_replication_origin_session_is_setup
      pg_replication_origin_session_progress pg_show_all_settings
      pg_show_replication_origin_status pg_stat_get_activity pg_stat_get_archiver pg_stat_get_backend_activity
      pg_stat_get_backend_activity_start pg_stat_get_backend_client_addr pg_stat_get_backend_client_port
      pg_stat_get_backend_dbid pg_stat_get_backend_idset pg_stat_get_backend_io pg_stat_get_backend_pid
      pg_stat_get_backend_start pg_stat_get_backend_subxact pg_stat_get_backend_userid
      pg_stat_get_backend_wait_event pg_stat_get_backend_wait_event_type pg_stat_get_backend_wal
      pg_stat_get_backend_xact_start pg_stat_get_io pg_stat_get_progress_info pg_stat_get_recovery_prefetch
      pg_stat_get_replication_slot pg_stat_get_slru pg_stat_get_subscription pg_stat_get_subscription_stats
      pg_stat_get_wal pg_stat_get_wal_receiver pg_stat_get_wal_senders pg_stat_have_stats
      pg_wal_summary_contents
    `,
  },
];
