import { relationKey, type Relation, type RelationKind } from "./catalog.ts";

/** The name under which a session's own temporary schema is known to it, whatever its real one is. */
export const temporarySchema = "pg_temp";

/**
 * What a session made or changed and the catalog does not show: temporary relations, and what was defined in the open
 * transaction or since the catalog was last read. Immutable; later levels go before earlier ones, and are merged when
 * they have grown, so that a change costs little and states share what did not change.
 */
export type LocalObjects = {
  /** By key; undefined: no longer there. */
  readonly levels: readonly ReadonlyMap<string, Relation | undefined>[];
  readonly schemas: ReadonlySet<string>;
  /**
   * Names that a temporary view ever had on the connection. A view can write to what it reads, so its name must never
   * be taken for a table's, however transactions end that a client has sent on their way.
   */
  readonly views: ReadonlySet<string>;
};

/** What a statement does to it. */
export type LocalChange =
  | { readonly kind: "relation"; readonly relation: Relation; readonly untilCommit: boolean }
  | { readonly kind: "dropped"; readonly name: string }
  | { readonly kind: "schema"; readonly schema: string };

export const nothingLocal: LocalObjects = { levels: [], schemas: new Set(), views: new Set() };

/** More than any migration defines in one transaction; a session's own are looked through where one is looked for. */
export const mostLocal = 20_000;

export function hasLocal(local: LocalObjects): boolean {
  return local.levels.length > 0 || local.schemas.size > 0 || local.views.size > 0;
}

export function localRelation({ levels }: LocalObjects, key: string): Relation | undefined {
  for (let index = levels.length - 1; index >= 0; index -= 1) {
    const level = levels[index]!;
    if (level.has(key)) return level.get(key);
  }
  return undefined;
}

export function changeLocal(local: LocalObjects, change: LocalChange): LocalObjects {
  switch (change.kind) {
    case "relation": {
      const { schema, name, kind } = change.relation;
      const views =
        isTemporary(change.relation) && kind === "view" ? new Set([...local.views, name]) : local.views;
      return withEntry({ ...local, views }, relationKey(schema, name), change.relation);
    }
    case "dropped":
      return withEntry(local, relationKey(temporarySchema, change.name), undefined);
    case "schema":
      return { ...local, schemas: new Set([...local.schemas, change.schema]) };
    default:
      return change satisfies never;
  }
}

function withEntry(local: LocalObjects, key: string, relation: Relation | undefined): LocalObjects {
  let top: ReadonlyMap<string, Relation | undefined> = new Map([[key, relation]]);
  const levels = [...local.levels];
  while (levels.length > 0 && levels.at(-1)!.size <= 2 * top.size) top = new Map([...levels.pop()!, ...top]);
  // Below the lowest level there is nothing that a name could be gone from.
  if (levels.length === 0) top = new Map([...top].filter(([, known]) => known !== undefined));
  if (top.size > 0) levels.push(top);
  const { schemas, views } = local;
  return levels.length + schemas.size + views.size === 0 ? nothingLocal : { levels, schemas, views };
}

/** How many names it holds, those that are gone included. */
export function sizeOfLocal({ levels }: LocalObjects): number {
  return levels.reduce((sum, level) => sum + level.size, 0);
}

/** The relations that are there, each once. */
export function localRelations({ levels }: LocalObjects): Relation[] {
  const merged = new Map(levels.flatMap((level) => [...level]));
  return [...merged.values()].filter((relation) => relation !== undefined);
}

/** What a fresh catalog leaves of it: the temporary relations. */
export function temporaryOnly(local: LocalObjects): LocalObjects {
  return objectsOf(localRelations(local).filter(isTemporary), new Set(), local.views);
}

/**
 * What a rollback leaves of it: the temporary relations of before. What else was defined stays until the catalog is
 * read: it only says that names are taken and columns not known.
 */
export function withTemporaryOf(local: LocalObjects, before: LocalObjects): LocalObjects {
  const others = localRelations(local).filter((relation) => !isTemporary(relation));
  return objectsOf([...others, ...localRelations(before).filter(isTemporary)], local.schemas, local.views);
}

function objectsOf(
  relations: readonly Relation[],
  schemas: ReadonlySet<string>,
  views: ReadonlySet<string>,
): LocalObjects {
  if (relations.length === 0 && schemas.size === 0 && views.size === 0) return nothingLocal;
  const level = new Map(relations.map((relation) => [relationKey(relation.schema, relation.name), relation]));
  return { levels: relations.length === 0 ? [] : [level], schemas, views };
}

export function isTemporary({ schema }: Pick<Relation, "schema">): boolean {
  return schema === temporarySchema;
}

/** A relation as a definition leaves it: its columns are not known, and what could happen to its rows might. */
export function definedRelation(
  schema: string,
  name: string,
  kind: RelationKind,
  known?: Relation,
): Relation {
  const events = new Set(["insert", "update", "delete"] as const);
  return {
    oid: known?.oid ?? madeUpOid(relationKey(schema, name)),
    schema,
    name,
    kind,
    heap: false,
    columns: [],
    primaryKey: [],
    rowTriggers: events,
    insteadRules: known?.insteadRules ?? new Set(),
    columnsUnknown: true,
  };
}

/** Below all real ones, and another for another name: relations are told apart by it. */
function madeUpOid(key: string): number {
  let hash = 7;
  for (const byte of Buffer.from(key)) hash = (hash * 31 + byte) % 0x1f_ffff_ffff;
  return -1 - hash;
}
