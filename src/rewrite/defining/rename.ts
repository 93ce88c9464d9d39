import type { AlterObjectSchemaStmt, RenameStmt } from "@pgsql/types";
import type { RelationKind } from "../../catalog/catalog.ts";
import { refuse } from "../../errors.ts";
import {
  allowsDefinition,
  definitionDenied,
  noteDefinition,
  requireWhole,
  type Named,
} from "./definition-rights.ts";
import {
  existing,
  existingType,
  judgeNewName,
  writtenName,
  writtenRelation,
  type Target,
} from "./definition-targets.ts";
import { changesDatabase, defines, together } from "./define-effect.ts";
import type { Judgement } from "../judgement.ts";
import { tableGrant } from "../relations.ts";
import { indexFrom, startOf } from "../text/source.ts";
import { judgeTemporaryName } from "./temporary-names.ts";
import { judgeWritesThrough } from "./writable-views.ts";
import type { Effect } from "../verdict.ts";

const relations: Readonly<Record<string, RelationKind>> = {
  OBJECT_TABLE: "table",
  OBJECT_VIEW: "view",
  OBJECT_MATVIEW: "materialized view",
  OBJECT_INDEX: "index",
  OBJECT_SEQUENCE: "sequence",
};

/**
 * ALTER … RENAME. A relation takes its rows to another name, and so to other rules: the role has to be allowed to make
 * one of that name.
 */
export function judgeRename(judgement: Judgement, statement: RenameStmt, start: number): Effect {
  const { renameType, newname = "", object, missing_ok: missingOk = false } = statement;
  if (renameType === "OBJECT_TYPE") {
    const parts = object !== undefined && "List" in object ? object.List.items : undefined;
    const at = startOf(judgement.source, indexFrom(judgement.source, start) + 2);
    const type = existingType(judgement, writtenName(parts, at), "alter");
    return moved(judgement, type, { schema: type.schema, name: newname }, "composite type");
  }
  const written = writtenRelation(statement.relation);
  const kind = relations[renameType ?? ""];
  const target = existing(judgement, written, "alter", { missingOk });
  if (kind === undefined) return defines(target, "table");
  return moved(judgement, target, { schema: target.schema, name: newname }, target.relation?.kind ?? kind);
}

/** ALTER … SET SCHEMA: the same, to a name in another schema. */
export function judgeSetSchema(judgement: Judgement, statement: AlterObjectSchemaStmt): Effect {
  const { relation, newschema = "", objectType, missing_ok: missingOk = false } = statement;
  const target = existing(judgement, writtenRelation(relation), "alter", { missingOk });
  if (target.temporary || newschema === "pg_temp")
    refuse("statement_not_allowed", "temporary relations cannot change their schema", {
      detail: "A temporary relation is the session's own, and no other becomes one.",
      hint: "Use CREATE TABLE … AS in the other schema.",
    });
  const kind = target.relation?.kind ?? relations[objectType ?? ""] ?? "table";
  return moved(judgement, target, { schema: newschema, name: target.name }, kind);
}

function moved(judgement: Judgement, from: Target, to: Named, kind: RelationKind): Effect {
  if (from.temporary) {
    judgeTemporaryName(judgement, to.name, kind);
    return together([
      { kind: "define", changes: [{ kind: "dropped", name: from.name }], ofDatabase: false },
      defines({ ...from, ...to, relation: undefined }, kind),
    ]);
  }
  // An index has no rules of its own, and belongs where its table is.
  if (kind === "index") return changesDatabase();
  const grant = allowsDefinition(judgement, to, "create");
  if (grant === undefined) return definitionDenied(judgement, "create", `${to.schema}.${to.name}`);
  noteDefinition(judgement, to, grant);
  judgeNewName(judgement, to, kind);
  if (kind === "view")
    judgeWritesThrough(judgement, to, tableGrant(judgement.context.grants, { ...from, kind }));
  // Where the new name can be read, what the old one did not show would be shown.
  const shown = tableGrant(judgement.context.grants, { ...to, kind }) !== undefined;
  requireWhole(judgement, from, kind, "alter", shown);
  return together([defines(from, kind), defines({ ...from, ...to, relation: undefined }, kind)]);
}
