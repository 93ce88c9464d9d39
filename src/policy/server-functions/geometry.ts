import type { FunctionGroup } from "./function-group.ts";

/** Points, lines, boxes, paths, polygons and circles. */
export const geometryFunctions: readonly FunctionGroup[] = [
  // Boxes.
  {
    class: "safe",
    names: `
      box box_above box_above_eq box_add box_below box_below_eq box_center box_contain box_contain_pt
      box_contained box_distance box_div box_eq box_ge box_gt box_intersect box_le box_left box_lt box_mul
      box_overabove box_overbelow box_overlap box_overleft box_overright box_right box_same box_sub
    `,
  },
  // Circles.
  {
    class: "safe",
    names: `
      circle circle_above circle_add_pt circle_below circle_center circle_contain circle_contain_pt
      circle_contained circle_distance circle_div_pt circle_eq circle_ge circle_gt circle_le circle_left
      circle_lt circle_mul_pt circle_ne circle_overabove circle_overbelow circle_overlap circle_overleft
      circle_overright circle_right circle_same circle_sub_pt
    `,
  },
  // Points.
  {
    class: "safe",
    names: `
      point point_above point_add point_below point_distance point_div point_eq point_horiz point_left point_mul
      point_ne point_right point_sub point_vert
    `,
  },
  // Polygons.
  {
    class: "safe",
    names: `
      poly_above poly_below poly_center poly_contain poly_contain_pt poly_contained poly_distance poly_left
      poly_npoints poly_overabove poly_overbelow poly_overlap poly_overleft poly_overright poly_right poly_same
      polygon
    `,
  },
  // Lines and segments.
  {
    class: "safe",
    names: `
      line line_distance line_eq line_horizontal line_interpt line_intersect line_parallel line_perp
      line_vertical lseg lseg_center lseg_distance lseg_eq lseg_ge lseg_gt lseg_horizontal lseg_interpt
      lseg_intersect lseg_le lseg_length lseg_lt lseg_ne lseg_parallel lseg_perp lseg_vertical
    `,
  },
  // Paths.
  {
    class: "safe",
    names: `
      path path_add path_add_pt path_contain_pt path_distance path_div_pt path_inter path_length path_mul_pt
      path_n_eq path_n_ge path_n_gt path_n_le path_n_lt path_npoints path_sub_pt
    `,
  },
  // Between kinds, and what they measure.
  {
    class: "safe",
    names: `
      area bound_box center close_ls close_lseg close_pb close_pl close_ps close_sb diagonal diameter dist_bp
      dist_bs dist_cpoint dist_cpoly dist_lp dist_ls dist_pathp dist_pb dist_pc dist_pl dist_polyc dist_polyp
      dist_ppath dist_ppoly dist_ps dist_sb dist_sl dist_sp height inter_lb inter_sb inter_sl isclosed
      ishorizontal isopen isparallel isperp isvertical npoints on_pb on_pl on_ppath on_ps on_sb on_sl pclose
      popen pt_contained_circle pt_contained_poly radius slope spg_poly_quad_compress width
    `,
  },
];
