import type { AlterEnumStmt, CreateEnumStmt } from "@pgsql/types";
import { created, existing, writtenName } from "../defining/definition-targets.ts";
import { changesDatabase, defines } from "../defining/define-effect.ts";
import type { Judgement } from "../judgement.ts";
import { indexFrom, startOf } from "../text/source.ts";
import type { Effect } from "../verdict.ts";

/** `CREATE TYPE name AS ENUM`. Its values are constants; no other kind of type runs nothing. */
export function judgeCreateEnum(judgement: Judgement, { typeName }: CreateEnumStmt, start: number): Effect {
  const type = created(judgement, writtenName(typeName, behindType(judgement, start)), "composite type");
  return defines(type, "composite type");
}

/** `ALTER TYPE name ADD VALUE`, `RENAME VALUE`. */
export function judgeAlterEnum(judgement: Judgement, { typeName }: AlterEnumStmt, start: number): Effect {
  existing(judgement, writtenName(typeName, behindType(judgement, start)), "alter");
  return changesDatabase();
}

/** The byte offset behind two words. */
function behindType({ source }: Judgement, start: number): number {
  return startOf(source, indexFrom(source, start) + 2);
}
