import type { DropStmt, Node } from "@pgsql/types";
import { relationKey } from "../../catalog/catalog.ts";
import type { LocalChange } from "../../catalog/local-objects.ts";
import { definitionDenied, allowsDefinition } from "./definition-rights.ts";
import { requireSchema } from "./create-schema.ts";
import { existing, existingType, writtenName, type Target, type Written } from "./definition-targets.ts";
import { judgeDropped } from "./dependents-reached.ts";
import { edit, unsupported, type Judgement } from "../judgement.ts";
import { commaIndex, endIndex, indexFrom, startOf } from "../text/source.ts";
import type { Effect } from "../verdict.ts";

/** How many words name the kind. */
const droppable: Readonly<Record<string, number>> = {
  OBJECT_TABLE: 1,
  OBJECT_VIEW: 1,
  OBJECT_MATVIEW: 2,
  OBJECT_INDEX: 1,
  OBJECT_SEQUENCE: 1,
  OBJECT_TYPE: 1,
  OBJECT_SCHEMA: 1,
};

/**
 * DROP of tables, views, indexes, sequences, types and schemas, one or several. CASCADE is judged by all that it reaches;
 * of what the catalog does not know it is not known, so there it is left out.
 */
export function judgeDrop(judgement: Judgement, statement: DropStmt, start: number): Effect {
  const {
    removeType = "OBJECT_TABLE",
    objects = [],
    behavior,
    missing_ok: missingOk,
    concurrent,
  } = statement;
  const cascade = behavior === "DROP_CASCADE";
  if (removeType === "OBJECT_SCHEMA") return dropSchemas(judgement, objects, cascade);
  const words = 1 + droppable[removeType]! + (concurrent === true ? 1 : 0) + (missingOk === true ? 2 : 0);
  const { source } = judgement;
  let index = indexFrom(source, start) + words;
  const end = endIndex(source, index);
  const changes: LocalChange[] = [];
  let ofDatabase = false;
  let unknown = false;
  for (const object of objects) {
    const written = writtenObject(object, startOf(source, index));
    const options = { missingOk: missingOk === true };
    const target =
      removeType === "OBJECT_TYPE"
        ? existingType(judgement, written, "drop")
        : existing(judgement, written, "drop", options);
    judgeDropped(judgement, target, allowsDefinition(judgement, target, "drop"), cascade);
    if (target.temporary) changes.push({ kind: "dropped", name: target.name });
    ofDatabase ||= !target.temporary;
    unknown ||= isUnknown(judgement, target);
    index = commaIndex(source, index, end) + 1;
  }
  if (cascade && unknown) leaveOutCascade(judgement, statement, end);
  return { kind: "define", changes, ofDatabase };
}

function writtenObject(object: Node, at: number): Written {
  if ("List" in object) return writtenName(object.List.items, at);
  if ("TypeName" in object) return writtenName(object.TypeName.names, at);
  return unsupported("this form of DROP");
}

function isUnknown({ context }: Judgement, { schema, name, relation, temporary }: Target): boolean {
  if (relation !== undefined || temporary) return false;
  return !(context.catalog.types.get(name) ?? []).some((type) => type.schema === schema);
}

function leaveOutCascade(judgement: Judgement, statement: DropStmt, end: number): void {
  const { source } = judgement;
  edit(judgement, source.tokens[end - 2]!.end, source.tokens[end - 1]!.end, "");
  statement.behavior = "DROP_RESTRICT";
}

/** DROP SCHEMA: with CASCADE everything that is in it, and what depends on that. */
function dropSchemas(judgement: Judgement, objects: readonly Node[], cascade: boolean): Effect {
  const { catalog } = judgement.context;
  for (const object of objects) {
    const schema = "String" in object ? (object.String.sval ?? "") : unsupported("this form of DROP SCHEMA");
    const grant = requireSchema(judgement, schema, "drop");
    if (!cascade) continue;
    // What is neither a relation nor a type stands under the schema's own key, and ends this.
    judgeDropped(judgement, { schema, name: "" }, grant, true);
    const types = [...catalog.types].flatMap(([name, found]) =>
      found.filter((type) => type.schema === schema).map(() => name),
    );
    const relations = [...catalog.relations.values()].filter((relation) => relation.schema === schema);
    for (const name of new Set([...types, ...relations.map((relation) => relation.name)])) {
      const allowed = allowsDefinition(judgement, { schema, name }, "drop");
      if (allowed === undefined && catalog.relations.get(relationKey(schema, name))?.kind !== "index")
        definitionDenied(judgement, "drop", `${schema}.${name}`);
      judgeDropped(judgement, { schema, name }, allowed, true);
    }
  }
  return { kind: "define", changes: [], ofDatabase: true };
}
