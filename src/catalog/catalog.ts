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
};

/** An operator outside pg_catalog. */
export type OperatorFacts = {
  readonly schema: string;
  readonly name: string;
  readonly extension: string | undefined;
};

/** A type that somebody made. */
type TypeFacts = {
  readonly schema: string;
  readonly domain: boolean;
  /** A cast to or from it, or a check of its domain, runs a function that is neither the server's nor an extension's. */
  readonly calls: boolean;
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
  /** By operator name; only operators outside pg_catalog. */
  readonly operators: ReadonlyMap<string, readonly OperatorFacts[]>;
  /** Types outside pg_catalog and information_schema, by bare name. */
  readonly types: ReadonlyMap<string, readonly TypeFacts[]>;
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

/**
 * The relation that a name means, as the server would resolve it: a qualified one in its schema, a bare one
 * along the search path with pg_catalog searched first unless the path names it (documentation, 5.10.5).
 * pg_temp is not searched: no role may create temporary objects, so nothing can be there.
 * @param searchPath the schemas in order, as names (not quoted); schemas that do not exist are skipped.
 */
export function resolveRelation(
  catalog: Catalog,
  schema: string | undefined,
  name: string,
  searchPath: readonly string[],
): Relation | undefined {
  if (schema !== undefined) return catalog.relations.get(relationKey(schema, name));
  const path = searchPath.includes("pg_catalog") ? searchPath : ["pg_catalog", ...searchPath];
  for (const candidate of path) {
    const found = catalog.relations.get(relationKey(candidate, name));
    if (found !== undefined) return found;
  }
  return undefined;
}
