/** Why a statement of a tool has another outcome through rolegate, or none. */
export type Reason = {
  /** Matched against the text with single spaces. */
  readonly statement: RegExp;
  readonly because: string;
  /** On this version alone. */
  readonly major?: number;
};

/** What Postgres refuses to an ordinary role itself, or where the statement stands. */
export const refusedByServer: readonly Reason[] = [
  { statement: /pg_tablespace_size\(oid\)/, because: "pg_global's size is a superuser's" },
  { statement: /FROM pg_(catalog\.pg_)?subscription\b/, because: "subconninfo is a superuser's" },
  { statement: /^ALTER USER app_writer/, because: "there is no such role" },
  { statement: /^SET TRANSACTION SNAPSHOT/, because: "nobody exports that snapshot" },
  {
    statement: /colliculocale|daticulocale/,
    because: "PostgreSQL 17 renamed the column",
    major: 18,
  },
  {
    statement: /colllocale|datlocale|last_idx_scan|inherit_option|conperiod|pubgencols/,
    because: "a column of a later version",
    major: 15,
  },
];

/** What rolegate refuses, whatever the role file says. */
export const refused: readonly Reason[] = [
  { statement: /pg_export_snapshot/, because: "a parallel dump's snapshot could be taken up by any session" },
  { statement: /^CREATE EXTENSION/, because: "an extension's functions run unjudged" },
  { statement: /FROM pg_catalog\.pg_stats/, because: "pgAdmin's statistics of a column are samples of rows" },
];

/** Where rows differ by design, or by chance. */
export const differing: readonly Reason[] = [
  { statement: /pg_(table|database|tablespace|relation|indexes)_size/, because: "sizes follow hidden rows" },
  { statement: /relpages|reltuples|n_live_tup|c\.oid,c\.\*/, because: "they follow the number of rows" },
  { statement: /pg_statio?_/, because: "counters count hidden rows" },
  { statement: /pg_(show_all_)?settings/, because: "some settings are rolegate's own, some hold secrets" },
  { statement: /session_user/, because: "the role stands in place of rolegate's login" },
  { statement: /pg_sequence_last_value/, because: "positions of sequences follow hidden rows" },
  { statement: /datname/, because: "the list of databases has both of this test's" },
  { statement: /txid_current/, because: "every transaction has its own number" },
  { statement: /"ku"|^INSERT INTO "tp"/, because: "moments and random identifiers are part of the rows" },
  { statement: /typcategory = 'A' group by/, because: "the types of what the tools made have other OIDs" },
];
