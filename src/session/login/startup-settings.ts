import { RolegateError, refuse, type Problem } from "../../errors.ts";
import { meaningSettings } from "../../policy/meaning/value-kinds.ts";
import { pinsOf, type Pin } from "../../policy/pinned-settings.ts";
import type { JudgeContext } from "../../rewrite/judgement.ts";
import { searchPathProblem } from "../../rewrite/session/known-schemas.ts";
import { pinOf, pinProblem, saysTheSame } from "../../rewrite/session/pinned-setting.ts";
import { settingProblem } from "../../rewrite/session/settings.ts";
import { parseSearchPath } from "../../sql/search-path.ts";
import type { NoticeText } from "../../wire/error-fields.ts";
import { parseOptions } from "../../wire/options.ts";

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

type Premises = Pick<JudgeContext, "grants" | "catalog">;

/** What the client asked for of a setting that stays as the database has it, and why it does. */
type Kept = ReadonlyMap<string, { readonly value: string; readonly pin: Pin }>;

/**
 * The settings with which the upstream connection begins. One that a rule depends on is left to the database's own
 * configuration, whatever the client asks for: pgjdbc always sends TimeZone and DateStyle, so refusing the login would keep
 * it out.
 * @throws RolegateError setting_not_allowed
 */
export function sessionSettings(
  requested: ReadonlyMap<string, string>,
  premises: Premises,
  identityName: string,
): { readonly settings: ReadonlyMap<string, string>; readonly kept: Kept } {
  const { grants } = premises;
  const settings = new Map<string, string>();
  const kept = new Map<string, { value: string; pin: Pin }>();
  if (grants.statementTimeout !== undefined)
    settings.set("statement_timeout", String(grants.statementTimeout));
  for (const [name, value] of requested) {
    const problem = settingProblem(name, value, grants) ?? pathProblem(name, value, premises);
    if (problem !== undefined) throw new RolegateError(problem);
    const pin = pinOf(premises, name);
    if (pin !== undefined) kept.set(name, { value, pin });
    // The upstream packet has a parameter of its own for it.
    else if (name !== "application_name") settings.set(name, value);
  }
  settings.set("rolegate.identity", identityName);
  settings.set("rolegate.role", grants.role);
  return { settings, kept };
}

function pathProblem(name: string, value: string, premises: Premises): Problem | undefined {
  if (name !== "search_path" || premises.grants.unrestricted !== undefined) return undefined;
  const path = parseSearchPath(value, premises.grants.role);
  return path === undefined
    ? { code: "setting_not_allowed", message: "the search_path cannot be read" }
    : searchPathProblem(path, premises);
}

/** The settings whose values have to be known: those that rules may depend on, and those that they do depend on. */
export function askedSettings({ grants, catalog }: Premises): ReadonlySet<string> {
  const pins = [...pinsOf(grants.origin.role, catalog).keys()];
  return new Set([...meaningSettings, ...pins.filter((setting) => setting !== "*")]);
}

/** What to tell a client that did not get what it asked for. */
export function keptNotices(
  kept: Kept,
  inForce: ReadonlyMap<string, string>,
  role: string,
): readonly NoticeText[] {
  return [...kept].flatMap(([name, { value, pin }]) => {
    const now = inForce.get(name);
    if (now !== undefined && saysTheSame(name, value, now, role)) return [];
    const { detail, hint } = pinProblem(name, pin, now);
    return [{ message: `parameter "${name}" stays as the database has it`, detail, hint }];
  });
}
