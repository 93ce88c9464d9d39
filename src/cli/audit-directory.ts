import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseDocument } from "yaml";

/**
 * The record's directory as a configuration names it, absolute. Nothing else of the file is looked at: an auditor
 * need not hold the secrets that the proxy needs. Throws an Error that names the file and what was expected.
 */
export function auditDirectory(file: string, env: NodeJS.ProcessEnv): string {
  const document = parseDocument(readFileSync(file, "utf8"));
  if (document.errors[0]) throw new Error(`${file}: ${document.errors[0].message.split("\n")[0]}`);
  const setting: unknown = document.hasIn(["audit", "directory"])
    ? document.toJS().audit.directory
    : undefined;
  const directory = isFromEnvironment(setting) ? env[setting.env] : setting;
  if (typeof directory === "string" && directory !== "") return resolve(dirname(file), directory);
  const found = isFromEnvironment(setting) ? `the variable ${setting.env}, which is not set` : "none";
  throw new Error(`${file}: audit.directory: found ${found}, expected the record's directory`);
}

function isFromEnvironment(setting: unknown): setting is { env: string } {
  return (
    typeof setting === "object" && setting !== null && "env" in setting && typeof setting.env === "string"
  );
}
