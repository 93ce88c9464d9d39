import type { FunctionGroup } from "./function-group.ts";

/** Text, names, bytea, bit strings and uuid. */
export const textFunctions: readonly FunctionGroup[] = [
  // Pattern matching.
  {
    class: "safe",
    names: `
      bpchariclike bpcharicnlike bpcharicregexeq bpcharicregexne bpcharlike bpcharnlike bpcharregexeq
      bpcharregexne bytealike byteanlike like like_escape nameiclike nameicnlike nameicregexeq nameicregexne
      namelike namenlike nameregexeq nameregexne notlike regexp_count regexp_instr regexp_like regexp_match
      regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr similar_escape
      similar_to_escape texticlike texticnlike texticregexeq texticregexne textlike textnlike textregexeq
      textregexne
    `,
  },
  // Text, names and characters: operators, comparison, hashing.
  {
    class: "safe",
    names: `
      bpchar bpchar_pattern_ge bpchar_pattern_gt bpchar_pattern_le bpchar_pattern_lt bpcharcmp bpchareq bpcharge
      bpchargt bpcharle bpcharlt bpcharne btbpchar_pattern_cmp btnamecmp btnametextcmp bttext_pattern_cmp
      bttextcmp bttextnamecmp hashbpchar hashbpcharextended hashname hashnameextended hashtext hashtextextended
      name nameeq nameeqtext namege namegetext namegt namegttext namele nameletext namelt namelttext namene
      namenetext text_ge text_gt text_le text_lt text_pattern_ge text_pattern_gt text_pattern_le text_pattern_lt
      textcat texteq texteqname textgename textgtname textlen textlename textltname textne textnename varchar
    `,
  },
  // bytea.
  {
    class: "safe",
    names: `
      bytea byteacat byteacmp byteaeq byteage byteagt byteale bytealt byteane hashbytea hashbyteaextended
    `,
  },
  // Bit strings.
  {
    class: "safe",
    names: `
      bit bit_count bit_length bitand bitcat bitcmp biteq bitge bitgt bitle bitlt bitne bitnot bitor
      bitshiftleft bitshiftright bitxor get_bit set_bit varbit varbitcmp varbiteq varbitge varbitgt varbitle
      varbitlt varbitne
    `,
  },
  // uuid.
  {
    class: "safe",
    names: `
      uuid_cmp uuid_eq uuid_extract_version uuid_ge uuid_gt uuid_hash uuid_hash_extended uuid_le uuid_lt uuid_ne
    `,
  },
  // Functions over text.
  {
    class: "safe",
    names: `
      ascii btrim casefold cash_words char char_length character_length chr concat concat_ws convert
      convert_from convert_to crc32 crc32c decode encode format get_byte gin_cmp_tslexeme gin_compare_jsonb
      initcap is_normalized left lpad ltrim md5 normalize octet_length overlay parse_ident pg_size_bytes
      pg_size_pretty position quote_ident quote_literal quote_nullable repeat replace reverse right rpad rtrim
      set_byte sha224 sha256 sha384 sha512 split_part starts_with string_to_array string_to_table strpos substr
      substring to_ascii to_bin to_hex to_number to_oct translate unicode_assigned unistr
    `,
  },
];
