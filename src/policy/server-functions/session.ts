import type { FunctionGroup } from "./function-group.ts";

/** What the session is, holds and changes. */
export const sessionFunctions: readonly FunctionGroup[] = [
  // Who and where the session is.
  {
    class: "safe",
    names: `
      current_database current_schema current_schemas current_user get_current_ts_config getdatabaseencoding
      getpgusername icu_unicode_version pg_backend_pid pg_client_encoding pg_conf_load_time
      pg_is_other_temp_schema pg_listening_channels pg_my_temp_schema pg_numa_available pg_postmaster_start_time
      pg_trigger_depth unicode_version version
    `,
  },
  // The name of rolegate's own login. As words of the grammar they give the role (rewrite/calls/session-user.ts).
  { class: "addresses", nullOf: "name", names: "session_user" },
  { class: "addresses", nullOf: "text", names: "system_user" },
  // Volatile, yet nothing but a value comes of them; letting go of the locks of the session itself, which pools
  // do; sampling.
  {
    class: "harmless",
    names: `
      array_sample array_shuffle bernoulli clock_timestamp gen_random_uuid pg_advisory_unlock_all
      pg_get_wal_replay_pause_state pg_is_in_recovery pg_is_wal_replay_paused pg_jit_available
      pg_stat_clear_snapshot pg_stat_force_next_flush random random_normal system timeofday uuidv4 uuidv7
    `,
  },
  // Judged by the name of the setting.
  {
    class: "setting",
    names: "current_setting",
  },
  // setseed makes noise of a mask predictable; set_config is SET as an expression, see rewrite/calls/functions.ts.
  {
    class: "changes the session",
    names: "set_config setseed",
  },
  // Judged by the sequence that they name.
  {
    class: "sequence",
    names: "currval lastval nextval pg_get_sequence_data pg_sequence_last_value setval",
  },
  {
    class: "advisory lock",
    names: `
      pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_shared
      pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared
      pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared
    `,
  },
  {
    class: "notification",
    names: "pg_notify",
  },
  // Hold the connection or a snapshot up.
  {
    class: "holds a resource",
    names: "pg_export_snapshot pg_sleep pg_sleep_for pg_sleep_until",
  },
  // Large objects have owners and grants of their own and no rules here.
  {
    class: "large object",
    names: `
      lo_close lo_creat lo_create lo_from_bytea lo_get lo_lseek lo_lseek64 lo_open lo_put lo_tell lo_tell64
      lo_truncate lo_truncate64 lo_unlink loread lowrite
    `,
  },
  // Addresses of the database as rolegate sees it; NULL, as over a Unix socket.
  {
    class: "addresses",
    nullOf: "int4",
    names: "inet_client_port inet_server_port",
  },
  {
    class: "addresses",
    nullOf: "inet",
    names: "inet_client_addr inet_server_addr",
  },
];
