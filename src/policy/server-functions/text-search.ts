import type { FunctionGroup } from "./function-group.ts";

/** Text search. ts_stat and the ts_rewrite that run SQL stand in server.ts. */
export const textSearchFunctions: readonly FunctionGroup[] = [
  // Of the two of this name, the one that takes the substitute itself.
  {
    class: "safe",
    names: "ts_rewrite/3",
  },
  // Vectors, queries, parsing, ranking.
  {
    class: "safe",
    names: `
      array_to_tsvector json_to_tsvector jsonb_to_tsvector length numnode phraseto_tsquery plainto_tsquery
      querytree setweight strip to_tsquery to_tsvector ts_debug ts_delete ts_filter ts_headline ts_lexize
      ts_match_qv ts_match_tq ts_match_tt ts_match_vq ts_parse ts_rank ts_rank_cd ts_token_type tsq_mcontained
      tsq_mcontains tsquery_and tsquery_cmp tsquery_eq tsquery_ge tsquery_gt tsquery_le tsquery_lt tsquery_ne
      tsquery_not tsquery_or tsquery_phrase tsvector_cmp tsvector_concat tsvector_eq tsvector_ge tsvector_gt
      tsvector_le tsvector_lt tsvector_ne tsvector_to_array unnest websearch_to_tsquery
    `,
  },
];
