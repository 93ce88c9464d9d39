import * as z from "zod";
import { mapping } from "../document/mapping.ts";
import { roleFileSchema } from "../policy/role-schema.ts";
import { configSchemas } from "./schema.ts";

/** The two files that an operator writes, by the name of their JSON Schema. */
export const jsonSchemas = {
  "rolegate.schema.json": () => describe("rolegate.yaml", configFileSchema()),
  "role.schema.json": () => describe("a role file of rolegate", roleFileSchema),
} as const;

/** `rolegate.yaml` as one schema, put together of the parts that the loading reads one by one. */
function configFileSchema(): z.ZodType {
  const {
    listen,
    admin,
    database,
    password,
    jwt,
    certificate,
    authentication,
    access,
    audit,
    store,
    roles,
    limits,
    log,
  } = configSchemas(undefined);
  return mapping({
    listen,
    admin,
    databases: z.record(z.string(), database).describe("The databases, by the name that clients connect to."),
    identities: z
      .array(z.union([jwt, password, certificate]))
      .min(1)
      .describe("How people and services prove who they are."),
    authentication: z
      .array(authentication)
      .min(1)
      .optional()
      .describe(
        "How a connection has to prove who it is: the first rule that fits, as in pg_hba.conf. Left out: by the form of the name.",
      ),
    access: z
      .array(access)
      .min(1)
      .describe("Who may take which role. The first entry that fits is the role of clients who name none."),
    audit,
    store,
    roles,
    limits,
    log,
  });
}

/** Draft 7, because that is what editors' YAML support reads in full. */
function describe(title: string, schema: z.ZodType): string {
  const json = z.toJSONSchema(schema, { io: "input", target: "draft-7", unrepresentable: "any" });
  return `${JSON.stringify({ ...json, title }, undefined, 2)}\n`;
}
