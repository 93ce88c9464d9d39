import type { FunctionGroup } from "./function-group.ts";

/** Arrays, records, enums, ranges and multiranges. */
export const arrayFunctions: readonly FunctionGroup[] = [
  // Arrays.
  {
    class: "safe",
    names: `
      array_append array_cat array_dims array_eq array_fill array_ge array_gt array_le array_length array_lower
      array_lt array_ndims array_ne array_position array_positions array_prepend array_remove array_replace
      array_reverse array_sort array_to_string array_upper arraycontained arraycontains arrayoverlap btarraycmp
      cardinality generate_subscripts hash_array hash_array_extended trim_array
    `,
  },
  // Records.
  {
    class: "safe",
    names: `
      btrecordcmp btrecordimagecmp hash_record hash_record_extended record_eq record_ge record_gt
      record_image_eq record_image_ge record_image_gt record_image_le record_image_lt record_image_ne record_le
      record_lt record_ne
    `,
  },
  // Enums.
  {
    class: "safe",
    names: `
      enum_cmp enum_eq enum_first enum_ge enum_gt enum_last enum_le enum_lt enum_ne enum_out enum_range
      enum_send hashenum hashenumextended
    `,
  },
  // Vectors and values of any type.
  {
    class: "safe",
    names: `
      anytextcat btoidvectorcmp hashoidvector hashoidvectorextended oidvectoreq oidvectorge oidvectorgt
      oidvectorle oidvectorlt oidvectorne oidvectortypes textanycat
    `,
  },
  // Multiranges.
  {
    class: "safe",
    names: `
      datemultirange elem_contained_by_multirange hash_multirange hash_multirange_extended int4multirange
      int8multirange multirange multirange_adjacent_multirange multirange_adjacent_range
      multirange_after_multirange multirange_after_range multirange_before_multirange multirange_before_range
      multirange_cmp multirange_contained_by_multirange multirange_contained_by_range multirange_contains_elem
      multirange_contains_multirange multirange_contains_range multirange_eq multirange_ge multirange_gt
      multirange_intersect multirange_le multirange_lt multirange_minus multirange_ne
      multirange_overlaps_multirange multirange_overlaps_range multirange_overleft_multirange
      multirange_overleft_range multirange_overright_multirange multirange_overright_range multirange_union
      nummultirange range_adjacent_multirange range_after_multirange range_before_multirange
      range_contained_by_multirange range_contains_multirange range_overlaps_multirange
      range_overleft_multirange range_overright_multirange tsmultirange tstzmultirange
    `,
  },
  // Ranges.
  {
    class: "safe",
    names: `
      daterange daterange_canonical elem_contained_by_range hash_range hash_range_extended int4range
      int4range_canonical int8range int8range_canonical isempty lower lower_inc lower_inf numrange
      range_adjacent range_after range_before range_cmp range_contained_by range_contains range_contains_elem
      range_eq range_ge range_gt range_intersect range_le range_lt range_merge range_minus range_ne
      range_overlaps range_overleft range_overright range_union tsrange tstzrange upper upper_inc upper_inf
    `,
  },
];
