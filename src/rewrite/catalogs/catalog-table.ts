import { secretSettings } from "./shown-settings.ts";
import { gidPrefixSql } from "../../policy/prepared-transactions.ts";

/**
 * How one of the server's own relations is shown. Columns are named in one text, a space between them.
 * Blanked columns are NULL of their own type in every way of looking.
 */
export type CatalogEntry = {
  /** These columns and no others: the rest are blanked, whatever a version adds. */
  readonly only?: string;
  /** These columns are blanked. */
  readonly without?: string;
  /** Rows of which this condition holds, an expression that no client takes part in. */
  readonly rows?: string;
  /** Columns that show something else; only with `rows`. */
  readonly instead?: Readonly<Record<string, string>>;
  /** Texts of definitions: blanked for a role whose file says `catalogs.definitions: hidden`. */
  readonly definitions?: string;
  /** Comments: blanked for a role whose file says `catalogs.comments: hidden`. */
  readonly comments?: string;
};

/** A relation with what is known of it. */
type Named = readonly [name: string, entry: CatalogEntry | "refused"];

/** Names that are all treated alike. */
function alike(entry: CatalogEntry | "refused", ...names: readonly string[]): Named[] {
  return names.flatMap((line) => line.split(" ")).map((name) => [name, entry]);
}

function each(entries: Readonly<Record<string, CatalogEntry>>): Named[] {
  return Object.entries(entries);
}

const shown: CatalogEntry = {};
const ownRows = "pid = pg_catalog.pg_backend_pid()";
const noRows = "false";

/**
 * The relations of pg_catalog in PostgreSQL 15 to 18. What stands in neither of these tables is refused, so that a
 * catalog of a later version is.
 */
export const pgCatalog: readonly Named[] = [
  ...alike(
    shown,
    "pg_aggregate pg_am pg_amop pg_amproc pg_auth_members pg_available_extension_versions pg_available_extensions",
    "pg_cast pg_collation pg_conversion pg_database pg_default_acl pg_depend pg_enum pg_event_trigger pg_group",
    "pg_inherits pg_init_privs pg_language pg_largeobject_metadata pg_namespace pg_opclass pg_operator pg_opfamily",
    "pg_parameter_acl pg_publication pg_publication_namespace pg_range pg_replication_origin pg_sequence",
    "pg_shdepend pg_subscription_rel pg_tables pg_tablespace pg_timezone_abbrevs pg_timezone_names pg_transform",
    "pg_ts_config pg_ts_config_map pg_ts_parser pg_ts_template pg_wait_events",
  ),

  // Secrets, samples of rows, and what the server keeps from ordinary roles anyway.
  ...alike(
    "refused",
    "pg_aios pg_authid pg_backend_memory_contexts pg_config pg_file_settings pg_hba_file_rules pg_ident_file_mappings",
    "pg_largeobject pg_replication_origin_status pg_shadow pg_shmem_allocations pg_shmem_allocations_numa pg_statistic",
    "pg_statistic_ext_data pg_stats pg_stats_ext pg_stats_ext_exprs pg_user_mapping",
  ),

  ...each({
    // Columns that follow the number of rows of a table, hidden ones included.
    pg_class: { without: "relpages reltuples relallvisible relallfrozen", definitions: "relpartbound" },
    // The value that a column has in rows older than itself.
    pg_attribute: { without: "attmissingval", definitions: "attfdwoptions" },
    pg_sequences: { without: "last_value" },

    // Passwords and addresses of other servers; settings of roles and databases, where applications keep keys.
    pg_db_role_setting: { without: "setconfig" },
    pg_foreign_data_wrapper: { without: "fdwoptions" },
    pg_foreign_server: { without: "srvoptions" },
    pg_foreign_table: { without: "ftoptions" },
    pg_roles: { without: "rolconfig" },
    pg_subscription: { without: "subconninfo" },
    pg_user: { without: "useconfig" },
    pg_user_mappings: { without: "umoptions" },

    // Texts of definitions, and comments.
    pg_attrdef: { definitions: "adbin" },
    pg_constraint: { definitions: "conbin" },
    pg_description: { comments: "description" },
    pg_extension: { definitions: "extcondition" },
    pg_index: { definitions: "indexprs indpred" },
    pg_indexes: { definitions: "indexdef" },
    pg_matviews: { definitions: "definition" },
    pg_partitioned_table: { definitions: "partexprs" },
    pg_policies: { definitions: "qual with_check" },
    pg_policy: { definitions: "polqual polwithcheck" },
    pg_proc: { definitions: "proargdefaults prosrc probin prosqlbody" },
    pg_publication_rel: { definitions: "prqual" },
    pg_publication_tables: { definitions: "rowfilter" },
    pg_rewrite: { definitions: "ev_qual ev_action" },
    pg_rules: { definitions: "definition" },
    pg_seclabel: { definitions: "label" },
    pg_seclabels: { definitions: "label" },
    pg_shdescription: { comments: "description" },
    pg_shseclabel: { definitions: "label" },
    pg_statistic_ext: { definitions: "stxexprs" },
    pg_trigger: { definitions: "tgargs tgqual" },
    pg_ts_dict: { definitions: "dictinitoption" },
    pg_type: { definitions: "typdefaultbin typdefault" },
    pg_views: { definitions: "definition" },

    // The session's own; the statements' texts are those that rolegate wrote, with the rules in them.
    pg_cursors: { without: "statement" },
    pg_prepared_statements: { without: "statement" },
    pg_stat_activity: { rows: ownRows, without: "client_addr client_hostname client_port query_id query" },
    pg_stat_gssapi: { rows: ownRows, without: "principal" },
    pg_stat_ssl: { rows: ownRows, without: "client_dn client_serial issuer_dn" },
    // A predicate lock names the page and the row that a serializable transaction has looked at, a hidden one too.
    pg_settings: { rows: `name OPERATOR(pg_catalog.<>) ALL ('{${secretSettings.join(",")}}')` },
    // What the identity prepared, under the names that it gave.
    pg_prepared_xacts: {
      rows: `pg_catalog.starts_with(gid, ${gidPrefixSql})`,
      instead: { gid: `pg_catalog.substr(gid, pg_catalog.length(${gidPrefixSql}) OPERATOR(pg_catalog.+) 1)` },
    },
    pg_locks: { rows: `${ownRows} AND mode OPERATOR(pg_catalog.<>) 'SIReadLock'` },
  }),

  // Other sessions, and what the server does by itself.
  ...alike(
    { rows: noRows },
    "pg_replication_slots pg_stat_progress_analyze pg_stat_progress_basebackup",
    "pg_stat_progress_cluster pg_stat_progress_copy pg_stat_progress_create_index pg_stat_progress_vacuum",
    "pg_stat_replication pg_stat_replication_slots pg_stat_subscription pg_stat_subscription_stats",
    "pg_stat_user_functions pg_stat_wal_receiver pg_stat_xact_user_functions",
  ),

  // Counters: what they count is there, how often is not. They count hidden rows too.
  ...alike(
    { only: "relid schemaname relname" },
    "pg_stat_all_tables pg_stat_sys_tables pg_stat_user_tables pg_stat_xact_all_tables pg_stat_xact_sys_tables",
    "pg_stat_xact_user_tables pg_statio_all_sequences pg_statio_all_tables pg_statio_sys_sequences",
    "pg_statio_sys_tables pg_statio_user_sequences pg_statio_user_tables",
  ),
  ...alike(
    { only: "relid indexrelid schemaname relname indexrelname" },
    "pg_stat_all_indexes pg_stat_sys_indexes pg_stat_user_indexes pg_statio_all_indexes pg_statio_sys_indexes",
    "pg_statio_user_indexes",
  ),
  ...alike({ only: "datid datname" }, "pg_stat_database pg_stat_database_conflicts"),
  ...alike(
    { only: "" },
    "pg_stat_archiver pg_stat_bgwriter pg_stat_checkpointer pg_stat_recovery_prefetch pg_stat_wal",
  ),
  ...each({
    pg_stat_io: { only: "backend_type object context" },
    pg_stat_slru: { only: "name" },
  }),
];

/** The relations of information_schema, which shows what the database role owns or may use. */
export const informationSchema: readonly Named[] = [
  ...alike(
    shown,
    "administrable_role_authorizations applicable_roles character_sets check_constraint_routine_usage",
    "collation_character_set_applicability collations column_column_usage column_domain_usage column_privileges",
    "column_udt_usage constraint_column_usage constraint_table_usage data_type_privileges domain_constraints",
    "domain_udt_usage enabled_roles foreign_data_wrappers foreign_servers foreign_tables",
    "information_schema_catalog_name key_column_usage referential_constraints role_column_grants role_routine_grants",
    "role_table_grants role_udt_grants role_usage_grants routine_column_usage routine_privileges",
    "routine_routine_usage routine_sequence_usage routine_table_usage schemata sequences sql_features",
    "sql_implementation_info sql_parts sql_sizing table_constraints table_privileges tables transforms",
    "triggered_update_columns udt_privileges usage_privileges user_defined_types user_mappings view_column_usage",
    "view_routine_usage view_table_usage",
  ),
  ...alike(
    "refused",
    "_pg_foreign_data_wrappers _pg_foreign_servers _pg_foreign_table_columns _pg_foreign_tables _pg_user_mappings",
  ),
  ...alike(
    { without: "option_value" },
    "foreign_data_wrapper_options foreign_server_options foreign_table_options user_mapping_options",
  ),
  ...each({
    attributes: { definitions: "attribute_default" },
    check_constraints: { definitions: "check_clause" },
    column_options: { definitions: "option_value" },
    columns: { definitions: "column_default generation_expression" },
    domains: { definitions: "domain_default" },
    element_types: { definitions: "domain_default" },
    parameters: { definitions: "parameter_default" },
    routines: { definitions: "routine_definition external_name" },
    triggers: { definitions: "action_condition action_statement" },
    views: { definitions: "view_definition" },
  }),
];
