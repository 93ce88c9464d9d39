import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseDocument } from "yaml";
import { defaultAuditDirectory } from "../config/schema.ts";

/**
 * The record's directory as a configuration names it, absolute. Nothing else of the file is looked at: an auditor
 * need not hold the secrets that the proxy needs. Throws an Error that names the file and what was expected.
 */
export function auditDirectory(file: string, env: NodeJS.ProcessEnv): string {
  const document = parseDocument(readConfiguration(file));
  if (document.errors[0]) throw new Error(`${file}: ${document.errors[0].message.split("\n")[0]}`);
  const { audit = {} } = mappingOr(document.toJS(), { audit: undefined });
  const { directory: setting = defaultAuditDirectory } = mappingOr(audit, { directory: null });
  const from = mappingOr(setting, {});
  const directory =
    typeof from["env"] === "string"
      ? env[from["env"]]
      : typeof from["file"] === "string"
        ? readFileSync(resolve(dirname(file), from["file"]), "utf8").replace(/\r?\n$/, "")
        : setting;
  if (typeof directory === "string" && directory !== "") return resolve(dirname(file), directory);
  const found = typeof from["env"] === "string" ? `the variable ${from["env"]}, which is not set` : "none";
  throw new Error(`${file}: audit.directory: found ${found}, expected the record's directory`);
}

function readConfiguration(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason}; -c names a configuration, -d the record's directory`, { cause: error });
  }
}

function mappingOr(
  value: unknown,
  otherwise: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return otherwise;
  return value as Record<string, unknown>;
}
