export type Column = {
  readonly name: string;
  /** As format_type prints it with the type's schema where that is not pg_catalog, without modifier: `integer`, `text`, `public.order_status`. */
  readonly type: string;
  /** `b`ase, `c`omposite, `d`omain, `e`num, `p`seudo, `r`ange, `m`ultirange (pg_type.typtype). */
  readonly typeKind: string;
  /** The type with its modifier, `numeric(10,2)`: what a cast to it gives is what the column would hold. */
  readonly declared: string;
  readonly notNull: boolean;
  /** GENERATED ALWAYS AS (…) columns take no value. */
  readonly generated: boolean;
  /** It is computed whenever it is read (GENERATED … VIRTUAL, from 18 on): reading it may raise. */
  readonly virtual: boolean;
  /** OID of its collation; 0: its type has none. */
  readonly collation: number;
  /** Where a statement gives no value the server puts one in: a default, an identity, a domain's default. */
  readonly filled: boolean;
};

export type RelationKind =
  | "table"
  | "partitioned table"
  | "view"
  | "materialized view"
  | "foreign table"
  | "sequence"
  | "index"
  | "toast table"
  | "composite type";

export type RowEvent = "insert" | "update" | "delete";

export type Relation = {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: RelationKind;
  /** Its rows are stored by the server's own table access method. */
  readonly heap: boolean;
  /** In attribute order, dropped ones left out. */
  readonly columns: readonly Column[];
  /** The columns on which all others depend; none without a primary key, with a deferrable one, or with children that it does not cover. */
  readonly primaryKey: readonly string[];
  /** Events at which an enabled BEFORE or INSTEAD OF row trigger, its own or one of a partition or child, may change the row. */
  readonly rowTriggers: ReadonlySet<RowEvent>;
  /** Events that an enabled rule (CREATE RULE … DO INSTEAD) turns into something else. */
  readonly insteadRules: ReadonlySet<RowEvent>;
  /** Made or changed by the session itself, and not read yet: `columns` says nothing. */
  readonly columnsUnknown?: true;
  /** The types, made by somebody, that its unknown columns can have (`TypeFacts.text`); undefined: any. */
  readonly madeTypes?: readonly string[];
};

/**
 * What goes, or changes, with something that it was made of.
 * `whole`: a view, or a table of a type; `child`: a partition or inheritance child; `sequence`: one of its columns';
 * `foreign key`: a constraint of that table; `column`: a column of that table, or its default; `other`: a function, a
 * rule, a policy, … of which no more is known.
 */
export type Dependent = {
  readonly how: "whole" | "child" | "sequence" | "foreign key" | "column" | "other";
  /** Of the relation or type; undefined: neither. */
  readonly key: string | undefined;
};

/** Kind `p` is a procedure, `a` an aggregate, `w` a window function (pg_proc.prokind). */
export type FunctionFacts = {
  readonly schema: string;
  readonly name: string;
  readonly kind: "f" | "p" | "a" | "w";
  readonly volatility: "i" | "s" | "v";
  readonly leakproof: boolean;
  readonly securityDefiner: boolean;
  /** The extension that it belongs to, if any. */
  readonly extension: string | undefined;
  /** The server itself brought it (OID below 16384, in pg_catalog or information_schema). */
  readonly own: boolean;
  /** With how many arguments it can be called; defaults and VARIADIC make a range. */
  readonly takes: { readonly least: number; readonly most: number };
  /** The types of the database's own that a call may give, as `Column.type` names them. */
  readonly gives: readonly string[];
  /** What it gives, as `Column.type` names types. */
  readonly result: string;
  /** Some argument is of a type that settings have a part in reading: dates, money, xml, names of objects, … */
  readonly reads: boolean;
  /** The settings that are fixed for it (CREATE FUNCTION … SET), in lower case. */
  readonly settings: readonly string[];
};

export type FunctionName = { readonly schema: string; readonly name: string };

/** An operator that is not the server's own. */
export type OperatorFacts = {
  readonly schema: string;
  readonly name: string;
  readonly extension: string | undefined;
  readonly function: FunctionName;
  /** Values of built-in types and literals are enough for it to be chosen. */
  readonly common: boolean;
  /** A value of a built-in type can be an operand as it is, or becomes one sooner than one of the server's operators'. */
  readonly besideBuiltin: boolean;
  /** The types, made by somebody, of which a value could make the server choose it (`TypeFacts.text`, or `record`). */
  readonly operands: readonly string[];
  /** The types of its operands that somebody made. */
  readonly takes: readonly string[];
};

/** A type that somebody made. An array type is told as the type of its elements. */
export type TypeFacts = {
  readonly schema: string;
  readonly name: string;
  /** As `Column.type` names it. */
  readonly text: string;
  /** The name of its array type: its own behind an underscore, or something else where that was taken. */
  readonly arrayName: string | undefined;
  /** Its own OID and that of its array. */
  readonly oids: readonly number[];
  /** pg_type.typtype. */
  readonly kind: "b" | "c" | "d" | "e" | "m" | "p" | "r";
  /** The types made by somebody that a value of it is, holds, or becomes without being asked: by `text`, itself included. */
  readonly holds: ReadonlySet<string>;
  /** Functions, neither the server's nor an extension's, that run when a value is made: checks of domains, input, … */
  readonly makes: readonly FunctionName[];
  /** The same for sorting, grouping and comparing: the default operator classes. */
  readonly compares: readonly FunctionName[];
};

/** A cast that is not the server's own. */
export type CastFacts = {
  readonly source: { readonly type: string; readonly made: boolean; readonly oid: number };
  readonly target: { readonly type: string; readonly made: boolean };
  /** `i`mplicit, on `a`ssignment, only `e`xplicit. */
  readonly context: "i" | "a" | "e";
  /** Undefined: through text, or the bytes are the same. */
  readonly function: FunctionName | undefined;
  readonly ofExtension: boolean;
};

/** What the database contains, at one moment; immutable. */
export type Catalog = {
  /** Grows by one with every change that was seen. */
  readonly version: number;
  /** 15, 16, 17 or 18. */
  readonly serverMajor: number;
  readonly schemas: ReadonlySet<string>;
  /** Keyed `schema.name` by `relationKey`. Includes pg_catalog and information_schema. */
  readonly relations: ReadonlyMap<string, Relation>;
  /** By bare name, all schemas. */
  readonly functions: ReadonlyMap<string, readonly FunctionFacts[]>;
  /** By operator name; only those that are not the server's own. */
  readonly operators: ReadonlyMap<string, readonly OperatorFacts[]>;
  /** Types outside pg_catalog and information_schema, by bare name, by `text`, and by the bare name of their arrays. */
  readonly types: ReadonlyMap<string, readonly TypeFacts[]>;
  readonly typesByText: ReadonlyMap<string, TypeFacts>;
  readonly typesByArray: ReadonlyMap<string, readonly TypeFacts[]>;
  /** Those that are not the server's own. */
  readonly casts: readonly CastFacts[];
  /** The types of pg_catalog, by bare name. */
  readonly builtinTypes: ReadonlySet<string>;
  /** The table (its key) that an index is on, and the one whose column a sequence belongs to, by key. */
  readonly tablesOf: ReadonlyMap<string, string>;
  /** What depends on a relation or type (by `relationKey`) or on a schema (its key with an empty name). */
  readonly dependents: ReadonlyMap<string, readonly Dependent[]>;
};

/** The map key of a relation. A NUL cannot occur in a name, so two names never share a key. */
export function relationKey(schema: string, name: string): string {
  return `${schema}\0${name}`;
}
