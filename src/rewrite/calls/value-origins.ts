import type { Node } from "@pgsql/types";
import type { Catalog, Relation, TypeFacts } from "../../catalog/catalog.ts";
import { anonymousRow } from "../../catalog/made-objects.ts";
import { walk, type Fields, type Opened, type Parent } from "../../sql/walk.ts";
import { lastName, lastOf } from "../text/dotted-name.ts";
import type { Survey } from "../findings.ts";
import type { Judgement } from "../judgement.ts";

/** Types that somebody made, by `TypeFacts.text`, and `record`. */
export type MadeTypes = ReadonlySet<string>;

/** Where values of types that somebody made can come from in one statement. */
export type Arising = {
  /** All that can come up somewhere. */
  readonly all: MadeTypes;
  /** The types of a name's columns, as `Column.type` says; undefined: the name may mean something else too. */
  columns(name: string): ReadonlySet<string> | undefined;
  /** The types that a column of this name can have. */
  named(name: string | undefined): MadeTypes;
};

export const none: MadeTypes = new Set();

/** Names that the server gives columns of sub-selects by itself (FigureColname, parse_target.c). */
const impliedNames = `?column? array case coalesce exists greatest grouping least nullif row value
  xmlconcat xmlelement xmlforest xmlparse xmlpi xmlroot xmlserialize json json_array json_arrayagg json_exists
  json_object json_objectagg json_query json_scalar json_serialize json_value`.split(/\s+/);

/**
 * @param made the types that a node gives by itself, if the names in it mean columns of the statement's relations.
 */
export function arisingTypes(
  judgement: Judgement,
  survey: Survey,
  statement: Node,
  made: (arising: Arising, node: Opened) => MadeTypes,
): Arising {
  const { catalog } = judgement.context;
  const all = new Set<string>();
  const given = new Set(impliedNames);
  const rows = new Set<string>();
  const called: Opened[] = [];
  const references: string[] = [];
  walk(statement, (kind, fields, parent) => {
    if (parent === undefined || !isTarget(parent))
      for (const name of namesGiven(kind, fields)) given.add(name);
    // Or it is a call of what is before the dot.
    if (kind === "ColumnRef" && (fields["fields"] as Node[]).length > 1)
      for (const name of lastOf(fields["fields"]))
        if (typesOfNotation(catalog, name).length > 0) given.add(name);
    for (const name of namesOfRows(kind, fields)) rows.add(name);
    if (kind === "ColumnRef") references.push(referenceOf(fields, parent));
    if (givesRow(catalog, kind, fields)) all.add(anonymousRow);
    if (kind === "RangeFunction" || kind === "RangeTableFunc" || kind === "JsonTable")
      called.push({ kind, fields });
  });
  const wholeRows = references.some((name) => name === wholeRow || rows.has(name));
  if (wholeRows) all.add(anonymousRow);
  const used = [...survey.reads, ...survey.writes].map(({ relation }) => relation);
  // A condition that stands by itself is about what the statement around it names.
  const relations = used.length > 0 ? used : [...judgement.about.relations];
  const columns = new Map<string, Set<string>>();
  for (const relation of relations) {
    for (const type of columnTypes(catalog, relation)) all.add(type);
    if (wholeRows) for (const type of rowTypes(catalog, relation)) all.add(type);
    for (const { name, type } of relation.columns)
      columns.set(name, (columns.get(name) ?? new Set()).add(type));
  }
  for (const type of judgement.about.types) all.add(type);
  const arising = (opaque: boolean): Arising => {
    const typesOfName = (name: string): ReadonlySet<string> | undefined =>
      opaque || given.has(name) || survey.aliases.has(name) ? undefined : columns.get(name);
    return {
      all,
      columns: typesOfName,
      named: (name) => {
        const types = name === undefined ? undefined : typesOfName(name);
        return types === undefined ? all : new Set([...types].flatMap((type) => [...reach(catalog, type)]));
      },
    };
  };
  if (relations.some(({ columnsUnknown }) => columnsUnknown === true)) return arising(true);
  // Functions in FROM give columns of names that only the catalog knows. It matters only where they give such types.
  const plain = arising(false);
  const givesMade = (node: Opened): boolean => [...made(plain, node)].some((type) => type !== anonymousRow);
  return called.some(givesMade) ? arising(true) : plain;
}

const wholeRow = "*";

/** The name that a column reference ends in; a star that is no column of a select list is a row. */
function referenceOf({ fields }: Fields, parent: Parent | undefined): string {
  const name = lastName(fields as Node[]);
  return name ?? (parent?.kind === "ResTarget" ? "" : wholeRow);
}

/** Names in FROM that stand for whole rows; that of a function stands for what it gives. */
function namesOfRows(kind: string, fields: Fields): readonly string[] {
  const alias = (fields["alias"] as { aliasname?: string } | undefined)?.aliasname;
  if (kind === "RangeVar") return [alias ?? (fields["relname"] as string)];
  const named = ["RangeSubselect", "JoinExpr", "JsonTable", "RangeTableFunc"].includes(kind);
  return named && alias !== undefined ? [alias] : [];
}

/** The types, made by somebody, that the columns of a relation can have. */
function columnTypes(catalog: Catalog, relation: Relation): readonly string[] {
  if (relation.columnsUnknown === true) return relation.madeTypes ?? [...catalog.typesByText.keys()];
  return relation.columns.flatMap(({ type }) => [...reach(catalog, type)]);
}

/** Those that its rows can have, by inheritance too. */
function rowTypes(catalog: Catalog, { schema, name }: Relation): readonly string[] {
  return typesNamed(catalog, [schema, name]);
}

/** The types that a relation can have which a statement makes of all that it is about. */
export function typesMade({ about, context: { catalog } }: Judgement): readonly string[] {
  const relations = [...about.relations].flatMap((relation) => [
    ...columnTypes(catalog, relation),
    ...rowTypes(catalog, relation),
  ]);
  const operators = [...catalog.operators.values()].flat().map(({ function: called }) => called);
  const results = operators.flatMap(({ schema, name }) =>
    (catalog.functions.get(name) ?? []).filter((found) => found.schema === schema),
  );
  const given = results.flatMap(({ gives }) => gives.flatMap((type) => [...reach(catalog, type)]));
  return [...new Set([...about.types, ...relations, ...given])];
}

/** Could a row without a type of its own come of a node: ROW(…), a function that gives one? */
function givesRow(catalog: Catalog, kind: string, fields: Fields): boolean {
  if (kind === "RowExpr") return true;
  if (kind !== "FuncCall") return false;
  const candidates = catalog.functions.get(lastName(fields["funcname"] as Node[]) ?? "") ?? [];
  return candidates.some(({ result }) => result === anonymousRow);
}

/** Columns that a statement writes to are named in the same kind of node as those that a select gives. */
function isTarget({ kind, field }: Parent): boolean {
  return (
    (kind === "InsertStmt" && field === "cols") ||
    (field === "targetList" && ["UpdateStmt", "OnConflictClause", "MergeWhenClause"].includes(kind))
  );
}

/** Names that a node gives to columns. */
function namesGiven(kind: string, fields: Fields): readonly string[] {
  switch (kind) {
    case "ResTarget":
      return fields["name"] === undefined ? [] : [fields["name"] as string];
    case "Alias":
      return eachOf(fields["colnames"]);
    case "CommonTableExpr":
      return eachOf(fields["aliascolnames"]);
    case "FuncCall":
      return lastOf(fields["funcname"]);
    case "TypeName":
      return lastOf(fields["names"]);
    case "A_Indirection":
      return lastOf(fields["indirection"]);
    default:
      return [];
  }
}

function eachOf(names: unknown): string[] {
  return ((names as Node[] | undefined) ?? []).flatMap((name) => lastOf([name]));
}

/** The types that a name in a statement can mean, with all that their values hold. */
export function typesNamed(catalog: Catalog, parts: readonly string[]): readonly string[] {
  return madeTypes(catalog, parts).flatMap(({ holds }) => [...holds]);
}

/** The types that a dotted name can mean, in any schema, by their arrays too. */
export function madeTypes(catalog: Catalog, parts: readonly string[]): readonly TypeFacts[] {
  const [name = "", schema] = parts.toReversed();
  return [...(catalog.types.get(name) ?? []), ...(catalog.typesByArray.get(name) ?? [])].filter(
    (found) => schema === undefined || found.schema === schema,
  );
}

/**
 * Those to which a call of one argument with this name can be a cast (func_get_detail, parse_func.c): `order_status('paid')`.
 * A row type is none of them (FuncNameAsType).
 */
export function castTypes(catalog: Catalog, parts: readonly string[]): readonly TypeFacts[] {
  return madeTypes(catalog, parts).filter(({ kind, name }) => kind !== "c" || name !== parts.at(-1));
}

/** The types that a call can give by itself: those of somebody's functions, and that of a cast written as a call. */
export function typesGiven(catalog: Catalog, call: Fields): readonly string[] {
  const name = lastName(call["funcname"] as Node[] | undefined) ?? "";
  const given = (catalog.functions.get(name) ?? []).flatMap(({ gives }) =>
    gives.flatMap((type) => [...reach(catalog, type)]),
  );
  if ((call["args"] as Node[] | undefined)?.length !== 1) return given;
  return [...given, ...castTypes(catalog, [name]).flatMap(({ holds }) => [...holds])];
}

/** Those of what is written behind a dot, should it be a call: `(a).f`. */
export function typesOfNotation(catalog: Catalog, name: string): readonly string[] {
  return typesGiven(catalog, { funcname: [{ String: { sval: name } }], args: [{}] });
}

/** What a value of a type, as `Column.type` names it, is, holds or becomes without being asked. */
export function reach(catalog: Catalog, type: string): MadeTypes {
  const found = catalog.typesByText.get(type.replace(/(\[\])+$/, ""));
  return found?.holds ?? none;
}
