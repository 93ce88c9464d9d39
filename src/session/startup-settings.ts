import { RolegateError, refuse } from "../errors.ts";
import type { Grants } from "../policy/grants.ts";
import { settingProblem } from "../rewrite/settings.ts";
import { parseOptions } from "../wire/options.ts";

/** Parameters of the startup packet that are no settings. */
const notSettings: ReadonlySet<string> = new Set(["user", "database", "options"]);

/** Whoever sets these is somebody else; asked for in any spelling, the login is refused and the reason said. */
const identities: ReadonlySet<string> = new Set(["role", "session_authorization"]);

/**
 * The settings that a startup packet asks for, from `options` and then from its own parameters, as the server would
 * order them; by name in lower case, the last of a name wins.
 * @throws RolegateError for one that rolegate does not take from anybody: `replication`, and what changes who the
 *   session is
 */
export function requestedSettings(parameters: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  const options = parseOptions(parameters.get("options") ?? "");
  if (options.kind === "refused") throw new RolegateError(options.problem);
  for (const [name, value] of [...options.settings, ...parameters]) {
    const setting = name.toLowerCase();
    if (notSettings.has(setting)) continue;
    if (setting === "replication") {
      // Postgres reads a boolean here; what is not plainly "no" would be a replication connection.
      if (["false", "off", "no", "0"].includes(value.toLowerCase())) continue;
      refuse("unsupported_protocol", "replication connections are not supported");
    }
    if (identities.has(setting)) {
      refuse("role_not_allowed", `the startup parameter "${setting}" is not allowed`, {
        hint: "Give the role as the user, or use SET ROLE.",
      });
    }
    settings.set(setting, value);
  }
  return settings;
}

/**
 * The settings with which the upstream connection begins.
 * @throws RolegateError setting_not_allowed
 */
export function sessionSettings(
  requested: ReadonlyMap<string, string>,
  grants: Grants,
  identityName: string,
): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  if (grants.statementTimeout !== undefined)
    settings.set("statement_timeout", String(grants.statementTimeout));
  for (const [name, value] of requested) {
    const problem = settingProblem(name, value, grants);
    if (problem !== undefined) throw new RolegateError(problem);
    // The upstream packet has a parameter of its own for it.
    if (name !== "application_name") settings.set(name, value);
  }
  settings.set("rolegate.identity", identityName);
  settings.set("rolegate.role", grants.role);
  return settings;
}
