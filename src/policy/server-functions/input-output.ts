import type { FunctionGroup } from "./function-group.ts";

/** Input and output functions of types, which casts call. Those that learn their type from an OID stand in internals.ts. */
export const inputOutputFunctions: readonly FunctionGroup[] = [
  // Type modifiers.
  {
    class: "safe",
    names: `
      bittypmodin bittypmodout bpchartypmodin bpchartypmodout intervaltypmodin intervaltypmodout numerictypmodin
      numerictypmodout timestamptypmodin timestamptypmodout timestamptztypmodin timestamptztypmodout
      timetypmodin timetypmodout timetztypmodin timetztypmodout varbittypmodin varbittypmodout varchartypmodin
      varchartypmodout
    `,
  },
  // Names of objects.
  {
    class: "safe",
    names: `
      regclassin regclassout regclasssend regcollationin regcollationout regcollationsend regconfigin
      regconfigout regconfigsend regdictionaryin regdictionaryout regdictionarysend regnamespacein
      regnamespaceout regnamespacesend regoperatorin regoperatorout regoperatorsend regoperin regoperout
      regopersend regprocedurein regprocedureout regproceduresend regprocin regprocout regprocsend regrolein
      regroleout regrolesend regtypein regtypeout regtypesend
    `,
  },
  // Binary output.
  {
    class: "safe",
    names: `
      array_send bit_send boolsend box_send bpcharsend byteasend cash_send charsend cidr_send cidsend
      circle_send cstring_send date_send float4send float8send inet_send int2send int2vectorsend int4send
      int8send interval_send json_send jsonb_send jsonpath_send line_send lseg_send macaddr8_send macaddr_send
      multirange_send namesend numeric_send oidsend oidvectorsend path_send pg_lsn_send pg_snapshot_send
      point_send poly_send range_send record_send textsend tidsend time_send timestamp_send timestamptz_send
      timetz_send tsquerysend tsvectorsend txid_snapshot_send unknownsend uuid_send varbit_send varcharsend
      void_send xid8send xidsend xml_send
    `,
  },
  // Text.
  {
    class: "safe",
    names: `
      aclitemin aclitemout array_out bit_in bit_out boolin boolout box_in box_out bpcharin bpcharout byteain
      byteaout cash_in cash_out charin charout cidin cidout cidr_in cidr_out circle_in circle_out cstring_in
      cstring_out date_in date_out float4in float4out float8in float8out inet_in inet_out int2in int2out
      int2vectorin int2vectorout int4in int4out int8in int8out interval_in interval_out json_in json_out
      jsonb_in jsonb_out jsonpath_in jsonpath_out line_in line_out lseg_in lseg_out macaddr8_in macaddr8_out
      macaddr_in macaddr_out multirange_out namein nameout numeric_in numeric_out oidin oidout oidvectorin
      oidvectorout path_in path_out pg_lsn_in pg_lsn_out pg_snapshot_in pg_snapshot_out point_in point_out
      poly_in poly_out range_out record_out textin textout tidin tidout time_in time_out timestamp_in
      timestamp_out timestamptz_in timestamptz_out timetz_in timetz_out tsqueryin tsqueryout tsvectorin
      tsvectorout txid_snapshot_in txid_snapshot_out unknownin unknownout uuid_in uuid_out varbit_in varbit_out
      varcharin varcharout void_in void_out xid8in xid8out xidin xidout xml_in xml_out
    `,
  },
];
