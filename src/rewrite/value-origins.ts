import type { Node } from "@pgsql/types";
import type { Catalog, TypeFacts } from "../catalog/catalog.ts";
import { anonymousRow } from "../catalog/made-objects.ts";
import { walk, type Fields } from "../sql/walk.ts";
import { lastName, nameParts } from "./dotted-name.ts";
import type { Survey } from "./findings.ts";
import type { Judgement } from "./judgement.ts";

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

export function arisingTypes(judgement: Judgement, survey: Survey, statement: Node): Arising {
  const { catalog } = judgement.context;
  const all = new Set<string>([anonymousRow]);
  const add = (types: Iterable<string>): void => {
    for (const type of types) all.add(type);
  };
  const given = new Set(impliedNames);
  let opaque = false;
  walk(statement, (kind, fields) => {
    for (const name of namesGiven(kind, fields)) given.add(name);
    if (kind === "TypeName") add(typesNamed(catalog, nameParts(fields["names"] as Node[])));
    if (kind === "FuncCall") add(typesGiven(catalog, fields));
    // Functions in FROM give columns of names that only the catalog of functions and types knows.
    if (kind === "RangeFunction" || kind === "RangeTableFunc" || kind === "JsonTable") opaque = true;
  });
  for (const declared of judgement.declaredTypes)
    if ("TypeName" in declared) add(typesNamed(catalog, nameParts(declared.TypeName.names)));
  const relations = [...survey.reads, ...survey.writes].map(({ relation }) => relation);
  const columns = new Map<string, Set<string>>();
  // A condition by itself, or a relation that the session has defined: any type could come up.
  let unknown = relations.length === 0;
  for (const relation of relations) {
    unknown ||= relation.columnsUnknown === true;
    add(typesNamed(catalog, [relation.schema, relation.name]));
    for (const { name, type } of relation.columns) {
      const types = columns.get(name) ?? new Set();
      columns.set(name, types.add(type));
      add(reach(catalog, type));
    }
  }
  if (unknown) add(catalog.typesByText.keys());
  const typesOfName = (name: string): ReadonlySet<string> | undefined =>
    opaque || unknown || given.has(name) || survey.aliases.has(name) ? undefined : columns.get(name);
  return {
    all,
    columns: typesOfName,
    named: (name) => {
      const types = name === undefined ? undefined : typesOfName(name);
      return types === undefined ? all : new Set([...types].flatMap((type) => [...reach(catalog, type)]));
    },
  };
}

/** Names that a node gives to columns. */
function namesGiven(kind: string, fields: Fields): string[] {
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

function lastOf(names: unknown): string[] {
  const name = lastName(names as Node[] | undefined);
  return name === undefined ? [] : [name];
}

/** The types that a name in a statement can mean, with all that their values hold. */
export function typesNamed(catalog: Catalog, parts: readonly string[]): readonly string[] {
  return madeTypes(catalog, parts).flatMap(({ holds }) => [...holds]);
}

/** The types that a dotted name can mean, in any schema. An array type may be named with an underscore. */
export function madeTypes(catalog: Catalog, parts: readonly string[]): readonly TypeFacts[] {
  const [name = "", schema] = parts.toReversed();
  return [name, name.replace(/^_/, "")]
    .flatMap((bare) => catalog.types.get(bare) ?? [])
    .filter((found) => schema === undefined || found.schema === schema);
}

/** The types that a call can give by itself: those of somebody's functions. */
export function typesGiven(catalog: Catalog, call: Fields): readonly string[] {
  const name = lastName(call["funcname"] as Node[] | undefined) ?? "";
  return (catalog.functions.get(name) ?? []).flatMap(({ gives }) =>
    gives.flatMap((type) => [...reach(catalog, type)]),
  );
}

/** What a value of a type, as `Column.type` names it, is, holds or becomes without being asked. */
export function reach(catalog: Catalog, type: string): MadeTypes {
  const found = catalog.typesByText.get(type.replace(/(\[\])+$/, ""));
  return found?.holds ?? none;
}
