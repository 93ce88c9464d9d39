import type {
  ColumnRef,
  DeleteStmt,
  InsertStmt,
  JoinExpr,
  LockingClause,
  MergeStmt,
  Node,
  RangeVar,
  SelectStmt,
  UpdateStmt,
} from "@pgsql/types";
import type { Relation } from "../catalog/catalog.ts";
import type { TableGrant } from "../policy/grants.ts";

/** A select, or what else has FROM and a condition that holds for each of its rows. */
export type Level = { readonly whereClause?: Node | undefined };

/** A select, and what it stands in. */
export type Place = {
  readonly select: SelectStmt;
  /** Undefined: the statement itself. */
  readonly outer: Place | undefined;
  /** How its rows get there: in FROM (a branch of a set operation too), by a name of WITH, or not as rows. */
  readonly reach: "from" | "with" | "apart";
};

/** A relation that is read, where it stands. */
export type Read = {
  readonly node: Node;
  readonly rangeVar: RangeVar;
  readonly relation: Relation;
  /** Undefined: a catalog that everyone may read. */
  readonly grant: TableGrant | undefined;
  /** What it stands in the FROM of, not under an outer join. */
  readonly level: Level | undefined;
  /** The select in whose FROM it stands, under joins of any kind; undefined: it stands beside what is written. */
  readonly place: Place | undefined;
  /** The outer join of which it is, by itself, the side that may be missing. */
  readonly missingIn: JoinExpr | undefined;
  /** The TABLESAMPLE around it. */
  readonly sample?: Sample | undefined;
};

/** A FROM item with TABLESAMPLE, in the wrapping that it has in the tree. */
export type Sample = Extract<Node, { RangeTableSample: unknown }>;

/** A statement that writes, with the relation it writes to. */
export type Write = { readonly relation: Relation; readonly grant: TableGrant } & (
  | { readonly kind: "insert"; readonly statement: InsertStmt }
  | { readonly kind: "update"; readonly statement: UpdateStmt }
  | { readonly kind: "delete"; readonly statement: DeleteStmt }
  | { readonly kind: "merge"; readonly statement: MergeStmt }
);

/** A condition that chooses rows somewhere in the statement. */
export type Condition = { readonly node: Node } & (
  | { readonly clause: "where" | "having"; readonly place: Place }
  | { readonly clause: "on"; readonly join: JoinExpr; readonly place: Place | undefined }
  /** A condition of a statement that writes. */
  | { readonly clause: "write"; readonly place: undefined }
);

/** What a column of a sub-select is made of: a column, or the least or greatest of it; a count; undefined: anything else. */
export type Output =
  | { readonly kind: "column"; readonly name: string; readonly qualifier: string | undefined }
  | { readonly kind: "count" }
  | undefined;

/** All that one statement touches; found in one walk over its whole tree. */
export type Survey = {
  readonly reads: Read[];
  readonly writes: Write[];
  readonly conditions: Condition[];
  /** Columns named by USING. */
  readonly using: string[];
  /** Some sub-select, CTE or function in FROM gives columns that are not plain ones of a relation. */
  computed: boolean;
  /** Those columns by their names, and what each is made of, */
  readonly outputs: Map<string, readonly Output[]>;
  /** unless their names cannot all be known. */
  vague: boolean;
  natural: boolean;
  /** An operator that is none of arithmetic, texts and comparison; rows are sorted somewhere. */
  distances: boolean;
  sorted: boolean;
  /** The selects with GROUP BY. */
  readonly grouped: SelectStmt[];
  readonly locks: LockingClause[];
  /** Every column reference with a qualifier, and every field after parentheses. */
  readonly references: { readonly qualifier: string | undefined; readonly name: string }[];
  /** Column references that name a schema too: `s.t.c`. */
  readonly qualified: ColumnRef[];
  /** Every name that a column reference has in any part. */
  readonly named: Set<string>;
  /** A star stands for columns somewhere; columns have names that are not their own. */
  stars: boolean;
  renamed: boolean;
  /** Names of joins as a whole. */
  readonly joinAliases: Set<string>;
  /** Names that stand alone and may each mean a whole row. */
  readonly rows: Set<string>;
  /** Every name that a FROM item or CTE has, targets of writes left out, and how many have it. */
  readonly aliases: Map<string, number>;
};

/** A survey that has found nothing yet. */
export function nothingSeen(): Survey {
  return {
    reads: [],
    writes: [],
    conditions: [],
    using: [],
    computed: false,
    outputs: new Map(),
    vague: false,
    natural: false,
    distances: false,
    sorted: false,
    grouped: [],
    locks: [],
    references: [],
    qualified: [],
    named: new Set(),
    stars: false,
    renamed: false,
    rows: new Set(),
    joinAliases: new Set(),
    aliases: new Map(),
  };
}
