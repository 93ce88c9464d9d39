import type { CommentStmt, Node } from "@pgsql/types";
import { refuse } from "../../errors.ts";
import { requireSchema } from "./create-schema.ts";
import { existing, existingType, writtenName, type Target } from "./definition-targets.ts";
import { nameParts } from "../text/dotted-name.ts";
import { unsupported, type Judgement } from "../judgement.ts";
import { tableGrant } from "../relations.ts";
import { indexAfterName, indexFrom, startOf } from "../text/source.ts";
import { visibleColumns } from "../reading/virtual-table.ts";

/** How many words name the kind. */
const commentable: Readonly<Record<string, number>> = {
  OBJECT_TABLE: 1,
  OBJECT_VIEW: 1,
  OBJECT_MATVIEW: 2,
  OBJECT_INDEX: 1,
  OBJECT_SEQUENCE: 1,
  OBJECT_COLUMN: 1,
  OBJECT_TABCONSTRAINT: 1,
  OBJECT_TYPE: 1,
  OBJECT_SCHEMA: 1,
};

/** COMMENT ON. The text is a constant, and whoever may read the catalogs reads it. */
export function judgeComment(judgement: Judgement, { objtype, object }: CommentStmt, start: number): void {
  const { source } = judgement;
  const index = indexFrom(source, start) + 2 + (commentable[objtype ?? ""] ?? 0);
  if (object === undefined) return unsupported("this COMMENT");
  if ("String" in object) {
    requireSchema(judgement, object.String.sval ?? "", "comment");
    return;
  }
  if ("TypeName" in object) {
    existingType(judgement, writtenName(object.TypeName.names, startOf(source, index)), "comment");
    return;
  }
  const parts = "List" in object ? object.List.items : undefined;
  if (objtype !== "OBJECT_COLUMN" && objtype !== "OBJECT_TABCONSTRAINT") {
    existing(judgement, writtenName(parts, startOf(source, index)), "comment");
    return;
  }
  // `t.c`, but `c ON t`: the tree has the relation first in both.
  const at = objtype === "OBJECT_COLUMN" ? index : indexAfterName(source, startOf(source, index)) + 1;
  const target = partOf(judgement, parts, startOf(source, at));
  if (objtype === "OBJECT_COLUMN") judgeColumn(judgement, target, nameParts(parts).at(-1) ?? "");
}

/** The relation whose column or constraint it is. */
function partOf(judgement: Judgement, parts: Node[] | undefined, at: number): Target {
  if (parts === undefined) return unsupported("this COMMENT");
  const written = writtenName(parts.slice(0, -1), at);
  const qualify = (schema: string): unknown => parts.unshift({ String: { sval: schema } });
  return existing(judgement, { ...written, qualify: (schema) => void qualify(schema) }, "comment");
}

/** A column that the role does not see is not there for it. */
function judgeColumn(judgement: Judgement, { relation }: Target, name: string): void {
  const select = relation === undefined ? undefined : tableGrant(judgement.context.grants, relation)?.select;
  if (relation === undefined || select === undefined || relation.columnsUnknown === true) return;
  if (visibleColumns(relation, select).some((column) => column.name === name)) return;
  refuse("column_unknown", `column "${name}" of relation "${relation.name}" does not exist`, {
    detail: "The role sees no such column.",
    hint: `It sees: ${visibleColumns(relation, select)
      .map((column) => column.name)
      .join(", ")}.`,
  });
}
