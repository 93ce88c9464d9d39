import type { FunctionGroup } from "./function-group.ts";

/** Functions that the server calls itself. Most cannot be called from SQL at all. */
export const internalFunctions: readonly FunctionGroup[] = [
  // Trigger functions.
  {
    class: "internal",
    names: `
      RI_FKey_cascade_del RI_FKey_cascade_upd RI_FKey_check_ins RI_FKey_check_upd RI_FKey_noaction_del
      RI_FKey_noaction_upd RI_FKey_restrict_del RI_FKey_restrict_upd RI_FKey_setdefault_del
      RI_FKey_setdefault_upd RI_FKey_setnull_del RI_FKey_setnull_upd suppress_redundant_updates_trigger
      trigger_in tsvector_update_trigger tsvector_update_trigger_column unique_key_recheck
    `,
  },
  // Handlers of access methods, languages and subscripts.
  {
    class: "internal",
    names: `
      array_subscript_handler brinhandler bthandler event_trigger_in fdw_handler_in ginhandler gisthandler
      hashhandler heap_tableam_handler index_am_handler_in jsonb_subscript_handler language_handler_in
      plpgsql_call_handler plpgsql_inline_handler raw_array_subscript_handler spghandler table_am_handler_in
      tsm_handler_in
    `,
  },
  // Conversions between encodings; convert() finds them.
  {
    class: "internal",
    names: `
      big5_to_euc_tw big5_to_mic big5_to_utf8 euc_cn_to_mic euc_cn_to_utf8 euc_jis_2004_to_shift_jis_2004
      euc_jis_2004_to_utf8 euc_jp_to_mic euc_jp_to_sjis euc_jp_to_utf8 euc_kr_to_mic euc_kr_to_utf8
      euc_tw_to_big5 euc_tw_to_mic euc_tw_to_utf8 gb18030_to_utf8 gbk_to_utf8 iso8859_1_to_utf8 iso8859_to_utf8
      iso_to_koi8r iso_to_mic iso_to_win1251 iso_to_win866 johab_to_utf8 koi8r_to_iso koi8r_to_mic koi8r_to_utf8
      koi8r_to_win1251 koi8r_to_win866 koi8u_to_utf8 latin1_to_mic latin2_to_mic latin2_to_win1250 latin3_to_mic
      latin4_to_mic mic_to_big5 mic_to_euc_cn mic_to_euc_jp mic_to_euc_kr mic_to_euc_tw mic_to_iso mic_to_koi8r
      mic_to_latin1 mic_to_latin2 mic_to_latin3 mic_to_latin4 mic_to_sjis mic_to_win1250 mic_to_win1251
      mic_to_win866 shift_jis_2004_to_euc_jis_2004 shift_jis_2004_to_utf8 sjis_to_euc_jp sjis_to_mic
      sjis_to_utf8 uhc_to_utf8 utf8_to_big5 utf8_to_euc_cn utf8_to_euc_jis_2004 utf8_to_euc_jp utf8_to_euc_kr
      utf8_to_euc_tw utf8_to_gb18030 utf8_to_gbk utf8_to_iso8859 utf8_to_iso8859_1 utf8_to_johab utf8_to_koi8r
      utf8_to_koi8u utf8_to_shift_jis_2004 utf8_to_sjis utf8_to_uhc utf8_to_win win1250_to_latin2 win1250_to_mic
      win1251_to_iso win1251_to_koi8r win1251_to_mic win1251_to_win866 win866_to_iso win866_to_koi8r
      win866_to_mic win866_to_win1251 win_to_utf8
    `,
  },
  // Estimators of the planner.
  {
    class: "internal",
    names: `
      areajoinsel areasel arraycontjoinsel arraycontsel contjoinsel contsel eqjoinsel eqsel iclikejoinsel
      iclikesel icnlikejoinsel icnlikesel icregexeqjoinsel icregexeqsel icregexnejoinsel icregexnesel
      likejoinsel likesel matchingjoinsel matchingsel multirangesel neqjoinsel neqsel networkjoinsel networksel
      nlikejoinsel nlikesel positionjoinsel positionsel prefixjoinsel prefixsel rangesel regexeqjoinsel
      regexeqsel regexnejoinsel regexnesel scalargejoinsel scalargesel scalargtjoinsel scalargtsel
      scalarlejoinsel scalarlesel scalarltjoinsel scalarltsel tsmatchjoinsel tsmatchsel
    `,
  },
  // Binary input.
  {
    class: "internal",
    names: `
      anyarray_recv anycompatiblearray_recv array_recv bit_recv boolrecv box_recv bpcharrecv
      brin_bloom_summary_recv brin_minmax_multi_summary_recv bytearecv cash_recv charrecv cidr_recv cidrecv
      circle_recv cstring_recv date_recv domain_recv enum_recv float4recv float8recv inet_recv int2recv
      int2vectorrecv int4recv int8recv internal_in internal_out interval_recv json_recv jsonb_recv jsonpath_recv
      line_recv lseg_recv macaddr8_recv macaddr_recv multirange_recv namerecv numeric_recv oidrecv oidvectorrecv
      path_recv pg_ddl_command_recv pg_dependencies_recv pg_lsn_recv pg_mcv_list_recv pg_ndistinct_recv
      pg_node_tree_recv pg_snapshot_recv point_recv poly_recv range_recv record_recv regclassrecv
      regcollationrecv regconfigrecv regdictionaryrecv regnamespacerecv regoperatorrecv regoperrecv
      regprocedurerecv regprocrecv regrolerecv regtyperecv textrecv tidrecv time_recv timestamp_recv
      timestamptz_recv timetz_recv tsqueryrecv tsvectorrecv txid_snapshot_recv unknownrecv uuid_recv varbit_recv
      varcharrecv void_recv xid8recv xidrecv xml_recv
    `,
  },
  // Support functions of the planner, of sorting and of ANALYZE.
  {
    class: "internal",
    names: `
      array_append_support array_prepend_support array_subscript_handler_support array_typanalyze
      array_unnest_support bpchar_sortsupport btboolskipsupport btbpchar_pattern_sortsupport btcharskipsupport
      btfloat4sortsupport btfloat8sortsupport btint2skipsupport btint2sortsupport btint4skipsupport
      btint4sortsupport btint8skipsupport btint8sortsupport btnamesortsupport btoidskipsupport btoidsortsupport
      bttext_pattern_sortsupport bttextsortsupport bytea_sortsupport date_skipsupport date_sortsupport
      elem_contained_by_range_support generate_series_int4_support generate_series_int8_support
      generate_series_numeric_support generate_series_timestamp_support gist_point_sortsupport int8inc_support
      interval_support macaddr_sortsupport multirange_typanalyze network_sortsupport network_subset_support
      numeric_sortsupport numeric_support range_contains_elem_support range_sortsupport range_typanalyze
      text_starts_with_support texticlike_support texticregexeq_support textlike_support textregexeq_support
      time_support timestamp_skipsupport timestamp_sortsupport timestamp_support ts_typanalyze uuid_skipsupport
      uuid_sortsupport varbit_support varchar_support window_cume_dist_support window_dense_rank_support
      window_ntile_support window_percent_rank_support window_rank_support window_row_number_support
    `,
  },
  // Parsers and templates of text search.
  {
    class: "internal",
    names: `
      dispell_init dispell_lexize dsimple_init dsimple_lexize dsnowball_init dsnowball_lexize dsynonym_init
      dsynonym_lexize prsd_end prsd_headline prsd_lextype prsd_nexttoken prsd_start thesaurus_init
      thesaurus_lexize
    `,
  },
  // Index access methods.
  {
    class: "internal",
    names: `
      brin_bloom_add_value brin_bloom_consistent brin_bloom_opcinfo brin_bloom_options brin_bloom_union
      brin_inclusion_add_value brin_inclusion_consistent brin_inclusion_opcinfo brin_inclusion_union
      brin_minmax_add_value brin_minmax_consistent brin_minmax_multi_add_value brin_minmax_multi_consistent
      brin_minmax_multi_distance_date brin_minmax_multi_distance_float4 brin_minmax_multi_distance_float8
      brin_minmax_multi_distance_inet brin_minmax_multi_distance_int2 brin_minmax_multi_distance_int4
      brin_minmax_multi_distance_int8 brin_minmax_multi_distance_interval brin_minmax_multi_distance_macaddr
      brin_minmax_multi_distance_macaddr8 brin_minmax_multi_distance_numeric brin_minmax_multi_distance_pg_lsn
      brin_minmax_multi_distance_tid brin_minmax_multi_distance_time brin_minmax_multi_distance_timestamp
      brin_minmax_multi_distance_timetz brin_minmax_multi_distance_uuid brin_minmax_multi_opcinfo
      brin_minmax_multi_options brin_minmax_multi_union brin_minmax_opcinfo brin_minmax_union gin_cmp_prefix
      gin_consistent_jsonb gin_consistent_jsonb_path gin_extract_jsonb gin_extract_jsonb_path
      gin_extract_jsonb_query gin_extract_jsonb_query_path gin_extract_tsquery gin_extract_tsvector
      gin_triconsistent_jsonb gin_triconsistent_jsonb_path gin_tsquery_consistent gin_tsquery_triconsistent
      ginarrayconsistent ginarrayextract ginarraytriconsistent ginqueryarrayextract gist_box_consistent
      gist_box_distance gist_box_penalty gist_box_picksplit gist_box_same gist_box_union gist_circle_compress
      gist_circle_consistent gist_circle_distance gist_point_compress gist_point_consistent gist_point_distance
      gist_point_fetch gist_poly_compress gist_poly_consistent gist_poly_distance gtsquery_compress
      gtsquery_consistent gtsquery_penalty gtsquery_picksplit gtsquery_same gtsquery_union gtsvector_compress
      gtsvector_consistent gtsvector_decompress gtsvector_options gtsvector_penalty gtsvector_picksplit
      gtsvector_same gtsvector_union hashvarlena hashvarlenaextended inet_gist_compress inet_gist_consistent
      inet_gist_fetch inet_gist_penalty inet_gist_picksplit inet_gist_same inet_gist_union inet_spg_choose
      inet_spg_config inet_spg_inner_consistent inet_spg_leaf_consistent inet_spg_picksplit
      multirange_gist_compress multirange_gist_consistent range_gist_consistent range_gist_penalty
      range_gist_picksplit range_gist_same range_gist_union spg_bbox_quad_config spg_box_quad_choose
      spg_box_quad_config spg_box_quad_inner_consistent spg_box_quad_leaf_consistent spg_box_quad_picksplit
      spg_kd_choose spg_kd_config spg_kd_inner_consistent spg_kd_picksplit spg_quad_choose spg_quad_config
      spg_quad_inner_consistent spg_quad_leaf_consistent spg_quad_picksplit spg_range_quad_choose
      spg_range_quad_config spg_range_quad_inner_consistent spg_range_quad_leaf_consistent
      spg_range_quad_picksplit spg_text_choose spg_text_config spg_text_inner_consistent
      spg_text_leaf_consistent spg_text_picksplit
    `,
  },
  // Steps of aggregates with a state of their own.
  {
    class: "internal",
    names: `
      array_agg_array_combine array_agg_array_deserialize array_agg_array_finalfn array_agg_array_serialize
      array_agg_array_transfn array_agg_combine array_agg_deserialize array_agg_finalfn array_agg_serialize
      array_agg_transfn bool_accum bool_accum_inv bool_alltrue bool_anytrue bytea_string_agg_finalfn
      bytea_string_agg_transfn cume_dist_final dense_rank_final int2_accum int2_accum_inv int4_accum
      int4_accum_inv int8_accum int8_accum_inv int8_avg_accum int8_avg_accum_inv int8_avg_combine
      int8_avg_deserialize int8_avg_serialize interval_avg_accum interval_avg_accum_inv interval_avg_combine
      interval_avg_deserialize interval_avg_serialize interval_sum json_agg_finalfn json_agg_strict_transfn
      json_agg_transfn json_object_agg_finalfn json_object_agg_strict_transfn json_object_agg_transfn
      json_object_agg_unique_strict_transfn json_object_agg_unique_transfn jsonb_agg_finalfn
      jsonb_agg_strict_transfn jsonb_agg_transfn jsonb_object_agg_finalfn jsonb_object_agg_strict_transfn
      jsonb_object_agg_transfn jsonb_object_agg_unique_strict_transfn jsonb_object_agg_unique_transfn mode_final
      multirange_agg_finalfn multirange_agg_transfn numeric_accum numeric_accum_inv numeric_avg
      numeric_avg_accum numeric_avg_combine numeric_avg_deserialize numeric_avg_serialize numeric_combine
      numeric_deserialize numeric_poly_avg numeric_poly_combine numeric_poly_deserialize numeric_poly_serialize
      numeric_poly_stddev_pop numeric_poly_stddev_samp numeric_poly_sum numeric_poly_var_pop
      numeric_poly_var_samp numeric_serialize numeric_stddev_pop numeric_stddev_samp numeric_sum numeric_var_pop
      numeric_var_samp ordered_set_transition ordered_set_transition_multi percent_rank_final
      percentile_cont_float8_final percentile_cont_float8_multi_final percentile_cont_interval_final
      percentile_cont_interval_multi_final percentile_disc_final percentile_disc_multi_final range_agg_finalfn
      range_agg_transfn rank_final string_agg_combine string_agg_deserialize string_agg_finalfn
      string_agg_serialize string_agg_transfn
    `,
  },
  // Called by pg_upgrade and extension scripts, event triggers, and validators.
  {
    class: "internal",
    names: `
      amvalidate binary_upgrade_add_sub_rel_state binary_upgrade_create_empty_extension
      binary_upgrade_logical_slot_has_caught_up binary_upgrade_replorigin_advance
      binary_upgrade_set_missing_value binary_upgrade_set_next_array_pg_type_oid
      binary_upgrade_set_next_attribute_versions binary_upgrade_set_next_heap_pg_class_oid
      binary_upgrade_set_next_heap_relfilenode binary_upgrade_set_next_index_pg_class_oid
      binary_upgrade_set_next_index_relfilenode binary_upgrade_set_next_multirange_array_pg_type_oid
      binary_upgrade_set_next_multirange_pg_type_oid binary_upgrade_set_next_pg_authid_oid
      binary_upgrade_set_next_pg_enum_oid binary_upgrade_set_next_pg_tablespace_oid
      binary_upgrade_set_next_pg_type_oid binary_upgrade_set_next_toast_pg_class_oid
      binary_upgrade_set_next_toast_relfilenode binary_upgrade_set_record_init_privs fmgr_c_validator
      fmgr_internal_validator fmgr_sql_validator pg_event_trigger_ddl_commands pg_event_trigger_dropped_objects
      pg_event_trigger_table_rewrite_oid pg_event_trigger_table_rewrite_reason pg_extension_config_dump
      plpgsql_validator postgresql_fdw_validator
    `,
  },
  // Make a value of a type that an OID names, domains with their checks included.
  {
    class: "internal",
    names: "array_in domain_in enum_in multirange_in range_in record_in",
  },
  // Computes the partition of values by the parent's own hash functions; partitions call it.
  {
    class: "internal",
    names: "satisfies_hash_partition",
  },
  // Input and output of types that have none.
  {
    class: "internal",
    names: `
      any_in any_out anyarray_in anyarray_out anyarray_send anycompatible_in anycompatible_out
      anycompatiblearray_in anycompatiblearray_out anycompatiblearray_send anycompatiblemultirange_in
      anycompatiblemultirange_out anycompatiblenonarray_in anycompatiblenonarray_out anycompatiblerange_in
      anycompatiblerange_out anyelement_in anyelement_out anyenum_in anyenum_out anymultirange_in
      anymultirange_out anynonarray_in anynonarray_out anyrange_in anyrange_out brin_bloom_summary_in
      brin_bloom_summary_out brin_bloom_summary_send brin_minmax_multi_summary_in brin_minmax_multi_summary_out
      brin_minmax_multi_summary_send event_trigger_out fdw_handler_out gtsvectorin gtsvectorout
      index_am_handler_out language_handler_out pg_ddl_command_in pg_ddl_command_out pg_ddl_command_send
      pg_dependencies_in pg_dependencies_out pg_dependencies_send pg_mcv_list_in pg_mcv_list_out
      pg_mcv_list_send pg_ndistinct_in pg_ndistinct_out pg_ndistinct_send pg_node_tree_in pg_node_tree_out
      pg_node_tree_send shell_in shell_out table_am_handler_out trigger_out tsm_handler_out
    `,
  },
];
