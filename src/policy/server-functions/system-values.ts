import type { FunctionGroup } from "./function-group.ts";

/** Object and transaction identifiers, WAL positions, access privileges as values. */
export const systemValueFunctions: readonly FunctionGroup[] = [
  // Identifiers.
  {
    class: "safe",
    names: `
      btoidcmp bttidcmp cideq hashcid hashcidextended hashoid hashoidextended hashtid hashtidextended
      nameconcatoid oid oideq oidge oidgt oidle oidlt oidne tideq tidge tidgt tidle tidlt tidne
    `,
  },
  // Transactions.
  {
    class: "safe",
    names: `
      hashxid hashxid8 hashxid8extended hashxidextended mxid_age pg_current_snapshot pg_current_xact_id
      pg_current_xact_id_if_assigned pg_snapshot_xip pg_snapshot_xmax pg_snapshot_xmin pg_visible_in_snapshot
      txid_current_snapshot txid_snapshot_xip txid_snapshot_xmax txid_snapshot_xmin txid_visible_in_snapshot xid
      xid8cmp xid8eq xid8ge xid8gt xid8le xid8lt xid8ne xideq xideqint4 xidneq xidneqint4
    `,
  },
  // WAL positions.
  {
    class: "safe",
    names: `
      numeric_pl_pg_lsn pg_lsn pg_lsn_cmp pg_lsn_eq pg_lsn_ge pg_lsn_gt pg_lsn_hash pg_lsn_hash_extended
      pg_lsn_le pg_lsn_lt pg_lsn_mi pg_lsn_mii pg_lsn_ne pg_lsn_pli pg_split_walfile_name pg_wal_lsn_diff
      pg_walfile_name pg_walfile_name_offset
    `,
  },
  // Access privileges.
  {
    class: "safe",
    names: `
      aclcontains acldefault aclexplode aclinsert aclitemeq aclremove btequalimage btvarstrequalimage
      hash_aclitem hash_aclitem_extended makeaclitem
    `,
  },
  // How a transaction of this number ended.
  {
    class: "harmless",
    names: "pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_xact_status txid_status",
  },
];
