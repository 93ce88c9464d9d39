import type { FunctionGroup } from "./function-group.ts";

/** Dates, times and intervals. */
export const dateFunctions: readonly FunctionGroup[] = [
  // Dates.
  {
    class: "safe",
    names: `
      date_cmp date_cmp_timestamp date_cmp_timestamptz date_eq date_eq_timestamp date_eq_timestamptz date_ge
      date_ge_timestamp date_ge_timestamptz date_gt date_gt_timestamp date_gt_timestamptz date_le
      date_le_timestamp date_le_timestamptz date_lt date_lt_timestamp date_lt_timestamptz date_mi
      date_mi_interval date_mii date_ne date_ne_timestamp date_ne_timestamptz date_part date_pl_interval
      date_pli datetime_pl datetimetz_pl hashdate hashdateextended integer_pl_date mul_d_interval
    `,
  },
  // Times of day.
  {
    class: "safe",
    names: `
      time_cmp time_eq time_ge time_gt time_hash time_hash_extended time_le time_lt time_mi_interval
      time_mi_time time_ne time_pl_interval timedate_pl timetz_cmp timetz_eq timetz_ge timetz_gt timetz_hash
      timetz_hash_extended timetz_le timetz_lt timetz_mi_interval timetz_ne timetz_pl_interval timetzdate_pl
    `,
  },
  // Timestamps.
  {
    class: "safe",
    names: `
      timestamp_cmp timestamp_cmp_date timestamp_cmp_timestamptz timestamp_eq timestamp_eq_date
      timestamp_eq_timestamptz timestamp_ge timestamp_ge_date timestamp_ge_timestamptz timestamp_gt
      timestamp_gt_date timestamp_gt_timestamptz timestamp_hash timestamp_hash_extended timestamp_le
      timestamp_le_date timestamp_le_timestamptz timestamp_lt timestamp_lt_date timestamp_lt_timestamptz
      timestamp_mi timestamp_mi_interval timestamp_ne timestamp_ne_date timestamp_ne_timestamptz
      timestamp_pl_interval timestamptz_cmp timestamptz_cmp_date timestamptz_cmp_timestamp timestamptz_eq
      timestamptz_eq_date timestamptz_eq_timestamp timestamptz_ge timestamptz_ge_date timestamptz_ge_timestamp
      timestamptz_gt timestamptz_gt_date timestamptz_gt_timestamp timestamptz_hash timestamptz_hash_extended
      timestamptz_le timestamptz_le_date timestamptz_le_timestamp timestamptz_lt timestamptz_lt_date
      timestamptz_lt_timestamp timestamptz_mi timestamptz_mi_interval timestamptz_ne timestamptz_ne_date
      timestamptz_ne_timestamp timestamptz_pl_interval
    `,
  },
  // Intervals.
  {
    class: "safe",
    names: `
      interval_cmp interval_div interval_eq interval_ge interval_gt interval_hash interval_hash_extended
      interval_le interval_lt interval_mi interval_mul interval_ne interval_pl interval_pl_date interval_pl_time
      interval_pl_timestamp interval_pl_timestamptz interval_pl_timetz interval_um justify_days justify_hours
      justify_interval
    `,
  },
  // Clocks, parts and conversions.
  {
    class: "safe",
    names: `
      age date date_add date_bin date_subtract date_trunc daterange_subdiff extract generate_series in_range
      interval isfinite make_date make_interval make_time make_timestamp make_timestamptz now overlaps
      statement_timestamp time timestamp timestamptz timetz timezone to_char to_date to_timestamp
      transaction_timestamp tsrange_subdiff tstzrange_subdiff uuid_extract_timestamp
    `,
  },
];
