import type { FunctionGroup } from "./function-group.ts";

/** What the server tells of names and definitions; the catalogs themselves tell it too (rewrite/catalogs/catalog-relations.ts). */
export const catalogFunctions: readonly FunctionGroup[] = [
  // The information schema.
  {
    class: "safe",
    names: `
      _pg_char_max_length _pg_char_octet_length _pg_datetime_precision _pg_expandarray _pg_index_position
      _pg_interval_type _pg_numeric_precision _pg_numeric_precision_radix _pg_numeric_scale _pg_truetypid
      _pg_truetypmod
    `,
  },
  // Privileges. They say what the database role was granted, not what its rules allow.
  {
    class: "safe",
    names: `
      has_any_column_privilege has_column_privilege has_database_privilege has_foreign_data_wrapper_privilege
      has_function_privilege has_language_privilege has_largeobject_privilege has_parameter_privilege
      has_schema_privilege has_sequence_privilege has_server_privilege has_table_privilege
      has_tablespace_privilege has_type_privilege pg_has_role row_security_active
    `,
  },
  // Names.
  {
    class: "safe",
    names: `
      pg_collation_is_visible pg_conversion_is_visible pg_function_is_visible pg_opclass_is_visible
      pg_operator_is_visible pg_opfamily_is_visible pg_statistics_obj_is_visible pg_table_is_visible
      pg_ts_config_is_visible pg_ts_dict_is_visible pg_ts_parser_is_visible pg_ts_template_is_visible
      pg_type_is_visible regclass to_regclass to_regcollation to_regnamespace to_regoper to_regoperator
      to_regproc to_regprocedure to_regrole to_regtype to_regtypemod
    `,
  },
  // Objects.
  {
    class: "safe",
    names: `
      format_type pg_available_extension_versions pg_available_extensions pg_basetype pg_char_to_encoding
      pg_collation_for pg_column_compression pg_column_is_updatable pg_column_size pg_column_toast_chunk_id
      pg_describe_object pg_encoding_max_length pg_encoding_to_char pg_extension_update_paths pg_get_acl
      pg_get_catalog_foreign_keys pg_get_function_identity_arguments pg_get_function_result pg_get_keywords
      pg_get_object_address pg_get_replica_identity_index pg_get_serial_sequence pg_get_userbyid
      pg_identify_object pg_identify_object_as_address pg_index_column_has_property pg_index_has_property
      pg_indexam_has_property pg_indexam_progress_phasename pg_options_to_table pg_partition_root
      pg_relation_is_publishable pg_relation_is_updatable pg_sequence_parameters pg_settings_get_flags
      pg_tablespace_databases pg_tablespace_location pg_timezone_abbrevs pg_timezone_abbrevs_abbrevs
      pg_timezone_abbrevs_zone pg_timezone_names pg_typeof
    `,
  },
  // Volatile: versions of collations, names of partitions, lists that are part of the server.
  {
    class: "harmless",
    names: `
      pg_collation_actual_version pg_database_collation_actual_version pg_get_wait_events
      pg_get_wal_resource_managers pg_partition_ancestors pg_partition_tree
    `,
  },
  // How something is defined. NULL for a role with `catalogs.definitions: hidden`.
  {
    class: "definitions",
    nullOf: "text",
    names: `
      pg_get_constraintdef pg_get_expr pg_get_function_arg_default pg_get_function_arguments
      pg_get_function_sqlbody pg_get_functiondef pg_get_indexdef pg_get_partition_constraintdef
      pg_get_partkeydef pg_get_ruledef pg_get_statisticsobjdef pg_get_statisticsobjdef_columns pg_get_triggerdef
      pg_get_viewdef
    `,
  },
  // The same, several texts.
  {
    class: "definitions",
    nullOf: "text[]",
    names: "pg_get_statisticsobjdef_expressions",
  },
  // NULL for a role with `catalogs.comments: hidden`.
  {
    class: "comments",
    nullOf: "text",
    names: "col_description obj_description shobj_description",
  },
  // Make a value of a type that a text names, by that type's own input function.
  {
    class: "type by name",
    names: "pg_input_error_info pg_input_is_valid",
  },
];
