import type { FunctionGroup } from "./function-group.ts";

/** Aggregates, window functions, and those of their steps that could be called. */
export const aggregateFunctions: readonly FunctionGroup[] = [
  // Aggregates and window functions.
  {
    class: "safe",
    names: `
      any_value array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp cume_dist
      dense_rank every first_value json_agg json_agg_strict json_object_agg json_object_agg_strict
      json_object_agg_unique json_object_agg_unique_strict jsonb_agg jsonb_agg_strict jsonb_object_agg
      jsonb_object_agg_strict jsonb_object_agg_unique jsonb_object_agg_unique_strict lag last_value lead max min
      mode nth_value ntile percent_rank percentile_cont percentile_disc range_agg range_intersect_agg rank
      regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy row_number
      stddev stddev_pop stddev_samp string_agg sum var_pop var_samp variance xmlagg
    `,
  },
  // Steps of aggregates.
  {
    class: "safe",
    names: `
      any_value_transfn array_larger array_smaller booland_statefunc boolor_statefunc bpchar_larger
      bpchar_smaller bytea_larger bytea_smaller cashlarger cashsmaller date_larger date_smaller enum_larger
      enum_smaller float4_accum float4larger float4smaller float8_accum float8_avg float8_combine float8_corr
      float8_covar_pop float8_covar_samp float8_regr_accum float8_regr_avgx float8_regr_avgy float8_regr_combine
      float8_regr_intercept float8_regr_r2 float8_regr_slope float8_regr_sxx float8_regr_sxy float8_regr_syy
      float8_stddev_pop float8_stddev_samp float8_var_pop float8_var_samp float8larger float8smaller
      int2_avg_accum int2_avg_accum_inv int2_sum int2int4_sum int2larger int2smaller int4_avg_accum
      int4_avg_accum_inv int4_avg_combine int4_sum int4larger int4smaller int8_avg int8dec int8dec_any int8inc
      int8inc_any int8inc_float8_float8 int8larger int8smaller interval_accum interval_accum_inv interval_avg
      interval_combine interval_larger interval_smaller multirange_intersect_agg_transfn network_larger
      network_smaller numeric_larger numeric_smaller oidlarger oidsmaller pg_lsn_larger pg_lsn_smaller
      range_intersect_agg_transfn record_larger record_smaller text_larger text_smaller tidlarger tidsmaller
      time_larger time_smaller timestamp_larger timestamp_smaller timestamptz_larger timestamptz_smaller
      timetz_larger timetz_smaller xid8_larger xid8_smaller xmlconcat2
    `,
  },
];
