/**
 * Clauses, options and parts of statements of PostgreSQL 15 to 18 and their fields, as the raw grammar
 * makes them: what analysis alone would fill in is left out, and refused if it ever appears.
 * Written as in walk.ts: `name` is a scalar, `@name` a place in the text, `name:Node` a child of any
 * kind, `name:Kind` one of that kind, `[]` a list.
 */
export const clauseNodes = {
  AccessPriv: "priv_name cols:Node[]",
  Alias: "aliasname colnames:Node[]",
  AlterTableCmd: "subtype name num newowner:RoleSpec def:Node behavior missing_ok",
  ATAlterConstraint:
    "conname alterEnforceability is_enforced alterDeferrability deferrable initdeferred alterInheritability",
  ColumnDef:
    "colname typeName:TypeName compression is_local raw_default:Node collClause:CollateClause constraints:Node[] fdwoptions:Node[] @location storage_name",
  CommonTableExpr:
    "ctename aliascolnames:Node[] ctematerialized ctequery:Node search_clause:CTESearchClause cycle_clause:CTECycleClause @location",
  Constraint:
    "contype conname deferrable initdeferred @location is_no_inherit raw_expr:Node generated_when nulls_not_distinct keys:Node[] including:Node[] exclusions:Node[] options:Node[] indexname indexspace access_method where_clause:Node pktable:RangeVar fk_attrs:Node[] pk_attrs:Node[] fk_matchtype fk_upd_action fk_del_action fk_del_set_cols:Node[] skip_validation initially_valid is_enforced generated_kind without_overlaps fk_with_period pk_with_period",
  CreateOpClassItem:
    "itemtype name:ObjectWithArgs number order_family:Node[] class_args:Node[] storedtype:TypeName",
  CTECycleClause:
    "cycle_col_list:Node[] cycle_mark_column cycle_mark_value:Node cycle_mark_default:Node cycle_path_column @location",
  CTESearchClause: "search_col_list:Node[] search_breadth_first search_seq_column @location",
  DefElem: "defnamespace defname arg:Node defaction @location",
  FunctionParameter: "name argType:TypeName mode defexpr:Node @location",
  GroupingSet: "kind content:Node[] @location",
  IndexElem: "name expr:Node collation:Node[] opclass:Node[] opclassopts:Node[] ordering nulls_ordering",
  InferClause: "indexElems:Node[] whereClause:Node conname @location",
  IntoClause: "rel:RangeVar colNames:Node[] accessMethod options:Node[] onCommit tableSpaceName skipData",
  JoinExpr:
    "jointype isNatural larg:Node rarg:Node usingClause:Node[] join_using_alias:Alias quals:Node alias:Alias",
  LockingClause: "lockedRels:Node[] strength waitPolicy",
  MergeWhenClause: "matched commandType override condition:Node targetList:Node[] values:Node[] matchKind",
  ObjectWithArgs: "objname:Node[] objargs:Node[] objfuncargs:Node[] args_unspecified",
  OnConflictClause: "action infer:InferClause targetList:Node[] whereClause:Node @location",
  PartitionBoundSpec:
    "strategy is_default modulus remainder listdatums:Node[] lowerdatums:Node[] upperdatums:Node[] @location",
  PartitionCmd: "name:RangeVar bound:PartitionBoundSpec concurrent",
  PartitionElem: "name expr:Node collation:Node[] opclass:Node[] @location",
  PartitionSpec: "strategy partParams:Node[] @location",
  PublicationObjSpec: "pubobjtype name pubtable:PublicationTable @location",
  PublicationTable: "relation:RangeVar whereClause:Node columns:Node[]",
  RangeFunction: "lateral ordinality is_rowsfrom functions:Node[] alias:Alias coldeflist:Node[]",
  RangeSubselect: "lateral subquery:Node alias:Alias",
  RangeTableFunc: "lateral docexpr:Node rowexpr:Node namespaces:Node[] columns:Node[] alias:Alias @location",
  RangeTableFuncCol:
    "colname typeName:TypeName for_ordinality is_not_null colexpr:Node coldefexpr:Node @location",
  RangeTableSample: "relation:Node method:Node[] args:Node[] repeatable:Node @location",
  RangeVar: "catalogname schemaname relname inh relpersistence alias:Alias @location",
  ResTarget: "name indirection:Node[] val:Node @location",
  ReturningClause: "options:Node[] exprs:Node[]",
  ReturningOption: "option value @location",
  RoleSpec: "roletype rolename @location",
  SortBy: "node:Node sortby_dir sortby_nulls useOp:Node[] @location",
  StatsElem: "name expr:Node",
  TableLikeClause: "relation:RangeVar options",
  TriggerTransition: "name isNew isTable",
  VacuumRelation: "relation:RangeVar va_cols:Node[]",
  WindowDef:
    "name refname partitionClause:Node[] orderClause:Node[] frameOptions startOffset:Node endOffset:Node @location",
  WithClause: "ctes:Node[] recursive @location",
} as const;
