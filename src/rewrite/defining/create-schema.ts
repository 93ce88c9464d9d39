import type { CreateSchemaStmt } from "@pgsql/types";
import type { DefinitionGrant } from "../../policy/grants.ts";
import type { Definition } from "../../policy/role-file.ts";
import { definitionDenied } from "./definition-rights.ts";
import { changesDatabase } from "./define-effect.ts";
import { unsupported, type Judgement } from "../judgement.ts";
import type { Effect } from "../verdict.ts";

/** CREATE SCHEMA, where `name.*` may be created. */
export function judgeCreateSchema(
  judgement: Judgement,
  { schemaname, authrole, schemaElts }: CreateSchemaStmt,
): Effect {
  if (schemaname === undefined || authrole !== undefined) unsupported("CREATE SCHEMA with AUTHORIZATION");
  if (schemaElts !== undefined)
    unsupported("CREATE SCHEMA with what is to be in it", "Create the schema first.");
  requireSchema(judgement, schemaname, "create");
  return changesDatabase([{ kind: "schema", schema: schemaname }]);
}

/** The entry `schema.*` that allows something of the schema itself. */
export function requireSchema(judgement: Judgement, schema: string, definition: Definition): DefinitionGrant {
  const grant = schema.startsWith("pg_")
    ? undefined
    : judgement.context.grants.definitions.schemas.get(schema);
  if (grant?.allowed.has(definition) !== true)
    return definitionDenied(judgement, definition, `schema ${schema}`);
  judgement.rules.add(grant.rule);
  return grant;
}
