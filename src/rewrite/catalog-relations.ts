/**
 * Catalogs that any role may read: names and definitions, which tools need for `\d` and completion.
 * What shows rows or samples of rows, secrets, other sessions, other people's statements or counters is left out,
 * and so is whatever a later version adds: pg_authid, pg_shadow, pg_statistic*, pg_stats*, pg_stat_*, pg_statio_*,
 * pg_largeobject, pg_user_mapping*, pg_subscription*, pg_db_role_setting, pg_locks, pg_cursors,
 * pg_prepared_statements, pg_prepared_xacts, pg_sequences, pg_hba_file_rules, pg_file_settings, pg_replication_*, …
 */
const readable: ReadonlySet<string> = new Set(
  [
    "pg_aggregate pg_am pg_amop pg_amproc pg_attrdef pg_attribute pg_auth_members pg_available_extension_versions",
    "pg_available_extensions pg_cast pg_class pg_collation pg_constraint pg_conversion pg_database pg_default_acl",
    "pg_depend pg_description pg_enum pg_event_trigger pg_extension pg_foreign_data_wrapper pg_foreign_server",
    "pg_foreign_table pg_group pg_index pg_indexes pg_inherits pg_init_privs pg_language pg_largeobject_metadata",
    "pg_matviews pg_namespace pg_opclass pg_operator pg_opfamily pg_parameter_acl pg_partitioned_table pg_policies",
    "pg_policy pg_proc pg_publication pg_publication_namespace pg_publication_rel pg_publication_tables pg_range",
    "pg_rewrite pg_roles pg_rules pg_seclabel pg_seclabels pg_sequence pg_settings pg_shdepend pg_shdescription",
    "pg_shseclabel pg_statistic_ext pg_tables pg_tablespace pg_timezone_abbrevs pg_timezone_names pg_transform",
    "pg_trigger pg_ts_config pg_ts_config_map pg_ts_dict pg_ts_parser pg_ts_template pg_type pg_user pg_views",
  ].flatMap((line) => line.split(" ")),
);

/** The information schema shows what the role may use; only the options of user mappings are secrets. */
const hiddenInInformationSchema: ReadonlySet<string> = new Set([
  "_pg_user_mappings",
  "user_mapping_options",
  "user_mappings",
]);

/** True for the schemas that belong to the server itself; role files say nothing about them. */
export function isCatalogSchema(schema: string): boolean {
  return schema === "pg_catalog" || schema === "information_schema";
}

/** True if every role may read the relation of pg_catalog or information_schema. */
export function catalogReadable(schema: string, name: string): boolean {
  return schema === "pg_catalog" ? readable.has(name) : !hiddenInInformationSchema.has(name);
}
