import type { RangeVar } from "@pgsql/types";
import type { Column, Relation } from "../../catalog/catalog.ts";
import type { TableGrant } from "../../policy/grants.ts";
import type { Survey } from "../findings.ts";
import type { Judgement } from "../judgement.ts";
import { nameOf } from "./safe-copies.ts";
import { familyOfType } from "./type-families.ts";

/** What the columns of a statement are, by bare name: any relation that it reads may be meant. */
export type ColumnFacts = {
  /** The family of a column's type; undefined: not safe, or not known for sure. A qualifier is that of `t.name`. */
  family(name: string, qualifier?: string): string | undefined;
  /** OID of a column's collation: which of two that differ is meant, the server asks when it compares, and raises. */
  collation(name: string): number | undefined;
  /** True if `qualifier.name` could be a call of a function. */
  mayCall(qualifier: string, name: string): boolean;
  /** True for a relation in FROM whose rows are stored, and none that is computed when somebody looks. */
  isStored(rangeVar: RangeVar): boolean;
};

/**
 * Facts about columns by name alone: a name is safe if it is a plain column of a safe type in every relation of the
 * statement that has it. Scopes need not be told apart then, and a mistake can only be on the careful side.
 */
export function columnFacts({ context }: Judgement, survey: Survey): ColumnFacts {
  const { aliases, outputs, reads, writes } = survey;
  const known = new Map<string, StoredType | undefined>();
  for (const { relation, grant } of [...reads, ...writes]) {
    const stored = isStored(relation);
    for (const column of relation.columns) {
      const family = stored && isPlain(column.name, grant) ? familyOf(column) : undefined;
      const { name, collation } = column;
      const before = known.get(name);
      const same = !known.has(name) || (before?.family === family && before?.collation === collation);
      known.set(name, same && family !== undefined ? { family, collation } : undefined);
    }
  }
  // `t.f` is a call of f(t) where t has no column f, whoever else has one.
  const mayCall = (qualifier: string, name: string): boolean => {
    if (!context.catalog.functions.has(name)) return false;
    const readSo = reads.filter(({ rangeVar }) => nameOf(rangeVar) === qualifier);
    const meant = [...readSo, ...writes.filter(({ statement }) => nameOf(statement.relation) === qualifier)];
    const others = (aliases.get(qualifier) ?? 0) > readSo.length;
    return others || meant.length === 0 || !meant.every(({ relation }) => hasColumn(relation, name));
  };
  const typed = (name: string, within: readonly string[]): StoredType | undefined => {
    const made = outputs.get(name);
    // Where one name stands for several, they must be alike.
    if (made === undefined || within.includes(name)) return known.get(name);
    const types = made.map((output) => {
      if (output?.kind !== "column") return output && counted;
      const { name: source, qualifier } = output;
      const row = qualifier === undefined ? aliases.has(source) : mayCall(qualifier, source);
      return row ? undefined : typed(source, [...within, name]);
    });
    if (known.has(name)) types.push(known.get(name));
    const [first] = types;
    return first !== undefined &&
      types.every((type) => type?.family === first.family && type.collation === first.collation)
      ? first
      : undefined;
  };
  const storedReads = new Set(
    reads.filter(({ relation }) => isStored(relation)).map(({ rangeVar }) => rangeVar),
  );
  // A bare name may mean a whole row where a FROM item has it.
  return {
    family: (name, qualifier) =>
      aliases.has(name) || (qualifier !== undefined && mayCall(qualifier, name))
        ? undefined
        : typed(name, [])?.family,
    collation: (name) => typed(name, [])?.collation,
    mayCall,
    isStored: (rangeVar) => storedReads.has(rangeVar),
  };
}

function isStored({ kind }: Relation): boolean {
  return kind === "table" || kind === "partitioned table" || kind === "materialized view";
}

export function hasColumn({ columns }: Relation, name: string): boolean {
  return columns.some((column) => column.name === name);
}

type StoredType = Pick<Column, "collation"> & { readonly family: string };

/** count() gives a bigint. */
const counted: StoredType = { family: "integer", collation: 0 };

/** A column that the role sees as it is stored. */
function isPlain(name: string, grant: TableGrant | undefined): boolean {
  if (grant === undefined) return true;
  const { select } = grant;
  return (
    select !== undefined && (select.columns === "all" || select.columns.has(name)) && !select.mask.has(name)
  );
}

function familyOf(column: Column): string | undefined {
  if (column.virtual) return undefined;
  if (column.typeKind === "e") return `enum ${column.type}`;
  return column.typeKind === "b" ? familyOfType(column.type) : undefined;
}
